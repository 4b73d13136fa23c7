import type { ExpertInput, MergeInputs } from '../engine/inputs';
import { isFloat } from '../tensors/dtypes';
import { embeddingName, headName } from '../tensors/names';
import type { Checkpoint, Dtype, Part, TensorInfo } from '../tensors/types';
import type { InputFinding } from './input-finding';

/** What headers tell about experts that do not fit the base or each other. Pure. */
export function checkInputs(inputs: MergeInputs): readonly InputFinding[] {
  const [first] = inputs.experts;
  const reference = inputs.base ?? first?.checkpoint;
  if (!reference) return [];
  const others = inputs.experts.filter((e) => e.checkpoint && e.checkpoint !== reference);
  return [
    ...others.flatMap((expert) => checkExpert(expert, reference, inputs)),
    ...checkParts(inputs.experts),
  ];
}

/** Tensors without a pretrained start: experts have them in common, whatever the base has. */
function hasOwnStart(tensor: TensorInfo): boolean {
  return tensor.part !== 'model' || tensor.name.startsWith('action_queries.');
}

function checkExpert(
  { task, checkpoint }: ExpertInput,
  reference: Checkpoint,
  inputs: MergeInputs,
): readonly InputFinding[] {
  if (!checkpoint) return [];
  const recipePath = ['experts', task, 'path'];
  const finding = (code: string, message: string): InputFinding => ({
    code,
    severity: 'error',
    message,
    recipePath,
  });
  const tied = checkTied(checkpoint, reference, task);
  if (tied !== undefined) return [finding('MV436', tied)];
  const { missing, extra, shapes, dtypes, integers } = compare(checkpoint, reference);
  const side = inputs.base ? 'the base' : 'the first expert';
  const findings: InputFinding[] = [];
  const add = (code: string, names: readonly string[], text: string): void => {
    if (names.length > 0)
      findings.push(finding(code, `the expert \`${task}\` ${text} (${listed(names)})`));
  };
  add('MV430', missing, `lacks ${tensors(missing.length)} that ${side} has`);
  const vocabulary = shapes.filter(({ name }) => embeddingName.test(name) || headName.test(name));
  for (const { name, own, other } of vocabulary)
    findings.push(
      finding(
        'MV435',
        `the expert \`${task}\` has ${own[0] ?? 0} vocabulary rows in ${name} and ${side} ${other[0] ?? 0}`,
      ),
    );
  const otherShapes = shapes.filter((s) => !vocabulary.includes(s)).map(describeShapes);
  add('MV431', otherShapes, `differs from ${side} in the shape of ${tensors(otherShapes.length)}`);
  add('MV433', integers, `has integers where ${side} has numbers, or the reverse`);
  add('MV432', dtypes, `differs from ${side} in the dtype of ${tensors(dtypes.length)}`);
  if (extra.length > 0)
    findings.push({
      code: 'MV434',
      severity: 'warning',
      message: `the expert \`${task}\` has ${tensors(extra.length)} that ${side} lacks, which will be left out (${listed(extra)})`,
      recipePath,
    });
  return findings;
}

interface ShapeDifference {
  readonly name: string;
  readonly own: readonly number[];
  readonly other: readonly number[];
}

interface Differences {
  readonly missing: string[];
  readonly extra: string[];
  readonly shapes: ShapeDifference[];
  readonly dtypes: string[];
  readonly integers: string[];
}

function compare(expert: Checkpoint, reference: Checkpoint): Differences {
  const found: Differences = { missing: [], extra: [], shapes: [], dtypes: [], integers: [] };
  for (const other of reference.tensors.values()) {
    const own = expert.tensors.get(other.name);
    if (own) compareTensor(own, other, found);
    else if (needsTwin(other, expert)) found.missing.push(other.name);
  }
  for (const own of expert.tensors.values())
    if (!reference.tensors.has(own.name) && needsTwin(own, reference)) found.extra.push(own.name);
  return found;
}

function compareTensor(own: TensorInfo, other: TensorInfo, found: Differences): void {
  if (own.shape.join() !== other.shape.join())
    found.shapes.push({ name: own.name, own: own.shape, other: other.shape });
  else if (isFloat(own.dtype) !== isFloat(other.dtype)) found.integers.push(dtypes(own, other));
  else if (own.dtype !== other.dtype) found.dtypes.push(dtypes(own, other));
}

/** False for what a checkpoint may lack: its own start, or the second name of a tied embedding. */
function needsTwin(tensor: TensorInfo, lacking: Checkpoint): boolean {
  return !hasOwnStart(tensor) && !isTiedCopy(tensor.name, lacking);
}

/** True for the second name of an embedding that `checkpoint` stores once for both. */
function isTiedCopy(name: string, checkpoint: Checkpoint): boolean {
  return checkpoint.tiedEmbeddings && (embeddingName.test(name) || headName.test(name));
}

/** Says how two models disagree about one matrix or two, if they do. */
function checkTied(expert: Checkpoint, other: Checkpoint, task: string): string | undefined {
  const [tied, untied] = expert.tiedEmbeddings ? [expert, other] : [other, expert];
  if (!tied.tiedEmbeddings || untied.tiedEmbeddings || !storesBoth(untied)) return undefined;
  const ownHead = untied === expert;
  return `the expert \`${task}\` ${ownHead ? 'has an output layer of its own' : 'ties its output layer to the embedding'} and the checkpoint it is merged with ${ownHead ? 'ties it to the embedding' : 'has one of its own'}; give both in one form`;
}

function storesBoth(checkpoint: Checkpoint): boolean {
  const names = [...checkpoint.tensors.keys()];
  return names.some((n) => embeddingName.test(n)) && names.some((n) => headName.test(n));
}

/** Action heads and projectors have no base: every expert has them, in one shape, or none has. */
function checkParts(experts: readonly ExpertInput[]): readonly InputFinding[] {
  const findings: InputFinding[] = [];
  for (const part of ['action_head', 'proprio_projector'] as const) {
    const [first] = experts.filter((expert) => partOf(expert, part).length > 0);
    if (!first) continue;
    const wanted = new Map(partOf(first, part).map((tensor) => [tensor.name, tensor]));
    for (const expert of experts)
      if (expert !== first) findings.push(...checkPart(expert, { part, wanted, first }));
  }
  return findings;
}

function checkPart(
  expert: ExpertInput,
  other: {
    readonly part: Part;
    readonly wanted: ReadonlyMap<string, TensorInfo>;
    readonly first: ExpertInput;
  },
): readonly InputFinding[] {
  const own = new Map(partOf(expert, other.part).map((tensor) => [tensor.name, tensor]));
  const label = other.part.replace('_', ' ');
  const finding = (code: string, message: string): InputFinding[] => [
    { code, severity: 'error', message, recipePath: ['experts', expert.task, 'path'] },
  ];
  if (own.size === 0)
    return finding(
      'MV443',
      `the expert \`${expert.task}\` has no ${label} file (\`${other.part}--…checkpoint.pt\`), and \`${other.first.task}\` has one`,
    );
  const names = [...new Set([...other.wanted.keys(), ...own.keys()])].filter(
    (name) => own.get(name)?.shape.join() !== other.wanted.get(name)?.shape.join(),
  );
  if (names.length === 0) return [];
  return finding(
    'MV431',
    `the ${label} of the expert \`${expert.task}\` differs from that of \`${other.first.task}\` in ${tensors(names.length)} (${listed(names)})`,
  );
}

function partOf(expert: ExpertInput, part: Part): readonly TensorInfo[] {
  return [...(expert.checkpoint?.tensors.values() ?? [])].filter((tensor) => tensor.part === part);
}

function describeShapes({ name, own, other }: ShapeDifference): string {
  return `${name}: [${own.join(', ')}], not [${other.join(', ')}]`;
}

function dtypes(own: TensorInfo, other: TensorInfo): string {
  const [is, not]: readonly [Dtype, Dtype] = [own.dtype, other.dtype];
  return `${own.name}: ${is}, not ${not}`;
}

function tensors(count: number): string {
  return count === 1 ? '1 tensor' : `${count} tensors`;
}

/** The first three, so that a sentence stays one. */
function listed(names: readonly string[]): string {
  const shown = names.slice(0, 3).join('; ');
  return names.length > 3 ? `${shown}; and ${names.length - 3} more` : shown;
}
