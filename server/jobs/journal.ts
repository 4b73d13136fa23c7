import { createHash } from 'node:crypto';
import { closeSync, existsSync, openSync, readFileSync, statSync, writeSync } from 'node:fs';
import type { MergePlan } from '../engine/plan-types';
import { guarded } from '../tensors/writer';
import type { MergeOutputs } from './outputs';
import type { MergeResult, Unit } from './units';

/**
 * Which units of a merge are written, one line each, so that a killed merge goes on where it stopped.
 * The first line names the plan and its inputs; a journal of another plan is not believed.
 */
export class Journal {
  private constructor(
    private readonly file: string,
    private readonly descriptor: number,
    private readonly found: ReadonlyMap<string, MergeResult>,
  ) {}

  static start(file: string, plan: MergePlan, outputs: MergeOutputs): Journal {
    const descriptor = guarded(file, () => openSync(file, 'w'));
    const journal = new Journal(file, descriptor, new Map());
    journal.add({ plan: fingerprint(plan, outputs) });
    return journal;
  }

  /** Null when there is none for this plan, or its output files are not all there. */
  static resume(file: string, plan: MergePlan, outputs: MergeOutputs): Journal | null {
    if (!existsSync(file) || !outputs.plans.every(isThere)) return null;
    const [head, ...lines] = readFileSync(file, 'utf8').split('\n');
    const first = parsed(head ?? '');
    if (!isRecord(first) || first['plan'] !== fingerprint(plan, outputs)) return null;
    const found = new Map<string, MergeResult>();
    for (const line of lines) {
      // The last line may have been cut by the kill.
      const entry = parsed(line);
      if (isRecord(entry) && typeof entry['unit'] === 'string')
        found.set(entry['unit'], entry['result'] as MergeResult);
    }
    return new Journal(file, openSync(file, 'a'), found);
  }

  find(unit: Unit): MergeResult | undefined {
    return this.found.get(keyOf(unit));
  }

  note(unit: Unit, result: MergeResult): void {
    this.add({ unit: keyOf(unit), result });
  }

  private add(line: unknown): void {
    guarded(this.file, () => writeSync(this.descriptor, `${JSON.stringify(line)}\n`));
  }

  close(): void {
    closeSync(this.descriptor);
  }
}

function keyOf({ job, start, end }: Unit): string {
  return `${String(job)} ${String(start)} ${String(end)}`;
}

/** Of the whole plan, with the inputs' sizes and times, and of the outputs' layout. */
function fingerprint(plan: MergePlan, outputs: MergeOutputs): string {
  const files = outputs.plans.flatMap((output) =>
    output.files.map(({ path, size }) => [path, size]),
  );
  return createHash('sha256')
    .update(JSON.stringify([plan, files]))
    .digest('hex');
}

function isThere(output: MergeOutputs['plans'][number]): boolean {
  return output.files.every(({ path, size }) => {
    const file = `${path}.partial`;
    return existsSync(file) && statSync(file).size === size;
  });
}

function parsed(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}
