// A generated zoo of Qwen2.5-0.5B's shape (bf16, base and three experts, 3.95 GB) and how a command on it
// is measured. What the benchmarks share.
import { spawnSync } from 'node:child_process';
import { closeSync, fsyncSync, mkdirSync, openSync, writeFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';

export const experts = ['pick_place', 'push_cube', 'stack_cube'];

/** Qwen2.5-0.5B's sizes, every width divided. */
function qwenSizes(divisor) {
  return {
    hidden: 896 / divisor,
    middle: 4864 / divisor,
    kv: 128 / divisor,
    vocabulary: Math.floor(151936 / divisor ** 2),
    layers: 24,
  };
}

function configOf({ hidden, middle, vocabulary, layers }) {
  return {
    model_type: 'qwen2',
    architectures: ['Qwen2ForCausalLM'],
    tie_word_embeddings: true,
    hidden_size: hidden,
    intermediate_size: middle,
    num_hidden_layers: layers,
    num_attention_heads: 14,
    num_key_value_heads: 2,
    vocab_size: vocabulary,
    torch_dtype: 'bfloat16',
  };
}

/** Tied embeddings: 494 million numbers at full size. */
function qwenShapes({ hidden, middle, vocabulary, layers, kv }) {
  const shapes = { 'model.embed_tokens.weight': [vocabulary, hidden] };
  for (let i = 0; i < layers; i++) {
    const at = `model.layers.${i}`;
    shapes[`${at}.input_layernorm.weight`] = [hidden];
    shapes[`${at}.mlp.down_proj.weight`] = [hidden, middle];
    shapes[`${at}.mlp.gate_proj.weight`] = [middle, hidden];
    shapes[`${at}.mlp.up_proj.weight`] = [middle, hidden];
    shapes[`${at}.post_attention_layernorm.weight`] = [hidden];
    for (const [name, rows] of [
      ['k', kv],
      ['q', hidden],
      ['v', kv],
    ]) {
      shapes[`${at}.self_attn.${name}_proj.bias`] = [rows];
      shapes[`${at}.self_attn.${name}_proj.weight`] = [rows, hidden];
    }
    shapes[`${at}.self_attn.o_proj.weight`] = [hidden, hidden];
  }
  shapes['model.norm.weight'] = [hidden];
  return shapes;
}

export function header(shapes, width) {
  const entries = {};
  let at = 0;
  for (const [name, shape] of Object.entries(shapes)) {
    const bytes = shape.reduce((a, b) => a * b, 1) * width;
    entries[name] = { dtype: 'BF16', shape, data_offsets: [at, at + bytes] };
    at += bytes;
  }
  const json = Buffer.from(JSON.stringify(entries));
  const size = Buffer.alloc(8);
  size.writeBigUInt64LE(BigInt(json.length));
  return { bytes: Buffer.concat([size, json]), size: at };
}

/** Uniform 32-bit words; the same for the same seed. */
function words(seed) {
  let s = seed | 1;
  return () => {
    s ^= s << 13;
    s ^= s >>> 17;
    s ^= s << 5;
    return s >>> 0;
  };
}

const float = new Float32Array(1);
const bits = new Uint32Array(float.buffer);
function bf16(value) {
  float[0] = value;
  return (bits[0] + 0x7fff + ((bits[0] >>> 16) & 1)) >>> 16;
}

/**
 * Base weights of standard deviation about 0.02 and experts a fine-tuning step of about 5e-4 away,
 * drawn for a million numbers and repeated with another shift in every million, because drawing all
 * would take minutes.
 */
export function writeZoo(folder, divisor) {
  const sizes = qwenSizes(divisor);
  const { bytes, size } = header(qwenShapes(sizes), 2);
  const config = `${JSON.stringify(configOf(sizes))}\n`;
  const period = 1 << 20;
  const next = words(20_251_118);
  const normal = () => (next() + next() + next() + next() - 2 * 0xffffffff) / 0xffffffff / 0.577;
  const base = Float32Array.from({ length: period }, () => 0.02 * normal());
  const tables = [Uint16Array.from(base, bf16)];
  for (let m = 0; m < experts.length; m++)
    tables.push(Uint16Array.from(base, (b) => bf16(b + 5e-4 * normal())));
  ['base', ...experts].forEach((name, model) => {
    const path = join(folder, name);
    mkdirSync(path, { recursive: true });
    writeFileSync(join(path, 'config.json'), config);
    const file = openSync(join(path, 'model.safetensors'), 'w');
    writeSync(file, bytes);
    const table = Buffer.from(tables[model].buffer);
    for (let at = 0, turn = 0; at < size; at += table.length, turn++) {
      // Base and experts turn alike, so that differences stay small.
      const shift = ((turn * 40_503) % period) * 2;
      const rest = Math.min(table.length, size - at);
      const turned = Buffer.concat([table.subarray(shift), table.subarray(0, shift)]);
      writeSync(file, turned, 0, rest);
    }
    fsyncSync(file);
    closeSync(file);
  });
  return size * 4;
}

/** Runs a command and measures it: processor seconds of all its threads, wall time, peak memory. */
export function measured(args, command = process.execPath) {
  const start = performance.now();
  const time = spawnSync('/usr/bin/time', ['-f', '%U %S %M', command, ...args], {
    encoding: 'utf8',
    maxBuffer: 1 << 28,
  });
  const wall = (performance.now() - start) / 1000;
  if (time.error) throw new Error('bench needs /usr/bin/time', { cause: time.error });
  if (time.status !== 0) throw new Error(time.stderr || time.stdout);
  const [user, system, memory] = time.stderr.trim().split('\n').at(-1).split(' ').map(Number);
  return { wall, cpu: user + system, memory: memory / 1024 };
}
