import { spawnSync } from 'node:child_process';
import {
  copyFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { fixtures, mergevla, root, temporaryFolder, type Answer } from './command';
import { float32, smallModel, writeSafetensors, writeZoo, type SmallZoo } from './zoo';

const places = temporaryFolder();
let count = 0;
const up = 'model.layers.0.mlp.up_proj.weight';

interface Case {
  readonly what: string;
  readonly spoil: (zoo: SmallZoo) => void;
  readonly says: RegExp;
  readonly lines?: readonly string[];
  readonly code?: number;
}

const cases: readonly Case[] = [
  {
    what: 'a header longer than its file',
    spoil: ({ experts }) => writeSafetensors(experts[0], smallModel(1), { length: 1e6 }),
    says: /one\/model\.safetensors.*header claims 1000000 bytes/,
  },
  {
    what: 'offsets behind the end of the file',
    spoil: ({ experts }) =>
      writeSafetensors(experts[0], smallModel(1), {
        edit: (text) => text.replace('[160,224]', '[260,324]'),
      }),
    says: /one\/model\.safetensors.*model\.layers\.1\.mlp\.up_proj\.weight/,
  },
  {
    what: 'tensors that overlap',
    spoil: ({ experts }) =>
      writeSafetensors(experts[0], smallModel(1), {
        edit: (text) => text.replace('[160,224]', '[100,164]'),
      }),
    says: /one\/model\.safetensors.*(overlap|belong)/,
  },
  {
    what: 'a tensor name that is there twice',
    spoil: ({ experts }) =>
      writeSafetensors(experts[0], smallModel(1), {
        edit: (text) => text.replace('layers.1.', 'layers.0.'),
      }),
    says: /one\/model\.safetensors.*"model\.layers\.0\.mlp\.up_proj\.weight" twice/,
  },
  {
    what: 'an unknown dtype',
    spoil: ({ experts }) =>
      writeSafetensors(experts[0], smallModel(1), {
        edit: (text) => text.replace('"F32"', '"F4"'),
      }),
    says: /model\.embed_tokens\.weight in .*one\/model\.safetensors has the unknown dtype F4/,
  },
  {
    what: 'a file cut short',
    spoil: ({ experts }) => truncateSync(experts[0], 500),
    says: /one\/model\.safetensors/,
  },
  {
    what: 'a shard that the index names and that is not there',
    spoil: ({ folder }) => writeIndex(folder, 'model-00002-of-00002.safetensors'),
    says: /model-00002-of-00002\.safetensors/,
  },
  {
    what: 'an index that leaves its folder',
    spoil: ({ folder }) => writeIndex(folder, '../base/model.safetensors'),
    says: /index\.json.*\.\.\/base\/model\.safetensors/,
  },
  {
    what: 'an index with an absolute path',
    spoil: ({ folder }) => writeIndex(folder, '/etc/passwd'),
    says: /index\.json.*\/etc\/passwd/,
  },
  {
    what: 'a missing tensor',
    spoil: ({ experts }) => {
      const { [up]: left, ...others } = smallModel(1);
      void left;
      writeSafetensors(experts[0], others);
    },
    says: /`one` lacks 1 tensor .*model\.layers\.0\.mlp\.up_proj\.weight/,
  },
  {
    what: 'another shape',
    spoil: ({ experts }) =>
      writeSafetensors(experts[0], { ...smallModel(1), [up]: float32([2, 8], Math.sin) }),
    says: /`one`.*model\.layers\.0\.mlp\.up_proj\.weight: \[2, 8\], not \[4, 4\]/,
  },
  {
    what: 'another vocabulary',
    spoil: ({ experts }) =>
      writeSafetensors(experts[0], {
        ...smallModel(1),
        'model.embed_tokens.weight': float32([7, 4], Math.sin),
      }),
    says: /`one` has 7 vocabulary rows in model\.embed_tokens\.weight/,
  },
  {
    what: 'integers where numbers are',
    spoil: ({ experts }) =>
      writeSafetensors(experts[0], {
        ...smallModel(1),
        [up]: { dtype: 'I32', shape: [4, 4], data: new Uint8Array(64) },
      }),
    says: /`one`.*model\.layers\.0\.mlp\.up_proj\.weight: I32/,
  },
  {
    what: 'NaN among the weights',
    spoil: ({ experts }) =>
      writeSafetensors(experts[0], {
        ...smallModel(1),
        [up]: float32([4, 4], (i) => (i === 3 ? NaN : i)),
      }),
    says: /model\.layers\.0\.mlp\.up_proj\.weight/,
  },
  {
    what: 'NaN in a tensor that no expert changed',
    spoil: ({ base, experts }) => {
      const same = float32([40, 40], (i) => [NaN, Infinity][i - 900] ?? i);
      for (const [i, path] of [base, ...experts].entries())
        writeSafetensors(path, { ...smallModel(i / 8), same });
    },
    says: /same of the base \(1 NaN, 1 infinite\)/,
  },
  {
    what: 'a result too large for the output',
    spoil: ({ experts }) =>
      writeSafetensors(experts[0], { ...smallModel(1), [up]: float32([4, 4], () => 1e6) }),
    lines: ['output: { dtype: float16 }'],
    says: /model\.layers\.0\.mlp\.up_proj\.weight/,
  },
  {
    what: 'an unreadable action head',
    spoil: ({ folder }) => {
      const head = join(fixtures, 'policy/experts/libero_goal/action_head--30000_checkpoint.pt');
      copyFileSync(head, join(folder, 'one/action_head--checkpoint.pt'));
      truncateSync(join(folder, 'one/action_head--checkpoint.pt'), 10_000);
    },
    says: /one\/action_head--checkpoint\.pt/,
  },
  {
    what: 'a pickle that wants more than weights',
    spoil: ({ folder }) => {
      const head = join(fixtures, 'policy/experts/libero_goal/action_head--30000_checkpoint.pt');
      const bytes = readFileSync(head);
      const at = bytes.indexOf('collections\nOrderedDict');
      bytes.write('posixxxxxxx\nsystemsyste', at);
      writeFileSync(join(folder, 'one/action_head--checkpoint.pt'), bytes);
    },
    says: /one\/action_head--checkpoint\.pt.*(refused|valid|CRC|checksum)/i,
  },
  {
    what: 'a merge given as an expert',
    spoil: ({ folder }) => {
      for (const name of ['tall_masks.pt', 'task2idx.pt'])
        copyFileSync(join(fixtures, 'policy/merged', name), join(folder, 'one', name));
    },
    says: /one is the result of a MergeVLA merge/,
  },
  {
    what: 'an expert that is not there',
    spoil: ({ folder }) => rmSync(join(folder, 'one'), { recursive: true }),
    says: /small\.mergevla\.yaml:3:17: error: .*one/,
  },
  {
    what: 'an expert that is a copy of the base',
    spoil: ({ base, experts }) => copyFileSync(base, experts[0]),
    says: /`one` \(.*one\) holds the weights of the base/,
  },
  {
    what: 'two experts with the same weights',
    spoil: ({ experts }) => copyFileSync(experts[0], experts[1]),
    says: /`one` and `two` \(.*two\) hold the same weights/,
  },
  {
    what: 'two tasks on one path',
    spoil: ({ recipe }) =>
      writeFileSync(recipe, readFileSync(recipe, 'utf8').replace('two: two', 'two: ./one/')),
    says: /small\.mergevla\.yaml:3:\d+: error: `two` and `one` are one checkpoint/,
  },
  {
    what: 'the base as an expert',
    spoil: ({ recipe }) =>
      writeFileSync(recipe, readFileSync(recipe, 'utf8').replace('two: two', 'two: base')),
    says: /small\.mergevla\.yaml:3:\d+: error: .*`two` is the base itself/,
  },
  {
    what: 'a device that is not there',
    spoil: () => undefined,
    lines: ['run: { device: "cuda:99" }'],
    says: /there is no device cuda:99 here; this machine has cpu/,
  },
  {
    what: 'a key that does not exist',
    spoil: () => undefined,
    lines: ['mask: none'],
    says: /small\.mergevla\.yaml:4:1: error: .*mask.*did you mean `masks`/,
  },
];

function writeIndex(folder: string, second: string): void {
  mkdirSync(join(folder, 'sharded'));
  const { [up]: one, ...others } = smallModel(1);
  writeSafetensors(join(folder, 'sharded/model-00001-of-00002.safetensors'), others);
  void one;
  const map = Object.fromEntries(
    Object.keys(others).map((name) => [name, 'model-00001-of-00002.safetensors']),
  );
  writeFileSync(
    join(folder, 'sharded/model.safetensors.index.json'),
    JSON.stringify({ metadata: {}, weight_map: { ...map, [up]: second } }),
  );
  const recipe = join(folder, 'small.mergevla.yaml');
  writeFileSync(recipe, readFileSync(recipe, 'utf8').replace('one: one', 'one: sharded'));
}

function newZoo(lines: readonly string[] = []): SmallZoo {
  return writeZoo(join(places, String(count++)), { lines });
}

/** One sentence, the exit status, nothing left and no stack. */
function expectRefusal(answer: Answer, zoo: SmallZoo, { says, code = 65 }: Case): void {
  expect(answer.stderr).toMatch(says);
  expect(answer.code).toBe(code);
  expect(answer.stderr).not.toMatch(/^\s+at /m);
  expect(answer.stdout).toBe('');
  expect(readdirSync(zoo.folder).filter((name) => /out|runs|partial/.test(name))).toEqual([]);
}

describe('mergevla merge', () => {
  for (const item of cases)
    it(`refuses ${item.what}`, async () => {
      const zoo = newZoo(item.lines);
      item.spoil(zoo);
      const out = join(zoo.folder, 'out');
      const answer = await mergevla(['merge', zoo.recipe, '--out', out]);
      expectRefusal(answer, zoo, item);
      const without = await mergevla(['merge', zoo.recipe]);
      expectRefusal(without, zoo, item);
    });

  it('merges experts that differ in one byte which no sample sees', async () => {
    const zoo = newZoo();
    const wide = (changed: number) => ({
      ...smallModel(0.1),
      [up]: float32([4, 4], Math.sin),
      'wide.weight': float32([100, 100], (i) => (i === 1234 ? changed : i / 64)),
    });
    [zoo.base, ...zoo.experts].forEach((path, i) => writeSafetensors(path, wide(i)));
    const answer = await mergevla(['merge', zoo.recipe, '--out', join(zoo.folder, 'out')]);
    expect([answer.code, answer.stderr]).toEqual([0, expect.not.stringContaining('error')]);
  });

  it('merges NaN when told to, and says so', async () => {
    const zoo = newZoo();
    const spoiled = { ...smallModel(1), [up]: float32([4, 4], (i) => (i === 3 ? NaN : i)) };
    writeSafetensors(zoo.experts[0], spoiled);
    const out = join(zoo.folder, 'out');
    const answer = await mergevla(['merge', zoo.recipe, '--out', out, '--allow-nonfinite']);
    expect(answer.stderr).not.toContain('error');
    expect(answer.code).toBe(0);
    const events = readFileSync(join(out, 'events.jsonl'), 'utf8');
    expect(events).toMatch(/"MV460".*up_proj\.weight of expert one \(1 NaN, 0 infinite\)/);
  });

  it('ends in one sentence when a disk takes no more', async () => {
    const zoo = newZoo();
    const out = join(zoo.folder, 'out');
    // A limit of 1 KiB on every file stands for a full disk.
    const script = 'ulimit -f 1; exec "$0" "$@"';
    const cli = join(root, 'dist/cli.js');
    const args = ['-c', script, process.execPath, cli, 'merge', zoo.recipe, '--out', out];
    const { status, stderr } = spawnSync('bash', args, { encoding: 'utf8' });
    expect([status, stderr]).toEqual([
      1,
      expect.stringMatching(/error: .*out\.partial\/.*\[MV45\d\]/),
    ]);
    expect(stderr).not.toMatch(/^\s+at /m);
    expect(existsSync(out)).toBe(false);
  });

  it('takes tensors without elements and without axes', async () => {
    const zoo = newZoo();
    const more = { empty: float32([0, 4], () => 0), scalar: float32([], () => 2) };
    for (const [path, step] of [[zoo.base, 0] as const, [zoo.experts[0], 1] as const])
      writeSafetensors(path, { ...smallModel(step), ...more });
    writeSafetensors(zoo.experts[1], { ...smallModel(2), ...more, scalar: float32([], () => 3) });
    const answer = await mergevla([
      'merge',
      zoo.recipe,
      '--out',
      join(zoo.folder, 'out'),
      '--json',
    ]);
    expect(answer.code).toBe(0);
    expect(JSON.parse(answer.stdout).state).toBe('done');
  });

  it('leaves a folder alone that is not empty or not a run’s', async () => {
    const zoo = newZoo();
    const out = join(zoo.folder, 'out');
    mkdirSync(out);
    writeFileSync(join(out, 'mine.txt'), 'mine');
    const answer = await mergevla(['merge', zoo.recipe, '--out', out]);
    expect([answer.code, answer.stderr]).toEqual([65, expect.stringContaining('not empty')]);
    expect(readdirSync(out)).toEqual(['mine.txt']);
    cpSync(out, `${join(zoo.folder, 'other')}.partial`, { recursive: true });
    const other = await mergevla(['merge', zoo.recipe, '--out', join(zoo.folder, 'other')]);
    expect(other.code).toBe(65);
    expect(readdirSync(`${join(zoo.folder, 'other')}.partial`)).toEqual(['mine.txt']);
    expect(existsSync(join(zoo.folder, 'other'))).toBe(false);
  });
});

describe.skipIf(process.platform === 'win32')('what is no plain file', () => {
  it.each(['model.safetensors', 'config.json'])('is not waited for: a pipe as %s', async (name) => {
    const zoo = newZoo();
    const path = join(zoo.folder, 'one', name);
    rmSync(path, { force: true });
    expect(spawnSync('mkfifo', [path]).status).toBe(0);
    const { code, stdout } = await mergevla(['check', zoo.recipe]);
    expect([code, stdout]).toEqual([
      65,
      expect.stringMatching(/:3:17: error: .* is a pipe .*MV411/),
    ]);
  });

  it('is read to no end as a recipe', async () => {
    const { code, stdout } = await mergevla(['check', '/dev/zero']);
    expect([code, stdout]).toEqual([65, expect.stringContaining('larger than any recipe [MV539]')]);
  });

  it('may be a pipe for a recipe', () => {
    const zoo = newZoo();
    const script = `cd ${zoo.folder} && "$0" "$1" check <(cat small.mergevla.yaml)`;
    const args = ['-c', script, process.execPath, join(root, 'dist/cli.js')];
    const { stdout } = spawnSync('bash', args, { encoding: 'utf8' });
    expect(stdout).toMatch(/:2:7: error: .*base does not exist \[MV410\]/);
  });

  it('is named by its fault: too long, and with a zero byte', async () => {
    for (const [path, says] of [
      ['x'.repeat(300), /3:17: error: the path is longer than the system allows \[MV410\]/],
      ['"a\\0b"', /3:17: error: .* holds a zero byte \[MV410\]/],
    ] as const) {
      const zoo = newZoo();
      writeFileSync(
        zoo.recipe,
        readFileSync(zoo.recipe, 'utf8').replace('one: one', `one: ${path}`),
      );
      const { code, stdout } = await mergevla(['check', zoo.recipe]);
      expect([code, stdout]).toEqual([65, expect.stringMatching(says)]);
    }
  });
});

describe('text from a recipe in a message', () => {
  it('cannot steer a terminal, nor fill it', async () => {
    const zoo = newZoo(['"\\e[31mred": 1', `"${'x'.repeat(500)}": 1`]);
    const { code, stdout } = await mergevla(['check', zoo.recipe]);
    expect(code).toBe(65);
    expect(stdout).not.toContain('\u001B');
    expect(stdout).toContain('`\uFFFD[31mred`');
    for (const line of stdout.split('\n')) expect(line.length).toBeLessThan(300);
  });
});
