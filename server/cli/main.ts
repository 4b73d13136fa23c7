import { widenDiskThreads } from '../jobs/sketch/disk-threads';
import { nearest } from '../recipe/suggest';
import { parseArguments, usage } from './arguments';
import { reportFailure } from './failure';
import { helpForAll, helpForVerb } from './help';
import { listenForSignals } from './signals';
import { makeTerminal, type Terminal } from './terminal';
import { exitCodes, type Outcome, type VerbSpec } from './verb';
import { verbs } from './verbs';

/** Set by the bundler. */
declare const MERGEVLA_VERSION: string | undefined;
const version = typeof MERGEVLA_VERSION === 'string' ? MERGEVLA_VERSION : 'development';

widenDiskThreads();
const [name = '', ...args] = process.argv.slice(2);
const terminal = makeTerminal({
  json: args.includes('--json'),
  quiet: args.includes('--quiet'),
  noColor: process.argv.includes('--no-color'),
});
const signals = listenForSignals();

// A reader that has seen enough, such as `head`, is no failure of ours.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  process.exit(error.code === 'EPIPE' ? exitCodes.done : exitCodes.failed);
});

void main().then((code) => {
  terminal.progress.clear();
  terminal.area.clear();
  process.exitCode = code;
  signals.stop();
});

async function main(): Promise<number> {
  try {
    return await dispatch();
  } catch (error) {
    return reportFailure(error, terminal, signals.exitCode());
  }
}

async function dispatch(): Promise<number> {
  if (name === '--version' || name === 'version') return answer({ version }, version);
  if (name === 'help' && args[0] !== undefined && !args[0].startsWith('-'))
    return explain(findVerb(args[0]));
  if (name === '--help' || name === 'help' || name === '-h')
    return answer({ verbs: verbs.map((verb) => verb.name) }, helpForAll(verbs, terminal.style));
  if (name === '') {
    terminal.complain(helpForAll(verbs, terminal.noteStyle));
    return exitCodes.usage;
  }
  return call(findVerb(name));
}

async function call(verb: VerbSpec): Promise<number> {
  const { operands, options } = parseArguments(verb, args);
  if (options.flag('help')) return explain(verb);
  const { run } = await verb.load();
  const outcome = await run({
    operands,
    options,
    terminal,
    signal: signals.signal,
    command: ['mergevla', ...process.argv.slice(2)],
    version,
  });
  print(outcome, terminal);
  return outcome.code;
}

function explain(verb: VerbSpec): number {
  return answer({ verb: verb.name }, helpForVerb(verb, terminal.style));
}

function answer(json: unknown, text: string): number {
  print({ code: 0, json, text, quiet: text }, terminal);
  return exitCodes.done;
}

function print({ json, text, quiet }: Outcome, to: Terminal): void {
  if (to.options.json) to.print(JSON.stringify(json, undefined, 2));
  else to.print(to.options.quiet ? (quiet ?? text) : text);
}

function findVerb(word: string): VerbSpec {
  const verb = verbs.find((candidate) => candidate.name === word);
  if (verb) return verb;
  const names = verbs.map((candidate) => candidate.name);
  const near = nearest(word, names);
  throw usage(
    `mergevla has no verb ${JSON.stringify(word)}; ${near ? `did you mean ${near}` : `its verbs are ${names.join(', ')}`}`,
  );
}
