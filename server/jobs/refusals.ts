import { MergeError } from '../protocol/merge-error';
import type { MergePlan } from '../engine/plan-types';
import { TensorReader } from '../tensors/reader';
import type { TensorInfo } from '../tensors/types';
import type { ExecuteOptions } from './execute';
import type { MergeResult } from './units';

/** Ends a merge whose numbers would be wrong, with counts and names. */
export const refuseBadNumbers = { integers, nonfinite, unchanged };

/** Integer tensors have to be equal in base and experts. */
function integers(plan: MergePlan, changed: readonly boolean[]): void {
  const names = plan.jobs.flatMap(({ rule, name, experts, base }, i) =>
    rule.kind === 'copy' && changed[i] && (base ? experts.length > 0 : experts.length > 1)
      ? [name]
      : [],
  );
  if (names.length === 0) return;
  throw new MergeError(
    'MV462',
    `${listed(names)} holds integers that differ between base and experts, which cannot be merged; exclude it or make it equal`,
    { data: { tensors: names } },
  );
}

/**
 * NaN and infinities of tensors that every expert has as the base has them: no pass reads these again,
 * so they are told by `baseSquares`, the sums of the scan.
 */
function unchanged(plan: MergePlan, baseSquares: readonly number[], options: ExecuteOptions): void {
  const bad = plan.jobs.flatMap(({ base }, i) =>
    base?.stored && !Number.isFinite(baseSquares[i] ?? 0) ? [base.stored] : [],
  );
  if (bad.length === 0) return;
  const reader = new TensorReader(plan.files);
  try {
    const texts = bad.map((info) => `${info.name} of the base (${countIn(reader, info)})`);
    tell(
      'MV460',
      `${tensors(bad.length)} numbers that are not finite: ${listed(texts)}`,
      bad.map(({ name }) => name),
      options,
    );
  } finally {
    reader.close();
  }
}

const pieceElements = 1 << 20;

function countIn(reader: TensorReader, info: TensorInfo): string {
  let nan = 0;
  let infinite = 0;
  for (let start = 0; start < info.elements; start += pieceElements) {
    const values = new Float32Array(Math.min(pieceElements, info.elements - start));
    reader.readFloat32(info, start, values);
    for (const value of values)
      if (Number.isNaN(value)) nan++;
      else if (!Number.isFinite(value)) infinite++;
  }
  return `${String(nan)} NaN, ${String(infinite)} infinite`;
}

function tensors(count: number): string {
  return `${String(count)} ${count === 1 ? 'tensor holds' : 'tensors hold'}`;
}

/** Refuses, or only says so where it is allowed. */
function tell(
  code: 'MV460' | 'MV461',
  message: string,
  names: readonly string[],
  options: ExecuteOptions,
): void {
  if (!options.allowNonfinite)
    throw new MergeError(
      code,
      `${message}${code === 'MV460' ? '; --allow-nonfinite goes on' : ''}`,
      { data: { tensors: names } },
    );
  options.onEvent?.({ time: new Date().toISOString(), type: 'warning', code, message });
}

/** NaN and infinities of inputs, and overflow of outputs; a warning event when they are allowed. */
function nonfinite(
  plan: MergePlan,
  results: readonly (readonly MergeResult[])[],
  options: ExecuteOptions,
): void {
  const found: { text: string; name: string }[] = [];
  const overflowed: string[] = [];
  results.forEach((own, i) => {
    const name = plan.jobs[i]?.name ?? '';
    if (own.some(({ overflow }) => overflow)) overflowed.push(name);
    for (const [model, { nan, infinite }] of countsByModel(own)) {
      const where = model === 0 ? 'the base' : `expert ${plan.tasks[model - 1] ?? ''}`;
      found.push({
        name,
        text: `${name} of ${where} (${String(nan)} NaN, ${String(infinite)} infinite)`,
      });
    }
  });
  if (found.length > 0)
    tell(
      'MV460',
      `${tensors(found.length)} numbers that are not finite: ${listed(found.map(({ text }) => text))}`,
      found.map(({ name }) => name),
      options,
    );
  if (overflowed.length > 0)
    tell(
      'MV461',
      `merged numbers of ${listed(overflowed)} are too large for the output dtype; choose a wider output.dtype or a smaller alpha`,
      overflowed,
      options,
    );
}

/** NaN and infinities of one tensor: model 0 is the base. */
function countsByModel(
  results: readonly MergeResult[],
): Map<number, { readonly nan: number; readonly infinite: number }> {
  const counts = new Map<number, { readonly nan: number; readonly infinite: number }>();
  for (const { model, nan, infinite } of results.flatMap((result) => result.nonfinite)) {
    const sum = counts.get(model) ?? { nan: 0, infinite: 0 };
    counts.set(model, { nan: sum.nan + nan, infinite: sum.infinite + infinite });
  }
  return counts;
}

/** The first three of some names and how many follow. */
function listed(names: readonly string[]): string {
  const shown = names.slice(0, 3).join(', ');
  return names.length > 3 ? `${shown} and ${String(names.length - 3)} more` : shown;
}
