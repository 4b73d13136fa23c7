import type { ProblemInfo } from './problems';

/** MV592 to MV594: jobs that the editor could not start. */
export const editorProblems = {
  MV594: {
    title: 'Workspace not trusted',
    severity: 'error',
    explanation:
      'Jobs read and write files and start processes, so the editor starts none until the workspace is trusted.',
    example: 'Merge in a folder opened in restricted mode',
  },
  MV592: {
    title: 'Recipe not saved',
    severity: 'error',
    explanation:
      'Paths are relative to the recipe, and jobs read it from disk: it has to be saved to a file first.',
    example: 'Merge in an untitled document',
  },
  MV593: {
    title: 'Job did not start',
    severity: 'error',
    explanation:
      'The job ended before it wrote a run directory. Its last words are the message; more is in `.jobs.log` beside the runs.',
    example: 'an output directory on a disk that is gone',
  },
} as const satisfies Record<string, ProblemInfo>;
