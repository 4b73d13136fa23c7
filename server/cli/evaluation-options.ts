import { policyNames } from '../recipe/defaults';
import type { Evaluate } from '../recipe/schema';
import { nearest } from '../recipe/suggest';
import { usage } from './arguments';
import type { Options, OptionSpec } from './verb';

/** Options of `evaluate` and `run`: each replaces a key of the recipe's `evaluate`. */
export const evaluationOptions: Readonly<Record<string, OptionSpec>> = {
  out: { type: 'string', value: 'DIR', help: 'makes DIR the run, or goes on with the run there' },
  episodes: { type: 'string', value: 'N', help: 'episodes for each policy and task' },
  policies: {
    type: 'string',
    value: 'A,B',
    help: `of ${policyNames.join(', ')}`,
  },
  seed: { type: 'string', value: 'N', help: 'first episode' },
  range: {
    type: 'string',
    value: 'NAME',
    help: 'seeds: test (default), or validation for choosing settings',
  },
  execute: { type: 'string', value: 'N', help: 'actions executed of each chunk' },
  'max-steps': { type: 'string', value: 'N', help: 'steps after which an episode has failed' },
  shift: { type: 'string', value: 'NAME', help: 'none or colours (default)' },
  workers: { type: 'string', value: 'N', help: 'processes side by side; results do not change' },
  device: { type: 'string', value: 'NAME', help: 'cpu (default), or one that devices names' },
};

export function evaluateOptions(options: Options): Partial<Evaluate> {
  const episodes = wholeOption(options, 'episodes', [1, 100_000]);
  const seed = wholeOption(options, 'seed', [0, 2 ** 32 - 1]);
  const execute = wholeOption(options, 'execute', [1, 4096]);
  const steps = wholeOption(options, 'max-steps', [1, 1_000_000]);
  const shift = oneOf(options, 'shift', ['none', 'colours']);
  const range = oneOf(options, 'range', ['test', 'validation']);
  const policies = policiesOf(options.text('policies'));
  workersOption(options);
  return {
    ...(episodes !== undefined && { episodes }),
    ...(seed !== undefined && { seed }),
    ...(execute !== undefined && { execute }),
    ...(steps !== undefined && { max_steps: steps }),
    ...(shift !== undefined && { shift }),
    ...(range !== undefined && { range }),
    ...(policies && { policies }),
  };
}

function oneOf<Name extends string>(
  options: Options,
  option: string,
  names: readonly Name[],
): Name | undefined {
  const text = options.text(option);
  if (text === undefined) return undefined;
  const found = names.find((name) => name === text);
  if (found !== undefined) return found;
  throw usage(`--${option} takes ${names.join(' or ')}, not ${text}`);
}

export const workersOption = (options: Options): number | undefined =>
  wholeOption(options, 'workers', [1, 1024]);

/** As the recipe's schema bounds the same keys. */
function wholeOption(
  options: Options,
  name: string,
  [least, most]: readonly [number, number],
): number | undefined {
  const text = options.text(name);
  if (text === undefined) return undefined;
  const value = Number(text);
  if (/^\d+$/.test(text) && value >= least && value <= most) return value;
  throw usage(`--${name} takes a whole number from ${least} to ${most}, not ${text}`);
}

function policiesOf(text: string | undefined): Evaluate['policies'] | undefined {
  if (text === undefined) return undefined;
  const names = text.split(',').map((name) => name.trim());
  return names.map((name) => {
    const policy = policyNames.find((known) => known === name);
    if (policy) return policy;
    const near = nearest(name, [...policyNames]);
    const hint = near ? `did you mean ${near}` : `they are ${policyNames.join(', ')}`;
    throw usage(`--policies: ${JSON.stringify(name)} is no policy; ${hint}`);
  });
}
