import type { ProblemInfo } from './problems';

/** MV530 to MV549: run directories, exports and the command. */
export const runProblems = {
  MV530: {
    title: 'Output place is taken',
    severity: 'error',
    explanation:
      'A run or an export is written only where nothing is, so that no result is lost. An unfinished run of the same place is taken up again.',
    example: 'mergevla merge recipe.mergevla.yaml --out folder-with-files',
  },
  MV531: {
    title: 'Run is being written',
    severity: 'error',
    explanation:
      'Another process works on this run directory; wait for it or choose another place.',
    example: 'two merges with the same --out at once',
  },
  MV532: {
    title: 'System refused',
    severity: 'error',
    explanation:
      'The operating system could not do what was asked: the disk is full, or permission is missing.',
    example: 'a merge onto a full disk',
  },
  MV533: {
    title: 'Not a finished run',
    severity: 'error',
    explanation: 'The folder has no readable run.json, or the run has not come so far yet.',
    example: 'mergevla report some-folder',
  },
  MV534: {
    title: 'No merged checkpoint',
    severity: 'error',
    explanation:
      'The folder holds neither a compact merge nor one in the released MergeVLA layout.',
    example: 'mergevla route zoo/base --images a.png',
  },
  MV535: {
    title: 'Merged checkpoint is incomplete',
    severity: 'error',
    explanation: 'A part of a merged checkpoint is missing or does not fit the others.',
    example: 'a released directory without task2idx.pt',
  },
  MV536: {
    title: 'Dataset statistics do not fit',
    severity: 'error',
    explanation:
      'Experts give different statistics under one name, or the file cannot be read. One task would act with the numbers of another.',
    example: 'two experts whose dataset_statistics.json both say "robot"',
  },
  MV537: {
    title: 'Form cannot hold the merge',
    severity: 'error',
    explanation:
      'The released layout knows masks, the last expert blocks and a router; mergekit knows its own methods. Everything has a place in the compact form.',
    example: 'output: {form: mergevla} with masks: none',
  },
  MV538: {
    title: 'Router cannot be made',
    severity: 'error',
    explanation:
      'The value projections that the router comes from are missing or hold no usable numbers.',
    example: 'router: {value_block: 99}',
  },
  MV539: {
    title: 'Recipe cannot be read',
    severity: 'error',
    explanation: 'There is no such file, or it may not be read.',
    example: 'mergevla check nothing.mergevla.yaml',
  },
  MV540: {
    title: 'Wrong usage',
    severity: 'error',
    explanation: 'A verb or an option does not exist, or a value is missing.',
    example: 'mergevla merge --ot runs/a recipe.mergevla.yaml',
  },
  MV541: {
    title: 'Input has changed',
    severity: 'error',
    explanation:
      'An export repeats the merge from its inputs; with other inputs it would be another merge.',
    example: 'mergevla export runs/a --form weights after the base was replaced',
  },
  MV542: {
    title: 'Device is not there',
    severity: 'error',
    explanation:
      '`mergevla devices` lists what this machine computes with; `auto` takes what is there.',
    example: 'run: {device: cuda:3}',
  },
  MV545: {
    title: 'Not this sweep',
    severity: 'error',
    explanation:
      'The folder is not a whole sweep, holds another one, or has no such point. A sweep is written once and never changed; a changed recipe or input makes another sweep.',
    example: 'mergevla sweep recipe.mergevla.yaml --out runs/other-sweep',
  },
  MV549: {
    title: 'Fault of mergevla',
    severity: 'error',
    explanation:
      'Something happened that the program did not foresee. MERGEVLA_DEBUG=1 shows where.',
    example: 'none is known',
  },
} as const satisfies Record<string, ProblemInfo>;
