import { planEpisodes, type EpisodeJob, type PolicyName } from '../evaluate/episodes';
import { taskOf } from '../evaluate/player';
import type { PolicySources } from '../evaluate/policy-set';
import { STEP_LIMIT } from '../evaluate/so101/environment';
import { SEED_RANGES, seedOf } from '../evaluate/so101/random';
import { CRITERIA } from '../evaluate/so101/tasks';
import { MergeError } from '../protocol/merge-error';
import type { Evaluate } from '../recipe/schema';
import type { EvaluationRecord } from '../protocol/evaluation-record';
import type { Manifest } from '../runs/manifest';

/** What is going to be played, before anything is. */
export interface EvaluationPlan {
  readonly kind: 'bench' | 'harness';
  readonly jobs: readonly EpisodeJob[];
  readonly record: EvaluationRecord;
  /** Policies that this merge does not have, each with the reason. */
  readonly leftOut: readonly { readonly policy: PolicyName; readonly reason: string }[];
}

export interface EvaluationInput {
  readonly evaluate: Evaluate;
  readonly manifest: Manifest;
}

export const bench = 'so101-cubes';

/** Throws MV553 where suite, tasks and seeds do not fit, MV554 when no policy is left. */
export function planEvaluation({ evaluate, manifest }: EvaluationInput): EvaluationPlan {
  const kind = kindOf(evaluate);
  const { tasks } = manifest;
  if (kind === 'bench') checkBench(manifest);
  const { policies, leftOut } = possiblePolicies(evaluate, manifest);
  const { episodes } = evaluate;
  const seedAt = seedsOf(kind, evaluate);
  return {
    kind,
    leftOut,
    jobs: planEpisodes({ tasks, policies, episodes, seedOf: seedAt }),
    record: {
      version: 1,
      settings: {
        suite: evaluate.suite,
        shift: evaluate.shift,
        execute: evaluate.execute,
        max_steps: evaluate.max_steps,
        routing: manifest.router?.per ?? 'episode',
        command: kind === 'harness' ? evaluate.command : null,
        ...(manifest.router?.offsets && { offset: 'stored' }),
        ...(evaluate.range === 'validation' && { range: 'validation' }),
      },
      tasks,
      policies,
      episodes,
      seeds: { first: seedAt(0), last: seedAt(episodes - 1) },
      simulator:
        kind === 'bench' ? `${bench}, at most ${STEP_LIMIT} steps unless told` : 'external',
      criteria: kind === 'bench' ? CRITERIA : {},
    },
  };
}

/** What every policy of the bench needs. */
function checkBench({ tasks, heads }: Manifest): void {
  tasks.forEach(taskOf);
  if (heads) return;
  throw new MergeError(
    'MV554',
    'the experts hold no action expert of MergeVLA, so no policy can act; an evaluate.command rolls out others',
  );
}

type Policies = Evaluate['policies'];

/** Policies that this merge can play; the others with the reason why not. Throws MV554 when none can. */
function possiblePolicies(
  { policies: wanted }: Evaluate,
  manifest: EvaluationInput['manifest'],
): { readonly policies: Policies; readonly leftOut: EvaluationPlan['leftOut'] } {
  const found = [...new Set(wanted)].map((policy) => ({
    policy,
    reason: reasons[policy](manifest),
  }));
  const policies = found.filter(({ reason }) => reason === '').map(({ policy }) => policy);
  const leftOut = found.filter(({ reason }) => reason !== '');
  const [first] = leftOut;
  if (policies.length > 0) return { policies, leftOut };
  throw new MergeError(
    'MV554',
    first ? `${first.policy} cannot be evaluated: ${first.reason}` : 'no policy is asked for',
  );
}

function kindOf({ suite, command }: Evaluate): EvaluationPlan['kind'] {
  if (command !== null) return 'harness';
  if (suite === bench) return 'bench';
  throw new MergeError(
    'MV553',
    `the suite ${suite} is not built in (${bench} is); give evaluate.command, which rolls it out`,
  );
}

function seedsOf(kind: EvaluationPlan['kind'], evaluate: Evaluate): (index: number) => number {
  const { seed, episodes, range } = evaluate;
  if (kind === 'harness') {
    if (range === 'test') return (index) => seed + index;
    throw new MergeError(
      'MV553',
      'only the built-in bench has validation seeds; give evaluate.command its own with evaluate.seed',
    );
  }
  const { first, last } = SEED_RANGES[range];
  const most = last - first + 1;
  if (seed + episodes <= most) return (index) => seedOf(range, seed + index);
  throw new MergeError(
    'MV553',
    `seed ${seed} and ${episodes} episodes go beyond the ${most} ${range} seeds of ${bench}`,
  );
}

type Reason = (manifest: Manifest) => string;

const plain = 'the run holds plain weights, not the parts of a merged policy';
const ofExperts: Reason = ({ tasks, experts }) => {
  const adapted = tasks.find((task) => experts[task]?.adapter !== undefined);
  return adapted === undefined
    ? ''
    : `the expert of ${adapted} is an adapter; its fused weights are needed`;
};
const ofParts: Reason = (manifest) => (manifest.form === 'weights' ? plain : ofExperts(manifest));

/** Why a merge has no such policy; empty where it has. */
const reasons: Readonly<Record<PolicyName, Reason>> = {
  blind: ofExperts,
  experts: ofExperts,
  merged: ({ form, masks }) => (form === 'weights' && masks ? plain : ''),
  masked: ({ masks }) => (masks ? '' : 'the merge has no masks'),
  routed: ({ router, form }) => {
    if (!router) return 'the merge has no router';
    return form === 'weights' ? plain : '';
  },
  cross: (manifest) => (manifest.tasks.length > 1 ? ofExperts(manifest) : 'there is one task'),
  own_vlm: ofParts,
  own_action_expert: ofParts,
};

export function sourcesOf(run: string, manifest: Manifest, device: string): PolicySources {
  const experts = Object.entries(manifest.experts).map(([task, { path }]) => ({ task, path }));
  const form =
    manifest.form !== 'weights' ? 'merged' : manifest.masks ? 'checkpoints' : 'checkpoint';
  return { run, form, experts, device };
}
