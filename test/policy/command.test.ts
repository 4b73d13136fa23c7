import { spawn, spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import WebSocket from 'ws';
import { isRouteAnswer, type RouteAnswer } from '../../server/protocol/routing';
import { readSafetensorsHeader } from '../../server/tensors/safetensors';
import { fixtures, golden, relativeError } from './golden';

/** The command as users run it, on merges it made itself. */
const command = join(__dirname, '../../dist/cli.js');
const folder = mkdtempSync(join(tmpdir(), 'mergevla-command-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

interface ActAnswer extends RouteAnswer {
  readonly actions: readonly (readonly number[])[];
  readonly normalized: readonly (readonly number[])[];
}

function mergevla(...args: string[]): { status: number | null; stdout: string; stderr: string } {
  return spawnSync(process.execPath, [command, ...args], { encoding: 'utf8', cwd: folder });
}

function json<T>(...args: string[]): T {
  const { status, stdout, stderr } = mergevla(...args, '--json', '--quiet');
  expect(stderr).toBe('');
  expect(status).toBe(0);
  return JSON.parse(stdout) as T;
}

function seen(index: number): string[] {
  const { instruction, state } = golden.observations[index];
  const images = ['full', 'wrist'].map((c) => join(fixtures, `obs/obs${index}/${c}_policy.png`));
  return [
    ...['--images', images.join(',')],
    ...['--instruction', instruction],
    ...['--proprio', JSON.stringify(state)],
  ];
}

function recipe(name: string, lines: string): string {
  const experts = golden.tasks.map((task) => `  ${task}: ${join(fixtures, 'experts', task)}`);
  const path = join(folder, `${name}.mergevla.yaml`);
  writeFileSync(
    path,
    `version: 1\nbase: ${join(fixtures, 'base')}\nexperts:\n${experts.join('\n')}\nmerge: { precision: native }\n${lines}`,
  );
  return path;
}

function expectGolden(answer: ActAnswer, index: number): void {
  const { released } = golden.router[index];
  expect(answer.chosen).toBe(released.chosen);
  const scores = golden.tasks.map((task) => answer.scores[task]);
  expect(relativeError(scores, released.logits)).toBeLessThan(1e-5);
  const run = golden.runs.find(
    ({ policy, obs }) => policy === `merged:${released.chosen}` && obs === index,
  )!;
  expect(relativeError(answer.normalized.flat(), run.actions_normalized.flat())).toBeLessThan(5e-5);
  expect(relativeError(answer.actions.flat(), run.actions.flat())).toBeLessThan(5e-5);
}

describe('mergevla route and act', () => {
  beforeAll(() => {
    for (const form of ['compact', 'mergevla', 'weights']) {
      const path = recipe(form, `output: { form: ${form} }\n`);
      const made = mergevla('merge', path, '--out', join(folder, form), '--quiet');
      expect(made.status, made.stderr).toBe(0);
    }
  });

  it('give the reference numbers on the compact and on the released form', () => {
    for (const index of [0, 1, 2]) {
      expectGolden(json<ActAnswer>('act', join(folder, 'compact'), ...seen(index)), index);
      expectGolden(json<ActAnswer>('act', join(folder, 'mergevla'), ...seen(index)), index);
    }
    const foreign = [join(fixtures, 'merged'), '--base', join(fixtures, 'base')];
    expectGolden(json<ActAnswer>('act', ...foreign, ...seen(1)), 1);
  });

  it('give the same actions from full weights of the task named', () => {
    const weights = json<ActAnswer>(
      'act',
      join(folder, 'weights'),
      '--task',
      'libero_goal',
      ...seen(0),
    );
    const compact = json<ActAnswer>(
      'act',
      join(folder, 'compact'),
      '--task',
      'libero_goal',
      ...seen(0),
    );
    expect(relativeError(weights.actions.flat(), compact.actions.flat())).toBeLessThan(1e-6);
    expect(weights.chosen).toBe('libero_goal');
  });

  it('refuse masks of another run and a base that changed', () => {
    const other = recipe('other', 'masks: { lambda: 0.9 }\n');
    expect(mergevla('merge', other, '--out', join(folder, 'other'), '--quiet').status).toBe(0);
    cpSync(join(folder, 'compact'), join(folder, 'mixed'), { recursive: true });
    const masks = 'merged/masks.safetensors';
    cpSync(join(folder, 'other', masks), join(folder, 'mixed', masks));
    const mixed = mergevla('route', join(folder, 'mixed'), ...seen(0));
    expect(mixed.stderr).toContain('masks.safetensors belongs to another merge');
    expect(mixed.status).toBe(65);
    const changed = mergevla(
      ...['route', join(folder, 'compact'), ...seen(0)],
      ...['--base', join(fixtures, 'merged')],
    );
    expect(changed.stderr).toContain('is not the base that');
    expect(changed.status).toBe(65);
    // Another base of the very same shape: only the numbers tell.
    const twin = join(folder, 'twin');
    cpSync(join(fixtures, 'base'), twin, { recursive: true });
    const weights = readFileSync(join(twin, 'model.safetensors'));
    const start = 8 + Number(weights.readBigUInt64LE());
    for (let i = start; i < weights.length; i += 2) weights[i] ^= 1;
    writeFileSync(join(twin, 'model.safetensors'), weights);
    const ofTwin = mergevla('route', join(folder, 'compact'), ...seen(0), '--base', twin);
    expect(ofTwin.stderr).toContain('the same tensors with other numbers');
    expect(ofTwin.status).toBe(65);
  });

  it('print what the routing panel reads', () => {
    const answer = json<RouteAnswer>('route', join(folder, 'compact'), ...seen(1), '--detail');
    expect(isRouteAnswer(answer)).toBe(true);
    const { detail } = answer;
    expect(detail?.images.map(({ camera, grid }) => [camera, ...grid])).toEqual([
      ['full', 4, 4],
      ['wrist', 4, 4],
    ]);
    const { patches, slots } = detail!.pairings.same.tokens['libero_goal'];
    expect(slots).toHaveLength(64);
    // The task path begins with the first prompt token, so the very last patch is left out.
    expect(patches[0].every((norm) => norm !== null)).toBe(true);
    expect(patches[1].map((norm) => norm === null)).toEqual([...Array(15).fill(false), true]);
    const crossed = golden.router[1].crossed;
    expect(detail?.pairings.crossed.chosen).toBe(crossed.chosen);
    const plain = json<RouteAnswer>('route', join(folder, 'compact'), ...seen(1));
    expect(plain).not.toHaveProperty('detail');
    expect(plain.paths['libero_goal'].task_path).toBeGreaterThan(0);
  });

  it('take a recipe: the run it has, a new one, or its only expert', () => {
    const path = recipe('fresh', 'output: { directory: fresh-runs }\n');
    const first = mergevla('route', path, ...seen(2), '--json');
    expect(first.stderr).toContain('merging into');
    const second = mergevla('route', path, ...seen(2), '--json');
    expect(second.stderr).toContain('using fresh-runs');
    const scores = [first, second].map(({ stdout }) => (JSON.parse(stdout) as RouteAnswer).scores);
    expect(scores[0]).toEqual(scores[1]);
    const one = join(folder, 'one.mergevla.yaml');
    writeFileSync(
      one,
      `version: 1\nbase: ${join(fixtures, 'base')}\nexperts: { libero_object: ${join(fixtures, 'experts/libero_object')} }\nmasks: none\nrouter: none\n`,
    );
    const answer = json<ActAnswer>('act', one, ...seen(0));
    const run = golden.runs.find((r) => r.policy === 'expert:libero_object' && r.obs === 0)!;
    expect(relativeError(answer.actions.flat(), run.actions.flat())).toBeLessThan(5e-5);
    expect(answer).not.toHaveProperty('scores');
  });

  it('write the stages of the forward pass', async () => {
    const file = join(folder, 'stages.safetensors');
    json('act', join(folder, 'compact'), ...seen(0), '--task', 'libero_spatial', '--dump', file);
    const ours = await readSafetensorsHeader(file);
    const theirs = await readSafetensorsHeader(
      join(fixtures, 'runs/merged_libero_spatial__obs0.safetensors'),
    );
    const shapes = new Map(ours.tensors.map(({ name, shape }) => [name, shape.join()]));
    for (const { name, shape } of theirs.tensors)
      if (!/block\.2(#1)?$/.test(name) || name.startsWith('head'))
        expect([name, shapes.get(name)]).toEqual([name, shape.join()]);
  });

  it('take frames of files in the place of pictures', () => {
    const { instruction, state } = golden.observations[1];
    const file = join(folder, 'frame.json');
    const images = ['full', 'wrist'].map((c) => join(fixtures, `obs/obs1/${c}_policy.png`));
    writeFileSync(file, JSON.stringify({ images, instruction, proprio: state }));
    const run = join(folder, 'compact');
    expectGolden(json<ActAnswer>('act', run, '--frame', file), 1);
    const both = mergevla('act', run, '--frame', file, ...seen(1));
    expect(both.stderr).toContain('--frame brings its own pictures');
    const other = mergevla('act', run, '--frame', `${file}#3`);
    expect(other.stderr).toContain('holds one frame, the first, and not 3');
    expect(other.status).toBe(65);
  });

  it('divide by the means over stored first frames, in every form, and say so', () => {
    const frames = [0, 1, 2].map((index) => {
      const path = join(folder, `calibration-${index}.json`);
      const images = ['full', 'wrist'].map((c) =>
        join(fixtures, `obs/obs${index}/${c}_policy.png`),
      );
      const { instruction } = golden.observations[index];
      writeFileSync(path, JSON.stringify({ images, instruction }));
      return `calibration-${index}.json`;
    });
    const router = (pairing: string, list: readonly string[]) =>
      `router: { pairing: ${pairing}, offset: stored, calibration: [${list.join(', ')}] }\n`;
    for (const [form, pairing, kind] of [
      ['compact', 'same', 'released'],
      ['mergevla', 'crossed', 'crossed'],
    ] as const) {
      const name = `stored-${form}`;
      const path = recipe(name, `output: { form: ${form} }\n${router(pairing, frames)}`);
      const made = mergevla('merge', path, '--out', join(folder, name), '--quiet');
      expect(made.status, made.stderr).toBe(0);
      const answer = json<RouteAnswer>('route', join(folder, name), ...seen(1));
      const expected = golden.tasks.map(
        (_, task) =>
          (golden.router[1][kind].logits[task] * 3) /
          golden.router.reduce((sum, scores) => sum + scores[kind].logits[task], 0),
      );
      expect(answer.offset).toBe('stored');
      const scores = golden.tasks.map((task) => answer.scores[task]);
      expect(relativeError(scores, expected)).toBeLessThan(1e-5);
      expect(answer.chosen).toBe(golden.tasks[expected.indexOf(Math.max(...expected))]);
    }
    const lost = recipe('lost', router('same', ['frames/missing.json']));
    const refused = mergevla('merge', lost, '--out', join(folder, 'lost'));
    expect(refused.stderr).toMatch(/missing\.json is no file/);
    expect([refused.status, existsSync(join(folder, 'lost'))]).toEqual([65, false]);
  });

  it('refuse bad input with the status of its kind and one sentence', () => {
    const run = join(folder, 'compact');
    const cases: [string[], number, RegExp][] = [
      [
        ['route', run, '--images', 'a.png,b.png', '--instruction', 'x'],
        65,
        /a\.png: cannot be read/,
      ],
      [['route', run, '--instruction', 'x'], 2, /--images is needed/],
      [['act', run, ...seen(0), '--task', 'nothing'], 2, /it has libero_spatial/],
      [['act', run, ...seen(0), '--rotate', '90'], 2, /--rotate takes 0 or 180/],
      [['act', run, ...seen(0), '--proprio', '[1]'], 65, /has 1 numbers; this policy takes 8/],
      [['act', run, ...seen(0), '--device', 'tpu'], 65, /no device tpu/],
      [['act', join(folder, 'absent'), ...seen(0)], 65, /does not exist/],
      [['route', join(folder, 'weights'), ...seen(0)], 65, /name one with --task/],
    ];
    for (const [args, status, words] of cases) {
      const result = mergevla(...args);
      expect(result.stderr).toMatch(words);
      expect(result.stderr.trim().split('\n')).toHaveLength(1);
      expect([args[0], result.status]).toEqual([args[0], status]);
    }
  });
});

describe('mergevla serve', () => {
  it('answers until it is interrupted, then closes its sockets and stops', async () => {
    const server = spawn(
      process.execPath,
      [command, 'serve', join(folder, 'compact'), '--port', '0', '--json'],
      { stdio: ['ignore', 'pipe', 'pipe'] },
    );
    const line = await new Promise<string>((resolve) =>
      server.stdout.once('data', (data: Buffer) => resolve(data.toString())),
    );
    const { port, tasks } = JSON.parse(line) as { port: number; tasks: string[] };
    expect(tasks).toEqual(golden.tasks);
    const socket = new WebSocket(`ws://127.0.0.1:${port}/openpi`);
    const closed = new Promise<number>((resolve) => socket.on('close', resolve));
    await new Promise((resolve) => socket.on('message', resolve));
    const code = new Promise<number | null>((resolve) => server.on('exit', resolve));
    server.kill('SIGTERM');
    expect(await code).toBe(143);
    expect(await closed).toBe(1001);
  });

  it('wants a token for other machines and a port', () => {
    const open = mergevla('serve', join(folder, 'compact'), '--port', '0', '--host', '0.0.0.0');
    expect(open.stderr).toContain('--token');
    expect(open.status).toBe(2);
    expect(mergevla('serve', join(folder, 'compact')).status).toBe(2);
  });
});

describe('mergevla devices', () => {
  it('lists what can run policies and why others cannot', () => {
    const { devices } = json<{ devices: { id: string; runs: string[]; reason?: string }[] }>(
      'devices',
    );
    expect(devices[0]).toMatchObject({ id: 'cpu', runs: ['merge', 'policy'] });
    for (const { runs, reason } of devices.slice(1))
      expect(runs.includes('policy') || (reason ?? '').length > 20).toBe(true);
  });
});
