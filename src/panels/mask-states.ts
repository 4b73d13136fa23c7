import type {
  MaskRatioAnswer,
  MaskRatioReply,
  MaskSnapshot,
  RecipeFacts,
} from '../../server/protocol/panels/mask-ratios';
import type { JobView } from '../../server/protocol/panels/mask-details';
import type { Banner, Phase } from '../../server/protocol/panels/shared';
import type { RecipeSummary, RunSummary } from '../../server/protocol/methods';

export function noRecipe(recipes: readonly RecipeSummary[], trusted: boolean): MaskSnapshot {
  return {
    phase: {
      kind: 'empty',
      title: 'No recipe is open.',
      text: 'Open a .mergevla.yaml file and its layers appear here.',
      actions: [
        { label: 'New recipe', id: 'newRecipe' },
        { label: 'Open the cubes sample', id: 'openSample' },
      ],
    },
    banners: [],
    recipes: recipes.map(({ uri, label }) => ({ uri, label })),
    sections: [],
    curves: [],
    trusted,
  };
}

type Unready = Exclude<MaskRatioReply, { state: 'ready' }>;

/** What stands in the panel before the first numbers. `waitingFor`: nothing has moved for too long. */
export function phaseOf(reply: Unready, waitingFor: string | undefined): Phase {
  if (reply.state === 'reading')
    return {
      kind: 'loading',
      text: reply.bytesTotal > 0 ? 'Reading a sample' : 'Reading the headers of the checkpoints',
      ...(reply.bytesTotal > 0 ? { done: reply.bytesRead, total: reply.bytesTotal } : {}),
      ...(waitingFor === undefined ? {} : { waitingFor }),
    };
  return {
    kind: 'empty',
    title: 'There are no numbers for this recipe yet.',
    text: `A sample or a finished merge shows what every task keeps, layer by layer: ${reply.reason}.`,
    actions: [
      { label: 'Read again', id: 'again' },
      { label: 'Merge', id: 'merge' },
    ],
  };
}

/** A wait without progress is explained after this long. */
export const patienceMs = 10_000;

/** Knows since when a sample has been no further. */
export class Wait {
  private news = { bytes: -1, since: 0 };

  /** What has been waited for without any news for too long at the time `now`. */
  waitingFor(reply: Unready, now: number): string | undefined {
    if (reply.state !== 'reading') return undefined;
    if (reply.bytesRead !== this.news.bytes) this.news = { bytes: reply.bytesRead, since: now };
    // Who looks again after the whole time may come a little early.
    const late = now - this.news.since >= patienceMs - 500;
    return late ? 'the disk or mount of the checkpoints' : undefined;
  }

  /** There are numbers: the next wait is another one. */
  over(): void {
    this.news = { bytes: -1, since: 0 };
  }
}

/** Over numbers that are older than what they are about. `when`: the time of day they were drawn. */
export function olderBanner(reply: Unready, when: string): Banner {
  if (reply.state === 'reading')
    return {
      level: 'stale',
      text: `The checkpoints are being read again; these numbers are from ${when}`,
      action: { label: 'Stop', id: 'stop' },
    };
  return {
    level: 'stale',
    text: `These numbers are from ${when}: ${reply.reason}`,
    action: { label: 'Read again', id: 'again' },
  };
}

export function lostBanner(when: string): Banner {
  return { level: 'stale', text: `The server stopped at ${when}; it restarts by itself` };
}

export function missingBanner({ missing, tasks }: RecipeFacts): readonly Banner[] {
  if (missing.length === 0) return [];
  const verb = missing.length === 1 ? 'is' : 'are';
  const left = tasks.length - missing.length;
  return [
    {
      level: 'warning',
      text: `${missing.join(', ')} ${verb} not there; ${String(left)} of ${String(tasks.length)} tasks are shown, and totals leave the others out`,
      action: { label: 'Fix path', id: 'fixPath' },
    },
  ];
}

/** Tensors that no number can be given for, by name. */
export function nonfiniteBanner({ report }: MaskRatioAnswer): readonly Banner[] {
  const names = report.nonfinite ?? [];
  const [first] = names;
  if (first === undefined) return [];
  const more = names.length > 1 ? ` and ${String(names.length - 1)} more` : '';
  return [
    {
      level: 'error',
      text: `NaN or infinity in ${first}${more}: no number counts ${names.length > 1 ? 'these tensors' : 'this tensor'}`,
      code: 'MV460',
    },
  ];
}

/** How far the exact pass of a recipe is. */
export function jobView({ progress, state }: RunSummary): JobView {
  return progress ?? { phase: state, done: 0, total: 0, unit: '' };
}

/** The paper's words, when the tasks are LIBERO's suites. */
export function paperWords({ recipe }: MaskRatioAnswer): Pick<MaskSnapshot, 'paper'> {
  const suites = ['spatial', 'object', 'goal'];
  const libero = suites.every((suite) => recipe.tasks.some((task) => task.includes(suite)));
  if (!libero) return {};
  return {
    paper: {
      totals:
        'Paper, supplement Fig. 2 (TA, λ 0.6; picture without numbers): Long lowest in vision and highest in language, Object the reverse, Spatial fairly high in both.',
      coverage: 'Paper: over 75 % selfish for four LIBERO tasks (λ 0.6; base not stated).',
    },
  };
}
