import { cpSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { createInputCache, loadInputs } from '../../server/jobs/inputs';
import { bytesIn, checkSpace } from '../../server/jobs/space';
import { isProblemCode } from '../../server/recipe/problems';
import { temporaryFolder, writeModel } from '../tensors/files';

const folder = temporaryFolder();
const recipe = join(folder, 'x.mergevla.yaml');
const model = { 'model.embed_tokens.weight': [4, 2], 'model.layers.0.mlp.up_proj.weight': [2, 2] };

function expert(
  name: string,
  tensors: Record<string, number[]> = model,
  value = name.length,
): void {
  writeModel(join(folder, name, 'model.safetensors'), tensors, (_, i) => i * value);
}

async function findings(...experts: (string | { path: string | null; adapter: string })[]) {
  const written = experts.map((e, i) => ({
    task: `t${i}`,
    weight: 1,
    ...(typeof e === 'string' ? { path: e, adapter: null } : e),
  }));
  const loaded = await loadInputs({ base: 'base', experts: written, layout: 'auto' }, recipe);
  for (const { code } of loaded.findings) expect(isProblemCode(code)).toBe(true);
  return loaded.findings.map(
    (f) => `${f.recipePath.join('.')} ${f.severity} ${f.code} ${f.message}`,
  );
}

beforeEach(() => {
  expert('base', model, 1);
  expert('fine', model, 2);
});

describe('the files of a recipe', () => {
  it('give inputs and no findings when they fit', async () => {
    const experts = [{ task: 'a', path: 'fine', adapter: null, weight: 1 }];
    const { inputs, findings: found } = await loadInputs(
      { base: 'base', experts, layout: 'auto' },
      recipe,
    );
    expect(found).toEqual([]);
    expect(inputs.layout).toBe('generic');
    expect(inputs.places.get('model.layers.0.mlp.up_proj.weight')).toEqual({
      component: 'lm.block',
      block: 0,
      kind: 'mlp.up',
    });
  });

  it.each([
    ['a missing file', 'nowhere', /experts\.t0\.path error MV410 .*nowhere does not exist/],
    [
      'a missing tensor',
      { 'model.embed_tokens.weight': [4, 2] },
      /MV430 .*`t0` lacks 1 tensor .*up_proj/,
    ],
    [
      'another shape',
      { ...model, 'model.layers.0.mlp.up_proj.weight': [2, 3] },
      /MV431 .*1 tensor .*\[2, 3\], not \[2, 2\]/,
    ],
    [
      'another vocabulary',
      { ...model, 'model.embed_tokens.weight': [5, 2] },
      /MV435 .*5 vocabulary rows.*the base 4/,
    ],
    ['an extra tensor', { ...model, extra: [1] }, /warning MV434 .*1 tensor .*left out \(extra\)/],
  ])('are told with %s', async (...[name, tensors, expected]) => {
    if (typeof tensors !== 'string') expert(name, tensors);
    const found = await findings(typeof tensors === 'string' ? tensors : name);
    expect(found).toHaveLength(1);
    expect(found[0]).toMatch(expected);
  });

  it('are told with another dtype, and with integers', async () => {
    const change = (name: string, dtype: string) => {
      const path = join(folder, name, 'model.safetensors');
      expert(name);
      writeFileSync(path, readFileSync(path, 'latin1').replaceAll('"F32"', dtype), 'latin1');
    };
    change('int', '"I32"');
    expect(await findings('int')).toEqual([expect.stringMatching(/error MV433 .*I32, not F32/)]);
  });

  it('are told when they are copies, unless the path itself says so', async () => {
    expert('copy', model, 1);
    expert('fine2', model, 2);
    expect(await findings('copy', 'fine', 'fine2')).toEqual([
      expect.stringMatching(/experts\.t0\.path error MV438/),
      expect.stringMatching(/experts\.t2\.path error MV437 .*`t1` and `t2`/),
    ]);
    expect(await findings('base', 'fine', 'fine')).toEqual([]);
  });

  it('are told when one is the result of a masked merge', async () => {
    expert('merged');
    writeFileSync(join(folder, 'merged', 'tall_masks.pt'), '');
    expect(await findings('merged', 'fine')).toEqual([
      expect.stringMatching(/MV439 .*task vector/),
    ]);
  });

  it('are told when only some experts have a head', async () => {
    expert('headed');
    const source = resolve(
      __dirname,
      '../fixtures/tensors/torch/proprio_projector--30000_checkpoint.pt',
    );
    cpSync(source, join(folder, 'headed', 'proprio_projector--30000_checkpoint.pt'));
    expect(await findings('headed', 'fine')).toEqual([
      expect.stringMatching(/experts\.t1\.path error MV443 .*no proprio projector/),
    ]);
    expect(await findings('headed')).toEqual([]);
  });

  it('are told when the embedding is tied in one and not in the other', async () => {
    mkdirSync(join(folder, 'tied'), { recursive: true });
    expert('tied', { ...model, 'lm_head.weight': [4, 2] });
    writeFileSync(join(folder, 'base', 'config.json'), '{"tie_word_embeddings":true}');
    expect(await findings('tied')).toEqual([
      expect.stringMatching(/MV436 .*output layer of its own/),
    ]);
    writeFileSync(join(folder, 'base', 'config.json'), '{}');
  });

  it('are told with an adapter for another base, and taken with one that fits', async () => {
    const lora = join(folder, 'lora');
    mkdirSync(lora, { recursive: true });
    writeFileSync(join(lora, 'adapter_config.json'), '{"peft_type":"LORA","r":1,"lora_alpha":1}');
    const weights = (module: string) =>
      writeModel(join(lora, 'adapter_model.safetensors'), {
        [`base_model.model.${module}.lora_A.weight`]: [1, 2],
        [`base_model.model.${module}.lora_B.weight`]: [2, 1],
      });
    weights('model.layers.3.mlp.up_proj');
    expect(await findings({ path: null, adapter: 'lora' })).toEqual([
      expect.stringMatching(/experts\.t0\.adapter error MV442 .*layers\.3\.mlp\.up_proj\.weight/),
    ]);
    weights('model.layers.0.mlp.up_proj');
    expect(await findings({ path: null, adapter: 'lora' })).toEqual([]);
  });

  it('are checked again from the cache with the same answer', async () => {
    const cache = createInputCache();
    expert('copy', model, 1);
    const experts = [{ task: 'a', path: 'copy', adapter: null, weight: 1 }];
    const load = () => loadInputs({ base: 'base', experts, layout: 'auto' }, recipe, { cache });
    expect(await load()).toEqual(await load());
  });
});

describe('room for the result', () => {
  it('is enough for a byte and not for an exabyte', async () => {
    expect(await checkSpace(join(folder, 'not', 'yet'), 1)).toEqual([]);
    const [finding] = await checkSpace(folder, 1e18);
    expect(finding).toMatchObject({
      code: 'MV451',
      message: expect.stringMatching(/needs 1000000000\.00 GB/),
    });
  });

  it('counts what an interrupted merge left', async () => {
    const partial = join(folder, 'run.partial');
    mkdirSync(join(partial, 'merged'), { recursive: true });
    writeFileSync(join(partial, 'run.json'), 'x'.repeat(30));
    writeFileSync(join(partial, 'merged', 'a.safetensors'), 'x'.repeat(12));
    expect(await bytesIn(partial)).toBe(42);
    expect(await bytesIn(join(folder, 'nowhere'))).toBe(0);
  });
});
