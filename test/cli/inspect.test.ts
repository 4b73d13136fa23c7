import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { SpectrumLine, SpectrumReport, TensorSpectrum } from '../../server/protocol/spectrum';
import { isSpectrumLine } from '../../server/protocol/spectrum';
import { fixtures, mergevla, temporaryFolder } from './command';
import { float32, writeSafetensors } from './zoo';

const folder = temporaryFolder();

function recipe(name: string, base: string, experts: Readonly<Record<string, string>>): string {
  const path = join(folder, `${name}.mergevla.yaml`);
  const lines = Object.entries(experts).map(([task, expert]) => `  ${task}: ${expert}`);
  writeFileSync(path, `version: 1\nbase: ${base}\nexperts:\n${lines.join('\n')}\n`);
  return path;
}

const models = join(fixtures, 'golden/models/vla-bf16');
const golden = recipe('golden', join(models, 'base'), {
  spatial: join(models, 'spatial'),
  object: join(models, 'object'),
  goal: join(models, 'goal'),
});

interface Figure {
  readonly value: number;
  readonly low: number | null;
  readonly high: number | null;
}
interface Sampled {
  readonly exact: boolean;
  readonly total: {
    elements: number;
    active: Record<string, Figure>;
    coverage: Figure[];
    sign_conflict: Record<string, Figure>;
  };
  readonly lambda?: readonly { lambda: number; active: Record<string, Figure> }[];
}

async function inspect(args: readonly string[]): Promise<Sampled> {
  const { code, stdout, stderr } = await mergevla(['inspect', ...args, '--json']);
  expect(stderr).toBe('');
  expect(code).toBe(0);
  return JSON.parse(stdout) as Sampled;
}

describe('inspect', () => {
  it('reads a small zoo whole: the sample gives the exact counts', async () => {
    const sampled = await inspect([golden]);
    const exact = JSON.parse((await mergevla(['inspect', golden, '--exact', '--json'])).stdout) as {
      total: { active: Record<string, number>; coverage: number[] };
    };
    expect(sampled.exact).toBe(true);
    for (const [task, count] of Object.entries(exact.total.active))
      expect(sampled.total.active[task]).toEqual({ value: count, low: count, high: count });
    expect(sampled.total.coverage.map(({ value }) => value)).toEqual(exact.total.coverage);
  });

  it('samples a larger one, with intervals that are not points', async () => {
    const model = (step: number): string => {
      const path = join(folder, `large-${String(step)}`, 'model.safetensors');
      const wave = (i: number): number => Math.sin(i * 0.37) + step * Math.sin(i * (1.3 + step));
      writeSafetensors(path, { 'model.layers.0.mlp.up_proj.weight': float32([1536, 3072], wave) });
      return join(folder, `large-${String(step)}`);
    };
    const large = recipe('large', model(0), { one: model(0.5), two: model(0.7) });
    const { exact, total } = await inspect([large]);
    expect(exact).toBe(false);
    const { value, low, high } = total.active['one'];
    expect(low!).toBeLessThan(value);
    expect(high!).toBeGreaterThan(value);
  });

  it('follows λ from one reading', async () => {
    const { lambda = [] } = await inspect([golden, '--lambda', '0.2:0.8:0.2']);
    expect(lambda.map((point) => point.lambda)).toEqual([0.2, 0.4, 0.6, 0.8]);
    const active = lambda.map((point) => point.active['spatial'].value);
    expect(active).toEqual([...active].sort((a, b) => b - a));
  });

  it.each(['3', '0.9:0.2:0.1', '0:1:0', 'a:b:c', '0:1:0.0001'])(
    'refuses --lambda %s',
    async (text) => {
      const { code, stderr } = await mergevla(['inspect', golden, '--lambda', text]);
      expect(code).toBe(2);
      expect(stderr).toContain('0.2:0.9:0.1');
    },
  );

  it('tells spectra line by line, as the report has them, and from the cache the same', async () => {
    const only = ['--only', '*q_proj*', '--only', '*o_proj*'];
    const spectrum = ['inspect', golden, '--spectrum', ...only, '--rank', '4'];
    const whole = JSON.parse((await mergevla([...spectrum, '--json'])).stdout) as SpectrumReport;
    const cache = ['--cache', join(folder, 'spectra')];
    for (const more of [cache, cache]) {
      const { code, stdout } = await mergevla([...spectrum, '--lines', ...more]);
      expect(code).toBe(0);
      const lines = stdout
        .trim()
        .split('\n')
        .map((line): unknown => JSON.parse(line));
      const known = lines.filter((line): line is SpectrumLine => isSpectrumLine(line));
      expect(known.length).toBe(lines.length);
      const { tensors, ...scope } = whole;
      expect(known[0]).toEqual({ type: 'scope', scope });
      const found = known.flatMap((line) => (line.type === 'matrix' ? (line.tensor ?? []) : []));
      const byName = (a: TensorSpectrum, b: TensorSpectrum) => a.name.localeCompare(b.name);
      expect(found.toSorted(byName)).toEqual(tensors.toSorted(byName));
    }
    // More matrices than the cache has: those that it has, and no others are measured.
    const known = ['inspect', golden, '--spectrum', '--rank', '4', '--known'];
    const asked = JSON.parse(
      (await mergevla([...known, ...cache, '--json'])).stdout,
    ) as SpectrumReport;
    expect(asked.tensors).toEqual(whole.tensors);
    expect(asked.matrices).toBeGreaterThan(whole.matrices);
    for (const [wrong, reason] of [
      [['inspect', golden, '--lines'], '--lines is a form of --spectrum'],
      [known, '--known shows what --spectrum has left in its --cache'],
    ] as const) {
      const { code, stderr } = await mergevla([...wrong]);
      expect(code).toBe(2);
      expect(stderr).toContain(reason);
    }
  });
});
