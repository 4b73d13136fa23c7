import type { TaskVectors } from '../engine/spectral/operand';
import { column, type Columns } from '../engine/stages';

/** A run of elements. */
interface Range {
  readonly start: number;
  readonly end: number;
}

/**
 * Task vectors of a matrix that are read when they are asked for. `keep`: `all` that was read, or only
 * the `last` run of elements, so that each pass over the matrix reads the files again.
 */
export function readOnDemand(
  tasks: number,
  gather: (range: Range) => Columns,
  keep: 'all' | 'last',
): TaskVectors {
  const held = new Map<string, Columns>();
  const columnsOf = (range: Range): Columns => {
    const key = `${range.start} ${range.end}`;
    const known = held.get(key);
    if (known) return known;
    if (keep === 'last') held.clear();
    const columns = gather(range);
    held.set(key, columns);
    return columns;
  };
  return {
    count: tasks,
    read: (task, start, end) => column(columnsOf({ start, end }), task),
  };
}
