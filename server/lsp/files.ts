import { dirname, resolve } from 'node:path';
import type { Problem } from '../protocol/problem';
import { createInputCache } from '../jobs/inputs';
import { findingRange } from '../recipe/locate';
import { validateAgainstTensors, type TensorFact } from '../recipe/validate-tensors';
import type { Analysis } from './documents';
import { planOf } from './plan';
import { loadRecipeFiles, type LoadedFiles } from './load-files';

interface State {
  key: string;
  reading: AbortController | undefined;
  loaded: LoadedFiles | undefined;
  settled: Promise<void>;
}

/** What is known of the files of the open recipes. All questions are answered from memory. */
export interface RecipeFiles {
  /** Starts reading when the recipe names other files than before. */
  follow(analysis: Analysis): void;
  problems(analysis: Analysis): Problem[];
  /** Tensors of the base with their places; undefined until they are read. */
  tensors(analysis: Analysis): readonly TensorFact[] | undefined;
  loaded(analysis: Analysis): LoadedFiles | undefined;
  /** True while headers are being read. */
  reading(analysis: Analysis): boolean;
  /** Resolves when nothing is being read for the recipe any more. */
  settled(analysis: Analysis): Promise<void>;
  forget(uri: string): void;
  /** Reads again whatever changed on disk; everything when no path is given. */
  refresh(changed?: readonly string[]): void;
  onDidChange(listener: (uri: string) => void): void;
}

export interface RecipeFilesOptions {
  readonly trusted: () => boolean;
  readonly warn: (message: string) => void;
}

export function createRecipeFiles(options: RecipeFilesOptions): RecipeFiles {
  return new Files(options);
}

class Files implements RecipeFiles {
  readonly #states = new Map<string, State>();
  readonly #latest = new Map<string, Analysis>();
  readonly #cache = createInputCache();
  readonly #listeners: ((uri: string) => void)[] = [];

  constructor(private readonly options: RecipeFilesOptions) {}

  follow(analysis: Analysis): void {
    this.#latest.set(analysis.uri, analysis);
    if (!this.options.trusted() || analysis.path === undefined) return;
    const key = filesKey(analysis);
    const state = this.#states.get(analysis.uri);
    if (state?.key === key) return;
    state?.reading?.abort();
    const reading = new AbortController();
    const next: State = {
      ...{ key, reading },
      loaded: state?.loaded,
      settled: Promise.resolve(),
    };
    this.#states.set(analysis.uri, next);
    next.settled = this.#read(analysis, next, reading.signal);
  }

  problems(analysis: Analysis): Problem[] {
    return problems(analysis, this.#states.get(analysis.uri));
  }

  tensors({ uri }: Analysis): readonly TensorFact[] | undefined {
    return this.#states.get(uri)?.loaded?.tensors;
  }

  loaded({ uri }: Analysis): LoadedFiles | undefined {
    return this.#states.get(uri)?.loaded;
  }

  reading({ uri }: Analysis): boolean {
    return this.#states.get(uri)?.reading !== undefined;
  }

  settled({ uri }: Analysis): Promise<void> {
    return this.#states.get(uri)?.settled ?? Promise.resolve();
  }

  forget(uri: string): void {
    this.#states.get(uri)?.reading?.abort();
    this.#states.delete(uri);
    this.#latest.delete(uri);
  }

  refresh(changed?: readonly string[]): void {
    for (const [uri, analysis] of this.#latest) {
      const state = this.#states.get(uri);
      if (changed && !touches(state, changed)) continue;
      if (state) state.key = '';
      this.follow(analysis);
    }
  }

  onDidChange(listener: (uri: string) => void): void {
    this.#listeners.push(listener);
  }

  async #read(analysis: Analysis, state: State, signal: AbortSignal): Promise<void> {
    try {
      const loaded = await loadRecipeFiles(analysis, signal, this.#cache);
      if (signal.aborted) return;
      state.loaded = loaded;
    } catch (error) {
      if (signal.aborted) return;
      this.options.warn(`reading headers failed: ${String(error)}`);
    }
    state.reading = undefined;
    for (const listener of this.#listeners) listener(analysis.uri);
  }
}

/** True when one of the changed files belongs to a checkpoint of the recipe. */
function touches(state: State | undefined, changed: readonly string[]): boolean {
  const roots = state?.loaded?.checkpoints.map(({ path }) => path) ?? [];
  return roots.some((root) => changed.some((path) => path.startsWith(root)));
}

/** The text may have moved since the files were read, so ranges are taken from the text of now. */
function problems(analysis: Analysis, state: State | undefined): Problem[] {
  if (!state?.loaded) return [];
  const { recipe } = analysis;
  const { findings, tensors } = state.loaded;
  const placed = findings.map(({ recipePath, ...rest }) => ({
    ...rest,
    range: findingRange(recipe, recipePath),
  }));
  const planned = planOf(analysis, state.loaded)?.problems ?? [];
  return [...placed, ...validateAgainstTensors(recipe, { tensors }), ...planned];
}

/** Changes exactly when other files have to be read. */
function filesKey({ path, recipe }: Analysis): string {
  const { base, experts, layout } = recipe.recipe;
  return JSON.stringify([
    path === undefined ? '' : dirname(path),
    base,
    experts,
    layout,
    recipe.tasks,
  ]);
}

/** A path of a recipe as an absolute one. */
export const fromRecipe = (recipe: string, path: string): string => resolve(dirname(recipe), path);
