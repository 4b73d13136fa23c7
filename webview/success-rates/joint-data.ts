import type { EpisodeRecording } from '../../server/protocol/episode';
import { decodePositions, decodeTargets, hingesOf } from '../../server/protocol/episode';
import { missing, number } from '../shared/format';
import type { Twin } from '../shared/twin';
import { plainCell } from '../shared/twin';

/** One joint over an episode, in degrees. */
export interface JointCurve {
  readonly name: string;
  /** At the end of each step, the start first. */
  readonly reached: readonly number[];
  /** In force during each step; undefined in a recording without targets. */
  readonly targets: readonly number[] | undefined;
}

export const jointsTitle = 'Joints in degrees';

const degrees = (radians: number): number => (radians * 180) / Math.PI;

/** The arm's joints over a recorded episode. */
export function jointCurves(recording: EpisodeRecording): readonly JointCurve[] {
  const rows = decodePositions(recording) ?? [];
  const targets = decodeTargets(recording);
  return hingesOf(recording.scene).map(({ name, address }, joint) => ({
    name,
    reached: rows.map((row) => degrees(row[address] ?? Number.NaN)),
    targets: targets?.map((row) => degrees(row[joint] ?? Number.NaN)),
  }));
}

/** What a joint is told at a step; at the end what it was told last. */
export const targetAt = ({ targets }: JointCurve, step: number): number =>
  targets?.[Math.min(step, targets.length - 1)] ?? Number.NaN;

export const reachedAt = ({ reached }: JointCurve, step: number): number =>
  reached[step] ?? Number.NaN;

export const angle = (value: number): string =>
  Number.isFinite(value) ? `${number(value, 1)}°` : missing;

/** The mark at a step in words. */
export function jointSentence(curve: JointCurve, step: number): string {
  const told = targetAt(curve, step);
  const target = Number.isFinite(told) ? `, target ${number(told, 1)} degrees` : '';
  return `${curve.name}, step ${String(step)}: reached ${number(reachedAt(curve, step), 1)} degrees${target}`;
}

/** How closely a joint followed, over the whole episode. */
export function jointSummary({ name, reached, targets }: JointCurve): string {
  if (!targets || targets.length === 0) return `${name}: reached angles, no targets recorded`;
  const gaps = targets.map((target, step) => Math.abs(target - (reached[step + 1] ?? target)));
  const mean = gaps.reduce((sum, gap) => sum + gap, 0) / gaps.length;
  const most = gaps.reduce((largest, gap) => Math.max(largest, gap), 0);
  return `${name}: ${number(mean, 1)} degrees from its target on average, ${number(most, 1)} at most`;
}

/** The curves as a table: one line a step. */
export function jointTwin(recording: EpisodeRecording): Twin {
  const curves = jointCurves(recording);
  const { calls } = recording;
  return {
    title: jointsTitle,
    head: ['step', 'policy asked', ...curves.flatMap(({ name }) => [name, `${name} target`])],
    rows: Array.from({ length: recording.steps + 1 }, (_, step) => {
      const asked = calls ? (calls.includes(step) ? 'yes' : 'no') : '';
      return {
        name: String(step),
        cells: [
          { shown: asked || missing, exact: asked },
          ...curves.flatMap((curve) =>
            [reachedAt(curve, step), targetAt(curve, step)].map((value) =>
              plainCell(value, number(value, 1)),
            ),
          ),
        ],
      };
    }),
  };
}
