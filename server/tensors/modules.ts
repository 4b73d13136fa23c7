import type { Checkpoint, Layout, ModulePlace } from './types';

/** Decides the layout from names and `config.json` (reference: checkpoint layouts §7). */
export function detectLayout(checkpoint: Checkpoint): Layout {
  throw new Error(`not built yet: ${checkpoint.path}`);
}

/** Component, block and kind of a tensor by its name. Unknown names are component `other`. */
export function describeTensor(name: string, layout: Layout): ModulePlace {
  throw new Error(`not built yet: ${name} ${layout}`);
}

/**
 * Names that `scope.components` takes and the components each stands for: every component itself,
 * prefixes (`vision`, `lm`, `expert`) and the names of the paper's study (`vision_backbone`,
 * `language_model`, `lm_head`, `action_expert`).
 */
export const componentSelectors: ReadonlyMap<string, readonly string[]> = new Map();

/** True when `component` is what `selector` names. */
export function selectsComponent(selector: string, component: string): boolean {
  return componentSelectors.get(selector)?.includes(component) ?? false;
}
