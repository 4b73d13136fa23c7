import { MergeError } from '../protocol/merge-error';
import { isObject, readJsonObject } from './json-file';

/** The fields of `adapter_config.json` that decide what the adapter adds. */
export interface AdapterConfig {
  readonly alpha: number;
  readonly alphaPattern: Readonly<Record<string, number>>;
  readonly rslora: boolean;
  readonly fanInFanOut: boolean;
  readonly modulesToSave: readonly string[];
}

/** Reads and checks `adapter_config.json`. Throws `MergeError` MV440, or MV441 for DoRA. */
export async function readAdapterConfig(path: string): Promise<AdapterConfig> {
  const json = await readJsonObject(path, 'MV440');
  const type = json['peft_type'];
  if (type !== 'LORA')
    throw new MergeError(
      'MV440',
      `${path} does not have "peft_type": "LORA"; only LoRA can be merged`,
    );
  if (json['use_dora'] === true) throw doraRefused(path);
  const saved = json['modules_to_save'];
  return {
    alpha: positive(json['lora_alpha'], `${path} has no valid "lora_alpha"`),
    alphaPattern: pattern(json['alpha_pattern'], `${path} has no valid "alpha_pattern"`),
    rslora: json['use_rslora'] === true,
    fanInFanOut: json['fan_in_fan_out'] === true,
    modulesToSave: Array.isArray(saved) ? saved.filter((name) => typeof name === 'string') : [],
  };
}

/** DoRA scales each row by a norm of base plus delta, so it is no sum that could be merged. */
export function doraRefused(path: string): MergeError {
  return new MergeError(
    'MV441',
    `${path} is a DoRA adapter, which is not a plain sum onto the base; give the fused checkpoint instead`,
  );
}

/**
 * scale = alpha / r, or alpha / √r with rslora, r being the rows of A. A pattern key names a module
 * by its whole path or by its end, and may be a regular expression (PEFT: `(.*\.)?key$`).
 */
export function adapterScale(config: AdapterConfig, module: string, rank: number): number {
  const alpha = matchPattern(config.alphaPattern, module) ?? config.alpha;
  return alpha / (config.rslora ? Math.sqrt(rank) : rank);
}

function matchPattern(
  patterns: Readonly<Record<string, number>>,
  module: string,
): number | undefined {
  for (const [key, value] of Object.entries(patterns)) if (endsLike(module, key)) return value;
  return undefined;
}

/** Wildcards seen in real pattern keys; a file's own regular expression could run for ever. */
const wildcard = /\.\*|\\d\+|\[0-9\]\+/;

function endsLike(module: string, key: string): boolean {
  const plain = key.replace(/^\^|\$$/g, '').replaceAll('\\.', '.');
  const pieces = plain.split(wildcard);
  if (!key.startsWith('^') && (module === plain || module.endsWith(`.${plain}`))) return true;
  if (pieces.length === 1) return module === plain;
  return matchesPieces(module, key.startsWith('^') ? pieces : ['', ...pieces]);
}

/** True when the pieces stand in `module` in order, the first at its start, the last at its end. */
function matchesPieces(module: string, pieces: readonly string[]): boolean {
  const first = pieces[0] ?? '';
  const last = pieces.at(-1) ?? '';
  if (!module.startsWith(first) || !module.endsWith(last)) return false;
  let position = first.length;
  for (const piece of pieces.slice(1, -1)) {
    const found = module.indexOf(piece, position);
    if (found < 0) return false;
    position = found + piece.length;
  }
  return position + last.length <= module.length;
}

function positive(value: unknown, otherwise: string): number {
  if (typeof value === 'number' && Number.isFinite(value) && value > 0) return value;
  throw new MergeError('MV440', otherwise);
}

function pattern(value: unknown, otherwise: string): Readonly<Record<string, number>> {
  const numbers: Record<string, number> = {};
  if (value === undefined || value === null) return numbers;
  if (!isObject(value)) throw new MergeError('MV440', otherwise);
  for (const [key, number] of Object.entries(value)) {
    const plain = key.replace(/^\^|\$$/g, '').replaceAll('\\.', '.');
    if (!plain.split(wildcard).every((piece) => /^[\w.-]*$/.test(piece)))
      throw new MergeError('MV440', `${otherwise}: the pattern "${key}" is not supported`);
    numbers[key] = positive(number, otherwise);
  }
  return numbers;
}
