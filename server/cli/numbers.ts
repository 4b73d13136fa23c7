import { usage } from './arguments';
import type { Options } from './verb';

/** An option above zero; undefined when it is not given. Throws MV540 for anything else. */
export function positiveNumber(options: Options, name: string): number | undefined {
  const text = options.text(name);
  if (text === undefined) return undefined;
  const value = Number(text);
  if (text.trim() !== '' && Number.isFinite(value) && value > 0) return value;
  throw usage(`--${name} wants a number above zero, not ${JSON.stringify(text)}`);
}

/** A whole number from `least` up. Throws MV540 for anything else. */
export function wholeNumber(
  options: Options,
  name: string,
  { least, otherwise }: { readonly least: number; readonly otherwise?: number },
): number {
  const text = options.text(name);
  if (text === undefined && otherwise !== undefined) return otherwise;
  const value = Number(text ?? NaN);
  if (text?.trim() !== '' && Number.isSafeInteger(value) && value >= least) return value;
  throw usage(`--${name} wants a whole number from ${String(least)} up`);
}
