import type {
  BlockRange,
  FromMaskPanel,
  Lambdas,
  MaskSnapshot,
  MaskView,
  MergeParameters,
  NumberSource,
  ParameterName,
  ParameterValue,
  ToMaskPanel,
} from '../../server/protocol/panels/mask-ratios';
import { lambdaOfTask } from '../../server/protocol/panels/mask-ratios';
import type { SpectraRange } from '../../server/protocol/panels/spectra';
import type { Guard } from '../../server/protocol/shape';
import { isCount, object } from '../../server/protocol/shape';
import { nbsp } from '../shared/format';
import type { Page } from '../shared/page';
import type { Theme } from '../shared/theme';
import type { Limits } from './handle';
import type { Kept } from './kept';

/** Part of the layer tracks that the user chose: columns of one section, by their place in it. */
export interface Selection {
  readonly section: number;
  readonly from: number;
  readonly to: number;
}

export const isSelection: Guard<Selection> = object<Selection>({
  section: isCount,
  from: isCount,
  to: isCount,
});

export function sameSelection(a: Selection | undefined, b: Selection): boolean {
  return a?.section === b.section && a.from === b.from && a.to === b.to;
}

/** Whether a selection of an earlier page, or of earlier files, is part of what is shown. */
export function fits({ section, from, to }: Selection, { sections }: MaskSnapshot): boolean {
  return from <= to && to < (sections[section]?.blocks.length ?? 0);
}

/** Its blocks in words that the host knows. */
export function rangeOf(
  { sections }: MaskSnapshot,
  selection: Selection | undefined,
): BlockRange | undefined {
  const section = sections[selection?.section ?? -1];
  if (!selection || !section) return undefined;
  const block = (place: number) => section.blocks[place]?.block ?? null;
  return { component: section.component, from: block(selection.from), to: block(selection.to) };
}

/** What the panel shows: the host's data and what the user arranged. */
export interface MaskModel {
  readonly snapshot: MaskSnapshot;
  readonly theme: Theme;
  /** Where the handles are; data may still belong to an earlier place. */
  readonly parameters: MergeParameters;
  /** Each task's λ has a handle of its own. */
  readonly expanded: boolean;
  /** Only this task is drawn in full. */
  readonly isolated: number | undefined;
  readonly selection: Selection | undefined;
  /** Blocks that the layer tracks are narrowed to. */
  readonly zoom: Selection | undefined;
  /** Tasks that have lines where not all can have one; others are chosen by their spread. */
  readonly pinned: readonly number[];
  /** Section shown alone where all do not fit; -1 for all. */
  readonly section: number;
  readonly twin: boolean;
  /** What the page was showing before a reload and its host has not been asked for yet. */
  readonly kept: Kept;
}

export type MaskPage = Page<MaskModel, ToMaskPanel, FromMaskPanel>;

/** What a part of the panel can ask for. */
export interface MaskActions {
  setParameter(name: ParameterName, value: number): void;
  /** λ of one task alone. */
  setLambda(task: string, value: number): void;
  /** Shows the handles of the tasks' own λ, or puts them away. */
  expandLambda(): void;
  writeRecipe(): void;
  resetParameters(): void;
  isolate(task: number): void;
  select(selection: Selection | undefined): void;
  showSection(section: number): void;
  zoom(zoom: Selection | undefined): void;
  pin(task: number): void;
  /** The layer tracks show this pair, first below second; undefined: the mean over all. */
  showPair(pair: readonly [number, number] | undefined): void;
  showTensor(name: string): void;
  measureSpectra(range: SpectraRange): void;
  toggleTwin(): void;
  copy(text: string): void;
  exclude(glob: string): void;
  reveal(target: 'scope' | 'method'): void;
}

export const parameterNames: readonly ParameterName[] = ['lambda', 'alpha', 'density'];
export const symbols: Readonly<Record<ParameterName, string>> = {
  lambda: 'λ',
  alpha: 'α',
  density: 'density',
};

/** What the schema of recipes accepts. */
export const parameterLimits: Readonly<Record<ParameterName, Limits>> = {
  lambda: { least: 0, most: Number.MAX_VALUE },
  alpha: { least: -Number.MAX_VALUE, most: Number.MAX_VALUE },
  density: { least: 0.01, most: 1 },
};

/** Parameters whose handle is not where the recipe has it. */
export function moved({ snapshot, parameters }: MaskModel): readonly ParameterName[] {
  const { recipe } = snapshot;
  if (!recipe) return [];
  const apart = (a: number, b: number) => Math.abs(a - b) > 1e-9;
  const own = (task: string) =>
    apart(lambdaOfTask(parameters, task), lambdaOfTask(recipe.saved, task));
  return parameterNames.filter(
    (name) =>
      recipe.uses[name] &&
      (name === 'lambda' ? recipe.tasks.some(own) : apart(parameters[name], recipe.saved[name])),
  );
}

/** The λs of tasks that differ, in their order; undefined where all have the same. */
function ownLambdas(
  parameters: MergeParameters,
  tasks: readonly string[],
): readonly number[] | undefined {
  const all = tasks.map((task) => lambdaOfTask(parameters, task));
  return all.some((value) => value !== all[0]) ? all : undefined;
}

/** `λ 0.60`; where tasks have their own `λ 0.20, 0.40, 0.60`, of more than four the ends. */
export function parameterText(
  parameters: MergeParameters,
  name: ParameterName,
  tasks: readonly string[],
): string {
  const own = name === 'lambda' ? ownLambdas(parameters, tasks) : undefined;
  const text = (value: number) => value.toFixed(2);
  const [first = Number.NaN] = tasks.map((task) => lambdaOfTask(parameters, task));
  if (!own) return `${symbols[name]}${nbsp}${text(name === 'lambda' ? first : parameters[name])}`;
  const ends = [Math.min(...own), Math.max(...own)].map(text);
  const list = own.length > 4 ? ends.join('–') : own.map(text).join(', ');
  return `${symbols[name]}${nbsp}${list}`;
}

/** What is written into a recipe: one λ as long as all tasks share it there. */
export function valueToWrite(
  { parameters, snapshot }: MaskModel,
  parameter: ParameterName,
): ParameterValue {
  const { recipe } = snapshot;
  const tasks = recipe?.tasks ?? [];
  if (parameter !== 'lambda') return { parameter, value: parameters[parameter] };
  if (recipe?.saved.lambdas ?? ownLambdas(parameters, tasks))
    return { parameter, value: allLambdas(parameters, tasks) };
  return { parameter, value: lambdaOfTask(parameters, tasks[0] ?? '') };
}

export function allLambdas(parameters: MergeParameters, tasks: readonly string[]): Lambdas {
  return Object.fromEntries(tasks.map((task) => [task, lambdaOfTask(parameters, task)]));
}

/** One number of a track: 0 value, 1 low, 2 high. */
export function activeAt(view: MaskView, blocks: number, place: readonly [number, number, number]) {
  const [task, block, part] = place;
  return view.active[(task * blocks + block) * 3 + part] ?? Number.NaN;
}

export function coverageAt(view: MaskView, blocks: number, level: number, block: number): number {
  return view.coverageTrack[level * blocks + block] ?? Number.NaN;
}

/** How many levels of coverage there are: one more than the tasks that could be read. */
export function levelsOf(view: MaskView, blocks: number): number {
  return blocks === 0 ? 0 : view.coverageTrack.length / blocks;
}

export function conflictAt(view: MaskView, block: number, part: number): number {
  return view.conflictTrack[block * 3 + part] ?? Number.NaN;
}

/** Shares of unused, selfish, shared, universal from the shares active in 0, 1 … M tasks. */
export function coverageClasses(
  shares: readonly number[],
): readonly [number, number, number, number] {
  const m = shares.length - 1;
  const at = (i: number) => shares[i] ?? 0;
  const between = shares.slice(2, m).reduce((a, b) => a + b, 0);
  return [at(0), at(1), between, m >= 2 ? at(m) : 0];
}

/** Numbers of a small zoo are exact before any pass: the sample is all of it. */
export function readsAll(source: NumberSource): boolean {
  return source.kind === 'exact' || source.fractionRead >= 1;
}
