import type { TaskVectors } from '../engine/spectral/operand';
import { column, type Columns } from '../engine/stages';

/** A run of elements. */
interface Range {
  readonly start: number;
  readonly end: number;
}

/**
 * Task vectors of a matrix that are read when they are asked for. What was read is kept as long as all
 * of it takes at most `heldBytes`; of a larger matrix only the last run of elements, so that each pass
 * over it reads the files again.
 */
export function readOnDemand(
  tasks: number,
  gather: (range: Range) => Columns,
  heldBytes: number,
): TaskVectors {
  const held = new Map<string, Columns>();
  let bytes = 0;
  return {
    count: tasks,
    read(task, start, end) {
      const key = `${start} ${end}`;
      const known = held.get(key);
      if (known) return column(known, task);
      const size = 4 * (end - start) * tasks;
      if (bytes + size > heldBytes) {
        held.clear();
        bytes = 0;
      }
      const columns = gather({ start, end });
      held.set(key, columns);
      bytes += size;
      return column(columns, task);
    },
  };
}
