import type { Terminal } from './terminal';

/** An option of a verb; every option has a long name only, so that scripts read well. */
export interface OptionSpec {
  readonly type: 'string' | 'boolean';
  /** May be given several times. */
  readonly multiple?: true;
  /** What `--help` prints after the option, such as `DIR`. */
  readonly value?: string;
  readonly help: string;
}

export interface VerbSpec {
  readonly name: string;
  readonly summary: string;
  /** Positionals as usage prints them: `RECIPE`, `RUN…`. */
  readonly operands: string;
  /** Fewest and most positionals. */
  readonly count: readonly [number, number];
  readonly options: Readonly<Record<string, OptionSpec>>;
  /** Loads the code only when the verb is used, which keeps `--version` and `check` quick. */
  readonly load: () => Promise<{ readonly run: (call: Call) => Promise<Outcome> }>;
}

/** One call of a verb with its arguments parsed. */
export interface Call {
  readonly operands: readonly string[];
  readonly options: Options;
  readonly terminal: Terminal;
  readonly signal: AbortSignal;
  /** The whole command as typed, for the run's record. */
  readonly command: readonly string[];
  readonly version: string;
}

export interface Options {
  text(name: string): string | undefined;
  list(name: string): readonly string[];
  flag(name: string): boolean;
}

/** What a verb answers; `main` prints one of the two forms and exits with the code. */
export interface Outcome {
  readonly code: number;
  readonly json: unknown;
  readonly text: string;
  /** Printed instead of `text` under `--quiet`. */
  readonly quiet?: string;
}

export const exitCodes = { done: 0, failed: 1, usage: 2, data: 65, sigint: 130, sigterm: 143 };
