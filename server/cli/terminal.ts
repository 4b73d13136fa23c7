import { makeLiveArea, silentArea, type LiveArea } from './live-area';
import { makeProgressBar, type ProgressBar } from './progress';
import { makeStyle, wantsColour, type Style } from './style';

export interface TerminalOptions {
  readonly json: boolean;
  readonly quiet: boolean;
  readonly noColor: boolean;
}

/** The two streams of a command: results on stdout, everything about the work on stderr. */
export interface Terminal {
  readonly options: TerminalOptions;
  /** For what goes to stdout. */
  readonly style: Style;
  /** For what goes to stderr. */
  readonly noteStyle: Style;
  readonly progress: ProgressBar;
  /** Several lines on stderr that change while the work goes on. */
  readonly area: LiveArea;
  /** A line on stderr about the work; not under `--quiet`. */
  note(text: string): void;
  /** A line on stderr that is never left out. */
  complain(text: string): void;
  /** The result. */
  print(text: string): void;
}

export function makeTerminal(options: TerminalOptions): Terminal {
  const environment = process.env;
  const style = makeStyle(
    !options.json && wantsColour(process.stdout, environment, options.noColor),
  );
  const noteStyle = makeStyle(wantsColour(process.stderr, environment, options.noColor));
  const isWatched = process.stderr.isTTY && !options.quiet && environment['TERM'] !== 'dumb';
  const progress = isWatched ? makeProgressBar(process.stderr, noteStyle) : silentBar;
  const area = isWatched ? makeLiveArea(process.stderr) : silentArea;
  const clear = (): void => {
    progress.clear();
    area.clear();
  };
  const complain = (text: string): void => {
    clear();
    process.stderr.write(`${text}\n`);
  };
  return {
    options,
    style,
    noteStyle,
    progress,
    area,
    complain,
    note: (text) => {
      if (!options.quiet) complain(text);
    },
    print: (text) => {
      clear();
      if (text !== '') process.stdout.write(text.endsWith('\n') ? text : `${text}\n`);
    },
  };
}

const silentBar: ProgressBar = { update: () => undefined, clear: () => undefined };
