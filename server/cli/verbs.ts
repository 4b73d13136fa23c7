import type { VerbSpec } from './verb';

/** Every verb of the command, in the order of its help. A new verb is one entry here. */
export const verbs: readonly VerbSpec[] = [
  {
    name: 'devices',
    summary: 'what this machine computes with, and what each device can run',
    operands: '',
    count: [0, 0],
    options: {},
    load: () => import('./verbs/devices'),
  },
  {
    name: 'report',
    summary: 'tables of one run or of several side by side',
    operands: 'RUN…',
    count: [1, 64],
    options: {
      format: {
        type: 'string',
        value: 'FORM',
        help: 'text (default), markdown, latex, csv, html or json',
      },
    },
    load: () => import('./verbs/report'),
  },
];
