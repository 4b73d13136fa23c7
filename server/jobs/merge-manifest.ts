import type { MergeInputs } from '../engine/inputs';
import type { MergePlan, TensorJob } from '../engine/plan-types';
import { parametersOf as methodParameters } from '../recipe/methods';
import type { Recipe } from '../recipe/schema';
import { hashOf } from '../runs/header-hash';
import type { Manifest } from '../runs/manifest';
import { expertBlocks, routerFacts } from './router-bases';

export interface ManifestParts {
  readonly recipe: Recipe;
  readonly inputs: MergeInputs;
  readonly plan: MergePlan;
  /** Of the base's files; empty without a base. */
  readonly baseSample: string;
}

/** What `manifest.json` says of a merge: the base by its hash, and the rule of every tensor. */
export function makeManifest(parts: ManifestParts): Manifest {
  const { recipe, inputs, plan, baseSample } = parts;
  const { form } = plan;
  const blocks = expertBlocks(inputs);
  return {
    version: 1,
    form,
    layout: inputs.layout,
    tasks: plan.tasks,
    base: inputs.base && {
      path: inputs.base.path,
      hash: hashOf(inputs.base.files),
      sample: baseSample,
    },
    experts: Object.fromEntries(
      inputs.experts.map(({ task, checkpoint, adapter }) => {
        const files = [...(checkpoint?.files ?? []), ...(adapter?.files ?? [])];
        const path = checkpoint?.path ?? inputs.base?.path ?? '';
        return [task, { path, hash: hashOf(files), ...(adapter && { adapter: adapter.path }) }];
      }),
    ),
    groups: groupsOf(recipe, plan),
    masks: plan.masks && maskFacts(recipe, plan),
    heads: blocks > 0 ? { unmergedBlocks: recipe.heads.unmerged_blocks, blocks } : null,
    router: form === 'weights' ? null : routerFacts(recipe, inputs),
    taskVector: form === 'weights' ? null : { dtype: dtypeOf(plan), precision: plan.precision },
  };
}

/** Tensors with the same rule and the same numbers are one group. */
function groupsOf(recipe: Recipe, plan: MergePlan): Manifest['groups'] {
  const groups = new Map<string, { parameters: Record<string, unknown>; jobs: TensorJob[] }>();
  for (const job of plan.jobs) {
    const rule = ruleName(plan, job);
    const parameters = parametersOf(recipe, job);
    const key = JSON.stringify([rule, parameters]);
    const group = groups.get(key) ?? { parameters, jobs: [] };
    group.jobs.push(job);
    groups.set(key, group);
  }
  return [...groups].map(([key, { parameters, jobs }]) => ({
    rule: (JSON.parse(key) as [string])[0],
    parameters,
    components: [...new Set(jobs.map(({ place }) => place.component))].sort(),
    tensors: jobs.map(({ name }) => name),
    elements: jobs.reduce((sum, { elements }) => sum + elements, 0),
  }));
}

export function ruleName(plan: MergePlan, { rule }: TensorJob): string {
  if (rule.kind === 'merge') return plan.settings.method;
  if (rule.kind !== 'take') return rule.kind;
  return `keep:${plan.tasks[rule.task] ?? ''}`;
}

/** The parameters that the method uses, with those that depend on the tensor as they are there. */
function parametersOf({ merge }: Recipe, { rule }: TensorJob): Record<string, unknown> {
  if (rule.kind !== 'merge') return {};
  const everywhere: Readonly<Record<string, unknown>> = { ...merge };
  const here: Readonly<Record<string, unknown>> = { ...rule.parameters };
  const names = ['weights', 'alpha', ...Object.keys(methodParameters(merge.method))];
  return Object.fromEntries(names.map((name) => [name, here[name] ?? everywhere[name]]));
}

function maskFacts({ masks }: Recipe, plan: MergePlan): Manifest['masks'] {
  if (masks === 'none' || masks.rule === 'emr' || plan.masks?.rule === 'emr')
    return { rule: 'emr' };
  return { rule: 'tall', lambda: masks.lambda, consensus: masks.consensus };
}

function dtypeOf(plan: MergePlan): string {
  const merged = plan.jobs.filter(({ rule }) => rule.kind === 'merge');
  return [...new Set(merged.map(({ outputDtype }) => outputDtype))].join(', ');
}
