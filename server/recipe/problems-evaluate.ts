import type { ProblemInfo } from './problems';

/** MV553 to MV559: evaluations. */
export const evaluateProblems = {
  MV553: {
    title: 'Evaluation does not fit the suite',
    severity: 'error',
    explanation:
      'The built-in bench has three tasks, six joints and two cameras, and as many test and validation seeds as the message says. Other suites need evaluate.command.',
    example: 'evaluate: {suite: libero_goal} # without a command',
  },
  MV554: {
    title: 'Policy cannot be evaluated',
    severity: 'error',
    explanation:
      'The run or its recipe lacks what the policy needs, such as masks, a router, or an expert with whole weights.',
    example: 'mergevla evaluate RUN --policies routed # made with router: none',
  },
  MV555: {
    title: 'External harness failed',
    severity: 'error',
    explanation:
      'evaluate.command could not be started, ended with an error, was silent for too long, or answered something that is no result. Episodes it answered before are kept; its output is in the run directory under harness.',
    example: 'evaluate: {suite: libero_goal, command: python missing.py}',
  },
  MV556: {
    title: 'A rollout process ended',
    severity: 'error',
    explanation:
      'The process that plays episodes died, most often for want of memory. Episodes played so far are kept; the same command goes on from there.',
    example: 'the system’s out-of-memory killer',
  },
  MV557: {
    title: 'Policy left out of the evaluation',
    severity: 'warning',
    explanation: 'The merge has no masks or no router, so this policy does not exist.',
    example: 'masks: none # and evaluate.policies names masked',
  },
  MV558: {
    title: 'Results cannot be imported',
    severity: 'error',
    explanation:
      'A log or result file is of no known form, holds several evaluations, was cut before its first finished episode, or lacks a number that only you can give (such as the rollouts a task of RoboTwin, with --trials). Nothing is written.',
    example: 'mergevla import README.md',
  },
} as const satisfies Record<string, ProblemInfo>;
