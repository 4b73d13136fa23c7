import { dirname, resolve } from 'node:path';
import type { ExpertInput, MergeInputs } from '../engine/inputs';
import { MergeError, throwIfCancelled } from '../protocol/merge-error';
import type { Expert, Recipe } from '../recipe/schema';
import { openAdapter } from '../tensors/adapter';
import { openCheckpoint } from '../tensors/checkpoint';
import type { HeaderCache } from '../tensors/headers';
import { describeTensor, detectLayout } from '../tensors/modules';
import { alignNames } from '../tensors/names';
import type { Checkpoint, Layout, ModulePlace } from '../tensors/types';
import { checkInputs } from './input-checks';
import { findingOf, type InputFinding } from './input-finding';
import { compareContent, type SameContentCache } from './same-content';

/** Kept by an editor for its life: checking again then costs one `stat` for each file. */
export interface InputCache {
  readonly headers: HeaderCache;
  readonly sameContent: SameContentCache;
}

export function createInputCache(): InputCache {
  return { headers: new Map(), sameContent: new Map() };
}

export interface LoadedInputs {
  /** As far as files could be opened; complete when no finding is an error. */
  readonly inputs: MergeInputs;
  readonly findings: readonly InputFinding[];
}

export interface LoadOptions {
  readonly signal?: AbortSignal | undefined;
  readonly cache?: InputCache | undefined;
  /** Takes samples for copies of checkpoints and warns, where nothing may be read as a whole. */
  readonly samplesOnly?: boolean;
}

/**
 * Opens the base and the experts of a recipe by their headers and checks that they fit (MV41x to
 * MV44x). Paths are relative to the recipe. What is wrong with the files is a finding; failures of
 * the system and `Cancelled` are thrown.
 */
export async function loadInputs(
  recipe: Pick<Recipe, 'base' | 'experts' | 'layout'>,
  recipePath: string,
  options: LoadOptions = {},
): Promise<LoadedInputs> {
  const loader = new Loader(dirname(resolve(recipePath)), options);
  const { base, experts } = await loader.models(recipe);
  const layout = recipe.layout === 'auto' ? findLayout(base, experts) : recipe.layout;
  const inputs = { base, experts, layout, places: findPlaces(base, experts, layout) };
  throwIfCancelled(options.signal);
  return {
    inputs,
    findings: [...loader.findings, ...checkInputs(inputs), ...(await findCopies(inputs, options))],
  };
}

/** Opens files; what is wrong with one becomes a finding and `null`. */
class Loader {
  readonly findings: InputFinding[] = [];

  constructor(
    private readonly folder: string,
    private readonly options: LoadOptions,
  ) {}

  /** Everything is opened at once; adapters follow, because they are held against their base. */
  async models({ base: basePath, experts: written }: Pick<Recipe, 'base' | 'experts'>): Promise<{
    readonly base: Checkpoint | null;
    readonly experts: readonly ExpertInput[];
  }> {
    const [base, ...opened] = await Promise.all([
      basePath === null ? null : this.checkpoint(basePath, ['base']),
      ...written.map((expert) => this.stored(expert)),
    ]);
    const experts: ExpertInput[] = [];
    for (const [i, expert] of written.entries()) {
      const stored = opened[i] ?? null;
      const checkpoint = stored && base ? alignNames(base, stored) : stored;
      const adapter = await this.adapter(expert, checkpoint ?? base);
      if (checkpoint ?? adapter) experts.push({ task: expert.task, checkpoint, adapter });
    }
    return { base, experts };
  }

  private async stored({ path, task }: Expert): Promise<Checkpoint | null> {
    return path === null ? null : this.checkpoint(path, ['experts', task, 'path']);
  }

  private async checkpoint(
    path: string,
    recipePath: readonly string[],
  ): Promise<Checkpoint | null> {
    const opened = await this.attempt(recipePath, () =>
      openCheckpoint(resolve(this.folder, path), this.reading()),
    );
    if (!opened?.mergedMarkers.includes('tall_masks.pt')) return opened;
    this.findings.push({
      code: 'MV439',
      severity: 'error',
      message: `${opened.path} is the result of a MergeVLA merge: its weights are a task vector (tall_masks.pt is there), not a model`,
      recipePath,
    });
    return null;
  }

  private async adapter(expert: Expert, base: Checkpoint | null): Promise<ExpertInput['adapter']> {
    const { adapter, task } = expert;
    if (adapter === null || !base) return null;
    return this.attempt(['experts', task, 'adapter'], () =>
      openAdapter(resolve(this.folder, adapter), base, this.reading()),
    );
  }

  private reading(): { signal: AbortSignal | undefined; cache: HeaderCache | undefined } {
    return { signal: this.options.signal, cache: this.options.cache?.headers };
  }

  private async attempt<Value>(
    recipePath: readonly string[],
    open: () => Promise<Value>,
  ): Promise<Value | null> {
    try {
      return await open();
    } catch (error) {
      if (!(error instanceof MergeError) || error.fault === 'system') throw error;
      this.findings.push(findingOf(error, recipePath));
      return null;
    }
  }
}

/** Experts have the action head that tells layouts apart; bases often do not. */
function findLayout(base: Checkpoint | null, experts: readonly ExpertInput[]): Layout {
  const models = [...experts.map((expert) => expert.checkpoint), base];
  const layouts = models.flatMap((model) => (model ? [detectLayout(model)] : []));
  return layouts.find((layout) => layout !== 'generic') ?? 'generic';
}

function findPlaces(
  base: Checkpoint | null,
  experts: readonly ExpertInput[],
  layout: Layout,
): ReadonlyMap<string, ModulePlace> {
  const places = new Map<string, ModulePlace>();
  for (const model of [base, ...experts.map((expert) => expert.checkpoint)])
    for (const name of model?.tensors.keys() ?? [])
      if (!places.has(name)) places.set(name, describeTensor(name, layout));
  return places;
}

/** Experts that are copies of the base or of each other under another path. */
async function findCopies(
  { base, experts }: MergeInputs,
  { signal, cache, samplesOnly = false }: LoadOptions,
): Promise<readonly InputFinding[]> {
  const findings: InputFinding[] = [];
  const options = { prove: !samplesOnly, signal, cache: cache?.sameContent };
  const hold = async (
    one: Checkpoint,
    other: Checkpoint,
    { code, task, who }: { readonly code: string; readonly task: string; readonly who: string },
  ): Promise<void> => {
    // One path named twice is told from the recipe alone (MV317, MV318), so it is not told again.
    if (one.path === other.path) return;
    const sameness = await compareContent(one, other, options);
    if (sameness === 'different') return;
    const isProven = sameness === 'proven';
    findings.push({
      code,
      severity: isProven ? 'error' : 'warning',
      message: isProven ? who : `${who} in every place that was sampled`,
      recipePath: ['experts', task, 'path'],
    });
  };
  const seen: { readonly task: string; readonly checkpoint: Checkpoint }[] = [];
  for (const { task, checkpoint, adapter } of experts) {
    if (!checkpoint || adapter) continue;
    const isBase = `the expert \`${task}\` (${checkpoint.path}) holds the weights of the base`;
    if (base) await hold(base, checkpoint, { code: 'MV438', task, who: isBase });
    for (const other of seen) {
      const who = `the experts \`${other.task}\` and \`${task}\` (${checkpoint.path}) hold the same weights`;
      await hold(other.checkpoint, checkpoint, { code: 'MV437', task, who });
    }
    seen.push({ task, checkpoint });
  }
  return findings;
}
