/** Paints text for one stream; without colour every function gives its text back. */
export interface Style {
  readonly colour: boolean;
  readonly bold: (text: string) => string;
  readonly dim: (text: string) => string;
  readonly red: (text: string) => string;
  readonly yellow: (text: string) => string;
  readonly green: (text: string) => string;
  readonly cyan: (text: string) => string;
}

export function makeStyle(colour: boolean): Style {
  const paint = (from: number, to: number) => (text: string) =>
    colour ? `\x1b[${from}m${text}\x1b[${to}m` : text;
  return {
    colour,
    bold: paint(1, 22),
    dim: paint(2, 22),
    red: paint(31, 39),
    yellow: paint(33, 39),
    green: paint(32, 39),
    cyan: paint(36, 39),
  };
}

/** Colours only where a person looks: a terminal, unless NO_COLOR or the option forbids them. */
export function wantsColour(
  stream: { readonly isTTY?: boolean },
  environment: NodeJS.ProcessEnv,
  forbidden: boolean,
): boolean {
  const no = environment['NO_COLOR'];
  if (forbidden || (no !== undefined && no !== '') || environment['TERM'] === 'dumb') return false;
  return stream.isTTY === true;
}

// eslint-disable-next-line no-control-regex -- escape sequences are what is looked for
const escapes = /\x1b\[[0-9;]*m/g;

/** Columns that text takes on a terminal, without its colours. */
export function width(text: string): number {
  return [...text.replace(escapes, '')].length;
}

export function padEnd(text: string, columns: number): string {
  return text + ' '.repeat(Math.max(0, columns - width(text)));
}

export function padStart(text: string, columns: number): string {
  return ' '.repeat(Math.max(0, columns - width(text))) + text;
}
