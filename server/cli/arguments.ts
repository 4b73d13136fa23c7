import { parseArgs } from 'node:util';
import { MergeError } from '../protocol/merge-error';
import { globFault } from '../recipe/globs';
import { nearest } from '../recipe/suggest';
import type { Options, OptionSpec, VerbSpec } from './verb';

export const commonOptions: Readonly<Record<string, OptionSpec>> = {
  json: { type: 'boolean', help: 'one JSON document on stdout, diagnostics on stderr' },
  quiet: { type: 'boolean', help: 'no progress and no notes' },
  'no-color': { type: 'boolean', help: 'plain text, also on a terminal' },
  help: { type: 'boolean', help: 'this text' },
};

export interface ParsedArguments {
  readonly operands: readonly string[];
  readonly options: Options;
}

type Values = Readonly<Record<string, string | boolean | (string | boolean)[] | undefined>>;

/** Options may stand before, between and after operands. Throws MV540 for wrong usage. */
export function parseArguments(verb: VerbSpec, args: readonly string[]): ParsedArguments {
  const specs: Readonly<Record<string, OptionSpec>> = { ...verb.options, ...commonOptions };
  const { values, positionals, tokens } = parseArgs({
    args: [...args],
    options: Object.fromEntries(
      Object.entries(specs).map(([name, { type, multiple = false }]) => [name, { type, multiple }]),
    ),
    strict: false,
    allowPositionals: true,
    tokens: true,
  });
  for (const token of tokens) if (token.kind === 'option') checkOption(verb, specs, token);
  const options = optionsOf(values);
  if (!options.flag('help')) checkCount(verb, positionals);
  return { operands: positionals, options };
}

interface OptionToken {
  readonly name: string;
  readonly rawName: string;
  readonly value?: string | undefined;
  readonly inlineValue?: boolean | undefined;
}

function checkOption(
  verb: VerbSpec,
  specs: Readonly<Record<string, OptionSpec>>,
  token: OptionToken,
): void {
  const spec = Object.hasOwn(specs, token.name) ? specs[token.name] : undefined;
  if (!spec) {
    const near = nearest(token.name, Object.keys(specs));
    const hint = near ? `; did you mean --${near}` : '';
    throw usage(`mergevla ${verb.name} has no option ${token.rawName}${hint}`);
  }
  checkValue(spec, token);
}

function checkValue(spec: OptionSpec, token: OptionToken): void {
  if (spec.type === 'boolean') {
    if (token.value !== undefined) throw usage(`${token.rawName} takes no value`);
    return;
  }
  // A following option is no value; a negative number is one.
  const isMissing =
    token.value === undefined ||
    token.value === '' ||
    (token.inlineValue !== true && /^-[^\d]/.test(token.value));
  if (isMissing)
    throw usage(`${token.rawName} needs a value: ${token.rawName} ${spec.value ?? 'VALUE'}`);
  if (spec.value === 'GLOB') checkGlob(token);
}

function checkGlob({ rawName, value = '' }: OptionToken): void {
  const fault = globFault(value);
  if (fault !== undefined) throw usage(`the glob ${rawName} ${value} cannot be used: ${fault}`);
}

function checkCount(verb: VerbSpec, operands: readonly string[]): void {
  const [least, most] = verb.count;
  const form = `mergevla ${verb.name} ${verb.operands}`.trim();
  if (operands.length < least) throw usage(`mergevla ${verb.name} needs ${verb.operands}: ${form}`);
  if (operands.length > most)
    throw usage(
      `mergevla ${verb.name} does not take ${JSON.stringify(operands[most])}; its form is ${form}`,
    );
}

function optionsOf(values: Values): Options {
  return {
    text(name) {
      const value = values[name];
      return typeof value === 'string' ? value : undefined;
    },
    list(name) {
      const value = values[name];
      return Array.isArray(value) ? value.filter((item) => typeof item === 'string') : [];
    },
    flag: (name) => values[name] === true,
  };
}

export function usage(message: string): MergeError {
  return new MergeError('MV540', message, { fault: 'usage' });
}
