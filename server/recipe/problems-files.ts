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
  MV460: {
    title: 'Not a number',
    severity: 'error',
    explanation:
      'A tensor holds NaN or infinity, which would spread through the merge. `--allow-nonfinite` goes on and reports it.',
    example: 'a checkpoint of a diverged training run',
  },
  MV461: {
    title: 'Overflow',
    severity: 'error',
    explanation:
      'A merged number is too large for the output dtype. `--allow-nonfinite` writes infinity and reports it.',
    example: 'output: {dtype: float16} # with weights above 65504',
  },
  MV462: {
    title: 'Integers differ',
    severity: 'error',
    explanation:
      'Integer and boolean tensors cannot be merged, so they have to be equal in base and experts.',
    example: 'experts with different position tables',
  },
  MV463: {
    title: 'Method not available',
    severity: 'error',
    explanation: 'The recipe language knows the method; this version cannot run it yet.',
    example: 'merge: {method: tsv}',
  },
  MV464: {
    title: 'No native arithmetic',
    severity: 'error',
    explanation:
      'Only `average`, `task_arithmetic` and `ties` have a released rule to repeat bit for bit.',
    example: 'merge: {method: slerp, precision: native}',
  },
  MV465: {
    title: 'Directions that nothing determines',
    severity: 'warning',
    explanation:
      'Iso-C and Iso-CTS give every direction of a matrix the same size. Adapters of low rank determine few of them; the rest can be rounding noise. `rank_tolerance` leaves it out.',
    example: 'four LoRA experts of rank 32 under merge: {method: iso_c} # 128 of 896 directions',
  },
  MV466: {
    title: 'Merged vector is partly noise',
    severity: 'warning',
    explanation:
      'Much of the result lies in directions whose singular value is below a thousandth of the largest. `report.json` has the share of each matrix under `spectral`.',
    example: 'merge: {method: iso_c} # experts that differ from the base in few directions',
  },
  MV467: {
    title: 'Matrix does not fit into memory',
    severity: 'error',
    explanation:
      'Spectral methods hold one whole matrix of every expert at a time. Raise `run.memory`, or leave the tensor out of `merge.scope`.',
    example: 'merge: {method: tsv} # with a changed embedding of 151,936 rows',
  },
  MV468: {
    title: 'Hours of iterations',
    severity: 'error',
    explanation:
      'WUDI iterates on every matrix, which takes hours without a GPU. `--accept-hours N` agrees to at most N.',
    example: 'mergevla merge wudi.mergevla.yaml',
  },
  MV469: {
    title: 'Less memory allowed than needed',
    severity: 'warning',
    explanation:
      'Threads read in smaller pieces when `run.memory` is small, and below this they cannot. Raise `run.memory`, or set `run.threads` to 1.',
    example: 'run: {memory: 64MiB}',
  },
} as const satisfies Record<string, ProblemInfo>;
