import { commonOptions } from './arguments';
import { formatPairs } from './table';
import type { Style } from './style';
import type { OptionSpec, VerbSpec } from './verb';

export function helpForAll(verbs: readonly VerbSpec[], style: Style): string {
  const list = verbs.map((verb) => [`  ${verb.name} ${verb.operands}`, verb.summary] as const);
  return [
    `${style.bold('mergevla')} merges fine-tuned vision-language-action policies from one recipe`,
    '',
    'Usage: mergevla VERB [OPTIONS] …',
    '',
    formatPairs(list, style),
    '',
    'Every verb takes --json, --quiet, --no-color and --help. `mergevla --version` prints the version.',
    'Exit status: 0 done, 1 failed, 2 wrong usage, 65 bad recipe or data, 130 and 143 interrupted.',
  ].join('\n');
}

export function helpForVerb(verb: VerbSpec, style: Style): string {
  const own = Object.entries(verb.options).map(describeOption);
  const common = Object.entries(commonOptions).map(describeOption);
  return [
    `Usage: mergevla ${verb.name} ${verb.operands}${own.length > 0 ? ' [OPTIONS]' : ''}`,
    '',
    `${verb.summary}.`,
    '',
    formatPairs([...own, ...common], style),
  ].join('\n');
}

function describeOption([name, spec]: readonly [string, OptionSpec]): readonly [string, string] {
  const value = spec.type === 'string' ? ` ${spec.value ?? 'VALUE'}` : '';
  return [`  --${name}${value}`, spec.help];
}
