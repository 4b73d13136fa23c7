// `npm run bench:policy`: a policy of full size with random weights, written once to a temporary folder:
// session creation, one masked pass, routing over four tasks, one action; seconds and peak memory.
import { spawnSync } from 'node:child_process';
import {
  closeSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  openSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const root = fileURLToPath(new URL('..', import.meta.url));
const folder = process.env.MERGEVLA_BENCH_FOLDER ?? join(tmpdir(), 'mergevla-bench-policy');
const tasks = ['spatial', 'object', 'goal', 'long'];
/** Stated limits: peak memory against float32 weights, and routing against M single passes. */
const limits = { memory: 1.3, routing: 1.1 };

const width = 896;
const layers = 24;
const towers = [
  {
    prefix: 'vision_backbone.featurizer.',
    width: 1024,
    mlp: 4096,
    depth: 24,
    scale: true,
    registers: 4,
  },
  {
    prefix: 'vision_backbone.fused_featurizer.',
    width: 1152,
    mlp: 4304,
    depth: 27,
    scale: false,
    registers: 0,
  },
];

/** Names and shapes of the VLM: Qwen2.5-0.5B, DINOv2-L, SigLIP-so400m. */
function modelTensors() {
  const out = [['action_queries.weight', [64, width]]];
  const linear = (name, rows, columns, bias = true) => {
    out.push([`${name}.weight`, [rows, columns]]);
    if (bias) out.push([`${name}.bias`, [rows]]);
  };
  const norm = (name, size, bias) => {
    out.push([`${name}.weight`, [size]]);
    if (bias) out.push([`${name}.bias`, [size]]);
  };
  for (const t of towers) {
    out.push([`${t.prefix}patch_embed.proj.weight`, [t.width, 3, 14, 14]]);
    out.push([`${t.prefix}patch_embed.proj.bias`, [t.width]]);
    out.push([`${t.prefix}pos_embed`, [1, 256, t.width]]);
    if (t.registers > 0) {
      out.push([`${t.prefix}cls_token`, [1, 1, t.width]]);
      out.push([`${t.prefix}reg_token`, [1, t.registers, t.width]]);
    }
    for (let i = 0; i < t.depth; i++) {
      const block = `${t.prefix}blocks.${i}.`;
      norm(`${block}norm1`, t.width, true);
      norm(`${block}norm2`, t.width, true);
      linear(`${block}attn.qkv`, 3 * t.width, t.width);
      linear(`${block}attn.proj`, t.width, t.width);
      linear(`${block}mlp.fc1`, t.mlp, t.width);
      linear(`${block}mlp.fc2`, t.width, t.mlp);
      if (t.scale)
        for (const ls of ['ls1', 'ls2']) out.push([`${block}${ls}.scale_factor`, [t.width]]);
    }
  }
  linear('projector.fc1', 8704, 2176);
  linear('projector.fc2', width, 8704);
  linear('projector.fc3', width, width);
  out.push(['language_model.model.embed_tokens.weight', [151936, width]]);
  norm('language_model.model.norm', width, false);
  for (let i = 0; i < layers; i++) {
    const layer = `language_model.model.layers.${i}.`;
    norm(`${layer}input_layernorm`, width, false);
    norm(`${layer}post_attention_layernorm`, width, false);
    linear(`${layer}self_attn.q_proj`, width, width);
    linear(`${layer}self_attn.k_proj`, 128, width);
    linear(`${layer}self_attn.v_proj`, 128, width);
    linear(`${layer}self_attn.o_proj`, width, width, false);
    linear(`${layer}mlp.gate_proj`, 4864, width, false);
    linear(`${layer}mlp.up_proj`, 4864, width, false);
    linear(`${layer}mlp.down_proj`, width, 4864, false);
  }
  return out;
}

/** The matrices that fine-tuning changes: what the merged vector holds and the masks cover. */
const isMerged = ([name, shape]) =>
  shape.length === 2 &&
  /blocks|layers|projector/.test(name) &&
  !/\.(23|26)\./.test(name.replace(/layers\.\d+/, ''));

function headTensors() {
  const shared = [];
  const own = [];
  const put = (to, name, ...shape) => to.push([`action_head.model.${name}`, shape]);
  put(shared, 'layer_norm1.weight', 7 * width);
  put(shared, 'layer_norm1.bias', 7 * width);
  put(shared, 'fc1.weight', width, 7 * width);
  put(shared, 'fc1.bias', width);
  for (let i = 0; i < layers; i++) {
    const to = i === layers - 1 ? own : shared;
    const block = `mlp_resnet_blocks.${i}.`;
    for (const part of [
      'q_proj_adapter',
      'k_adapter',
      'v_adapter',
      'q_proj_task',
      'k_task',
      'v_task',
      'o_proj',
      'ffn.1',
    ]) {
      put(to, `${block}${part}.weight`, width, width);
      put(to, `${block}${part}.bias`, width);
    }
    put(to, `${block}ffn.0.weight`, width);
    put(to, `${block}ffn.0.bias`, width);
    put(to, `${block}gating_factor`, 1);
  }
  put(own, 'layer_norm2.weight', width);
  put(own, 'layer_norm2.bias', width);
  put(own, 'fc2.weight', 7, width);
  put(own, 'fc2.bias', 7);
  const projector = [
    ['proprio_projector.fc1.weight', [width, 8]],
    ['proprio_projector.fc1.bias', [width]],
    ['proprio_projector.fc2.weight', [width, width]],
    ['proprio_projector.fc2.bias', [width]],
  ];
  const each = tasks.flatMap((task) => own.map(([name, shape]) => [`${task}/${name}`, shape]));
  return [...shared, ...projector, ['action_queries.weight', [64, width]], ...each];
}

const elements = (shape) => shape.reduce((product, n) => product * n, 1);

/** Random bfloat16 numbers of the given spread; one block, written again and again. */
function randomBlock(spread) {
  const block = Buffer.alloc(8 << 20);
  let state = 1;
  for (let i = 0; i < block.length; i += 2) {
    let sum = -2;
    for (let k = 0; k < 4; k++) {
      state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
      sum += state / 2 ** 32;
    }
    const scratch = new Float32Array([sum * 1.73 * spread]);
    block.writeUInt16LE(new Uint32Array(scratch.buffer)[0] >>> 16, i);
  }
  return block;
}

function writeTensors(path, tensors, { dtype, bytes, block }) {
  if (existsSync(path)) return;
  const header = {};
  let offset = 0;
  for (const [name, shape] of tensors) {
    const size = elements(shape) * bytes;
    header[name] = { dtype, shape, data_offsets: [offset, offset + size] };
    offset += size;
  }
  const text = Buffer.from(
    JSON.stringify(header).padEnd(Math.ceil(JSON.stringify(header).length / 8) * 8),
  );
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(text.length));
  const file = openSync(path, 'w');
  writeSync(file, length);
  writeSync(file, text);
  for (let left = offset; left > 0; left -= block.length)
    writeSync(file, block, 0, Math.min(left, block.length));
  closeSync(file);
}

function writeCheckpoints() {
  const base = join(folder, 'base');
  const merged = join(folder, 'run', 'merged');
  mkdirSync(base, { recursive: true });
  mkdirSync(merged, { recursive: true });
  const model = modelTensors();
  const vector = model.filter(isMerged);
  const weights = { dtype: 'BF16', bytes: 2, block: randomBlock(0.02) };
  writeTensors(join(base, 'model.safetensors'), model, weights);
  writeTensors(join(merged, 'task_vector.safetensors'), vector, {
    ...weights,
    block: randomBlock(0.0005),
  });
  writeTensors(join(merged, 'rest.safetensors'), headTensors(), weights);
  const bits = Buffer.alloc(1 << 20, 0xa6);
  const masks = tasks.flatMap((task) =>
    vector.map(([name, shape]) => [`${task}/${name}`, [Math.ceil(elements(shape) / 8)]]),
  );
  writeTensors(join(merged, 'masks.safetensors'), masks, { dtype: 'U8', bytes: 1, block: bits });
  const bases = tasks.flatMap((task) =>
    ['task', 'action'].map((path) => [`${task}/${path}`, [8, width]]),
  );
  writeTensors(join(merged, 'router.safetensors'), bases, weights);
  const series = (size) => ({ q01: Array(size).fill(-1), q99: Array(size).fill(1) });
  const statistics = Object.fromEntries(
    tasks.map((task) => [task, { action: series(7), proprio: series(8) }]),
  );
  const config = {
    image_sizes: [224, 224],
    text_config: {
      hidden_size: width,
      intermediate_size: 4864,
      num_attention_heads: 14,
      num_key_value_heads: 2,
      num_hidden_layers: layers,
      rope_theta: 1e6,
    },
  };
  const manifest = {
    version: 1,
    form: 'compact',
    layout: 'mergevla',
    tasks,
    base: { path: base, hash: '' },
    experts: {},
    groups: [],
    masks: { rule: 'tall' },
    heads: { unmergedBlocks: 1, blocks: layers },
    router: {
      rank: 8,
      pairing: 'same',
      valueBlock: layers - 2,
      hiddenEntry: layers,
      temperature: 1,
      per: 'episode',
    },
    taskVector: { dtype: 'BF16', precision: 'float32' },
  };
  const json = {
    'config.json': config,
    'manifest.json': manifest,
    'dataset_statistics.json': statistics,
  };
  for (const [name, value] of Object.entries(json))
    writeFileSync(join(merged, name), JSON.stringify(value));
  for (const name of ['tokenizer.json', 'tokenizer_config.json', 'preprocessor_config.json'])
    copyFileSync(join(root, 'test/fixtures/policy/base', name), join(merged, name));
  const count = (list) => list.reduce((sum, [, shape]) => sum + elements(shape), 0);
  const shown = headTensors().filter(
    ([name]) => !name.includes('/') || name.startsWith(`${tasks[0]}/`),
  );
  return { run: join(folder, 'run'), floatBytes: 4 * (count(model) + count(shown)) };
}

const { run, floatBytes } = writeCheckpoints();
const bundle = join(root, 'dist/bench-policy.cjs');
await build({
  entryPoints: [join(root, 'server/policy/policy.ts')],
  outfile: bundle,
  bundle: true,
  platform: 'node',
  target: 'node20',
  format: 'cjs',
  external: ['onnxruntime-node'],
  logLevel: 'error',
});
// A process of its own, so that the peak is the policy's and nobody else's.
const script = `
const { loadPolicy } = require(${JSON.stringify(bundle)});
const timed = async (work) => { const start = performance.now(); const value = await work(); return [value, (performance.now() - start) / 1000]; };
const picture = (seed) => ({ width: 224, height: 224, data: Uint8Array.from({ length: 224 * 224 * 3 }, (_, i) => (i * 31 + seed * 17 + (i >> 7)) & 255) });
(async () => {
  const observation = () => ({ images: [picture(1), picture(2)], instruction: 'pick up the bowl', proprio: [0, 0, 0, 0, 0, 0, 0, 0] });
  const [policy, load] = await timed(() => loadPolicy(${JSON.stringify(run)}, { device: process.env.MERGEVLA_BENCH_DEVICE ?? 'cpu' }));
  const task = policy.tasks[0];
  const [, first] = await timed(() => policy.act(observation(), task));
  const [, forward] = await timed(() => policy.act(observation(), task));
  const routed = observation();
  const [routing, route] = await timed(() => policy.route(routed));
  const [, action] = await timed(() => policy.act(routed, routing.chosen));
  const peak = process.resourceUsage().maxRSS * 1024;
  console.log(JSON.stringify({ load, first, forward, route, action, peak, device: policy.device }));
  process.exit(0);
})();
`;
const child = spawnSync(process.execPath, ['-e', script], {
  encoding: 'utf8',
  maxBuffer: 1 << 24,
  stdio: ['ignore', 'pipe', 'inherit'],
});
if (child.status !== 0) {
  console.error(`the measured process failed (${child.signal ?? child.status})`);
  process.exit(1);
}
const result = JSON.parse(child.stdout);
const memory = result.peak / floatBytes;
const ratio = result.route / (tasks.length * result.forward);
const gib = (bytes) => `${(bytes / 2 ** 30).toFixed(2)} GiB`;
const rows = [
  ['device', result.device],
  ['load (headers, tokenizer)', `${result.load.toFixed(2)} s`],
  ['first action (with session creation)', `${result.first.toFixed(2)} s`],
  ['one masked pass and action', `${result.forward.toFixed(2)} s`],
  [`routing over ${tasks.length} tasks`, `${result.route.toFixed(2)} s`],
  ['action after routing', `${result.action.toFixed(2)} s`],
  [
    'peak memory',
    `${gib(result.peak)} = ${memory.toFixed(2)} × float32 weights (${gib(floatBytes)}), limit ${limits.memory}`,
  ],
  ['routing / (tasks × pass)', `${ratio.toFixed(3)}, limit ${limits.routing}`],
];
for (const [name, value] of rows) console.log(`${name.padEnd(38)} ${value}`);
if (memory > limits.memory || ratio > limits.routing) {
  console.error('a limit is exceeded');
  process.exit(1);
}
