import type { Adapter, Checkpoint, Layout, ModulePlace } from '../tensors/types';

/** One expert of a recipe, known by headers alone. */
export interface ExpertInput {
  readonly task: string;
  /** Null when the expert is an adapter on the base. */
  readonly checkpoint: Checkpoint | null;
  /** LoRA adapter applied to `checkpoint`, or to the base when there is none. */
  readonly adapter: Adapter | null;
}

/** Everything that a plan is made from besides the recipe; holds no open file. */
export interface MergeInputs {
  readonly base: Checkpoint | null;
  /** In recipe order. */
  readonly experts: readonly ExpertInput[];
  /** As found, never `auto`. */
  readonly layout: Layout;
  /** Place of every tensor of base and experts, by tensor name. */
  readonly places: ReadonlyMap<string, ModulePlace>;
}
