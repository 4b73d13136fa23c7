import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { executeMerge } from '../../server/jobs/execute';
import type { RunEvent } from '../../server/protocol/events';
import { bfloat16Tensor, digest, merge, planText, temporaryFolder } from '../engine/driver';
import { recipeText, writeZoo, type Model } from '../engine/zoo';

describe('ties of the election', () => {
  const n = 2048;
  /** The first numbers, which alone are sampled, say minus; all others say plus. */
  const values = (sign: number): Float32Array =>
    Float32Array.from({ length: n }, (_, i) => {
      if (i < n / 1024) return -8;
      if (i < 100) return sign;
      return i < 300 ? Math.max(0, sign) : 0;
    });
  const model = (v: Float32Array): Model => ({
    'model.embed_tokens.weight': bfloat16Tensor([n], v),
    'model.norm.weight': bfloat16Tensor([n], v),
  });
  const misleading = writeZoo({
    base: model(new Float32Array(n)),
    pick: model(values(1)),
    push: model(values(-1)),
  });
  const text = recipeText(['pick', 'push'], { merge: { method: 'ties', density: 0.5 } });

  it('go by the exact sign of the model where the first guess at it was wrong', async () => {
    const events: RunEvent[] = [];
    const { tensors, report } = await merge(text, {
      beside: misleading,
      onEvent: (event) => events.push(event),
    });
    for (const [name, { values: found }] of tensors('task_vector.safetensors'))
      expect(Array.from(found), name).toEqual(
        Array.from({ length: n }, (_, i) => (i < 2 ? -16 : i < 300 ? 1 : 0)),
      );
    expect(report.total.norm['merged']).toBeCloseTo(Math.sqrt(2 * (2 * 256 + 298)), 10);
    const last = events.filter((e) => e.type === 'progress').at(-1)!;
    expect(last.type === 'progress' && last.done === last.total).toBe(true);
  });

  it('go by it also where a killed merge had begun with the wrong guess', async () => {
    const whole = await merge(text, { beside: misleading });
    const plan = await planText(text, { beside: misleading });
    const directory = temporaryFolder();
    const stop = new AbortController();
    const onEvent = (event: RunEvent): void => {
      if (event.type === 'progress' && event.phase === 'merge') stop.abort();
    };
    const options = { directory, threads: 1 } as const;
    await expect(executeMerge(plan, { ...options, signal: stop.signal, onEvent })).rejects.toThrow(
      'cancelled',
    );
    expect(readFileSync(join(directory, 'merge.journal.jsonl'), 'utf8')).toContain('"ties":98');
    const report = await executeMerge(plan, { ...options, resume: true });
    expect(report).toEqual(whole.report);
    expect(digest(join(directory, 'merged'))).toBe(digest(join(whole.folder, 'merged')));
  });
});
