import { join } from 'node:path';
import type { PolicyParts } from '../policy/parts';
import { loadPolicy, policyOf } from '../policy/policy';
import { openPolicyParts } from '../policy/source';
import type { LoadOptions, Policy } from '../policy/types';
import { MergeError } from '../protocol/merge-error';

/** Where the policies of an evaluation come from; absolute paths. */
export interface PolicySources {
  readonly experts: readonly { readonly task: string; readonly path: string }[];
  /** The run directory, and how its `merged/` folder is to be read. */
  readonly run: string;
  readonly form: 'merged' | 'checkpoint' | 'checkpoints';
  readonly device: string;
}

/**
 * Every policy of an evaluation, loaded when it is first asked for and then shared: `masked`,
 * `merged` and `routed` are one policy, `experts`, `blind` and `cross` share the experts.
 * One thread for each operator: workers run side by side, and sums keep their order.
 */
export class PolicySet {
  private readonly loaded = new Map<string, Promise<Policy>>();

  constructor(private readonly sources: PolicySources) {}

  expert(task: string): Promise<Policy> {
    return this.once(`expert ${task}`, () =>
      loadPolicy(this.expertPath(task), this.options({ task })),
    );
  }

  /** The merged policy; in plain weights there is one model for all tasks or one for each. */
  merged(task: string): Promise<Policy> {
    const { run, form } = this.sources;
    if (form === 'merged') return this.once('merged', () => loadPolicy(run, this.options()));
    const folder = form === 'checkpoint' ? join(run, 'merged') : join(run, 'merged', task);
    return this.once(`merged ${task}`, () => loadPolicy(folder, this.options({ task })));
  }

  /** The task's own vision-language model with the merged action expert and the task's head. */
  ownVlm(task: string): Promise<Policy> {
    return this.once(`own vlm ${task}`, async () => {
      const { expert, merged } = await this.both(task);
      const [own] = expert.tasks.values();
      const head = merged.tasks.get(task)?.head;
      if (!own || !head) throw notOfRun(task, this.sources.run);
      return policyOf(
        {
          ...expert,
          files: [...expert.files, ...merged.files],
          tasks: new Map([[task, { ...own, head }]]),
        },
        this.options(),
      );
    });
  }

  /** The merged vision-language model with the task's mask, and the task's own whole action expert. */
  ownActionExpert(task: string): Promise<Policy> {
    return this.once(`own action expert ${task}`, async () => {
      const { expert, merged } = await this.both(task);
      const [own] = expert.tasks.values();
      const masked = merged.tasks.get(task);
      if (!own || !masked) throw notOfRun(task, this.sources.run);
      return policyOf(
        {
          ...merged,
          files: [...merged.files, ...expert.files],
          tasks: new Map([[task, { ...masked, head: own.head }]]),
        },
        this.options(),
      );
    });
  }

  async close(): Promise<void> {
    const open = await Promise.allSettled(this.loaded.values());
    this.loaded.clear();
    for (const policy of open) if (policy.status === 'fulfilled') await policy.value.close();
  }

  private async both(task: string): Promise<{ expert: PolicyParts; merged: PolicyParts }> {
    const expert = await openPolicyParts(this.expertPath(task), { task });
    return { expert, merged: await openPolicyParts(this.sources.run, {}) };
  }

  private once(key: string, load: () => Promise<Policy>): Promise<Policy> {
    const known = this.loaded.get(key);
    if (known) return known;
    const policy = load();
    this.loaded.set(key, policy);
    return policy;
  }

  private options(more: LoadOptions = {}): LoadOptions {
    return { device: this.sources.device, threads: 1, ...more };
  }

  private expertPath(task: string): string {
    const expert = this.sources.experts.find((candidate) => candidate.task === task);
    if (!expert)
      throw new MergeError('MV554', `${task} has no expert with weights of its own to roll out`);
    return expert.path;
  }
}

function notOfRun(task: string, run: string): MergeError {
  return new MergeError('MV554', `${run} was not merged for the task ${task}`);
}
