import type { Estimate, MeasuredParts, MergeReport, Metrics } from '../protocol/report';

type Figure = Estimate | number;
type Report = MergeReport<Figure>;

/**
 * The same estimates with norms, cosines and sign conflicts of a finished run: these depend on the
 * checkpoints alone, so what any merge of them measured holds for all others.
 */
export function withExactInputs<R extends Report>(report: R, exact: MergeReport): R {
  const blocks = new Map(exact.blocks.map((block) => [placeOf(block), block]));
  const tensors = new Map(exact.tensors.map((tensor) => [tensor.name, tensor]));
  const components = Object.entries(report.components);
  return {
    ...report,
    total: replaced(report.total, exact.total),
    blocks: report.blocks.map((block) => replaced(block, blocks.get(placeOf(block)))),
    tensors: report.tensors.map((tensor) => replaced(tensor, tensors.get(tensor.name))),
    components: Object.fromEntries(
      components.map(([name, metrics]) => [name, replaced(metrics, exact.components[name])]),
    ),
  };
}

/** The same estimates with everything that a merge of just this recipe has measured so far. */
export function withMeasuredParts<R extends Report>(report: R, parts: MeasuredParts): R {
  const blocks = new Map(parts.blocks.map((block) => [placeOf(block), block]));
  const tensors = new Map(parts.tensors.map((tensor) => [tensor.name, tensor]));
  return {
    ...report,
    blocks: report.blocks.map((block) => blocks.get(placeOf(block)) ?? block),
    tensors: report.tensors.map((tensor) => tensors.get(tensor.name) ?? tensor),
    components: { ...report.components, ...parts.components },
  };
}

const placeOf = ({ component, block }: Report['blocks'][number]): string =>
  `${component}\u0000${String(block)}`;

function replaced<M extends Metrics<Figure>>(estimate: M, exact: Metrics<number> | undefined): M {
  if (!exact) return estimate;
  const { merged } = estimate.norm;
  const norm = { ...exact.norm, ...(merged === undefined ? {} : { merged }) };
  return { ...estimate, norm, cosine: exact.cosine, sign_conflict: exact.sign_conflict };
}
