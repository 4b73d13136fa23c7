import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Tokenizer } from '@huggingface/tokenizers';
import type { PolicyEntry } from './config';
import { badObservation, badTokenizer } from './errors';

export interface PromptLimits {
  /** Rows of the embedding: every id must be below. */
  readonly vocabulary: number;
  /** Most prompt tokens that fit into the context beside patches and queries. */
  readonly tokens: number;
}

/** Instruction to token ids, with the checkpoint's own tokenizer (reference: policy forward §3). */
export class PromptTokenizer {
  private readonly cache = new Map<string, readonly number[]>();

  constructor(
    private readonly tokenizer: Tokenizer,
    private readonly entry: PolicyEntry,
    private readonly limits: PromptLimits,
  ) {}

  /** Throws MV573 when `tokenizer.json` or `tokenizer_config.json` is missing or unusable. */
  static load(folder: string, entry: PolicyEntry, limits: PromptLimits): PromptTokenizer {
    const [model, config] = ['tokenizer.json', 'tokenizer_config.json'].map((name) =>
      readJson(join(folder, name)),
    );
    try {
      return new PromptTokenizer(new Tokenizer(model ?? {}, config ?? {}), entry, limits);
    } catch (cause) {
      const why = cause instanceof Error ? cause.message : String(cause);
      throw badTokenizer(`${join(folder, 'tokenizer.json')} cannot be used: ${why}`, cause);
    }
  }

  /** Ids of the whole prompt, without the stop token. */
  encode(instruction: string): readonly number[] {
    const known = this.cache.get(instruction);
    if (known) return known;
    if (instruction.trim() === '') throw badObservation('the instruction is empty');
    const ids = this.tokenizer.encode(this.prompt(instruction), { add_special_tokens: false }).ids;
    this.check(ids, instruction);
    // Instructions of a benchmark are few; a client that invents new ones must not fill the memory.
    if (this.cache.size >= 256) this.cache.clear();
    this.cache.set(instruction, ids);
    return ids;
  }

  /** The instruction inside the template. Replacement text is not interpreted. */
  prompt(instruction: string): string {
    const text = this.entry.lower_case ? instruction.toLowerCase() : instruction;
    return this.entry.prompt.replace('{instruction}', () => text);
  }

  private check(ids: readonly number[], instruction: string): void {
    if (ids.length > this.limits.tokens)
      throw badObservation(
        `the instruction ${JSON.stringify(shorten(instruction))} gives ${ids.length} tokens; ${this.limits.tokens} fit into the model's context`,
      );
    const beyond = ids.find((id) => id >= this.limits.vocabulary);
    if (beyond !== undefined)
      throw badTokenizer(
        `the tokenizer gives id ${beyond}, but the embedding has ${this.limits.vocabulary} rows; it belongs to another model`,
      );
  }
}

function shorten(text: string): string {
  return text.length > 60 ? `${text.slice(0, 57)}…` : text;
}

function readJson(path: string): object {
  try {
    const value: unknown = JSON.parse(readFileSync(path, 'utf8'));
    if (typeof value === 'object' && value !== null) return value;
  } catch (cause) {
    const why =
      cause instanceof Error && 'code' in cause && cause.code === 'ENOENT'
        ? 'is missing; the policy needs the tokenizer it was trained with'
        : 'is not valid JSON';
    throw badTokenizer(`${path} ${why}`, cause);
  }
  throw badTokenizer(`${path} holds no object`);
}
