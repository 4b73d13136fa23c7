import type { ProblemInfo } from './problems';

/**
 * `MV4xx`: files and tensors; `MV5xx`: runs, jobs, devices, policies, evaluations.
 * MV400 to MV409 are selectors of the recipe held against tensors that exist.
 */
export const fileProblems = {
  MV401: {
    title: 'Glob matches nothing',
    severity: 'warning',
    explanation: 'No tensor of the checkpoints has a name like that.',
    example: "merge: {scope: {include: ['*self_atn*']}}",
  },
  MV402: {
    title: 'Component does not occur',
    severity: 'error',
    explanation: 'The checkpoints have no tensor of this component.',
    example: 'merge: {scope: {components: [visoin]}}',
  },
  MV403: {
    title: 'Block out of range',
    severity: 'error',
    explanation: 'The component with the most blocks has fewer than that.',
    example: 'merge: {scope: {blocks: {from: 40, to: 48}}} # 24 blocks',
  },
  MV404: {
    title: 'No action expert',
    severity: 'warning',
    explanation: 'The key concerns the action expert, and the checkpoints have none.',
    example: 'router: {rank: 8} # with plain language models',
  },
  MV405: {
    title: 'Nothing to merge',
    severity: 'error',
    explanation: 'The scope leaves no tensor.',
    example: "merge: {scope: {components: [projector], include: ['lm_head*']}}",
  },
} as const satisfies Record<string, ProblemInfo>;
