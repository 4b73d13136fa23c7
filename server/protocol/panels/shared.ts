import {
  arrayOf,
  isCount,
  isNumber,
  isRecord,
  isString,
  literal,
  object,
  optional,
  orNull,
} from '../shape';
import type { Estimate } from '../report';
import type { Guard } from '../shape';

/**
 * Every message to a panel carries a revision. A snapshot sets it, each delta is one higher; a panel
 * that misses one says `ready` again and is sent a snapshot.
 */
export interface Revised {
  readonly revision: number;
}

/** A finished run in words: its name, and which recipe it was made of. */
export interface RunName {
  readonly label: string;
  readonly recipeHash?: string;
}

/** One sentence at the top of a panel; the worst is shown, the others are counted. */
export interface Banner {
  readonly level: 'error' | 'stale' | 'warning';
  readonly text: string;
  readonly code?: string;
  /** At most one action: what the button says, and the host's name for it. */
  readonly action?: { readonly label: string; readonly id: string };
}

/** What a panel shows before, or instead of, its numbers. */
export type Phase =
  | { readonly kind: 'ready' }
  | {
      readonly kind: 'empty';
      readonly title: string;
      readonly text: string;
      readonly actions: readonly { readonly label: string; readonly id: string }[];
    }
  | {
      readonly kind: 'loading';
      readonly text: string;
      readonly done?: number;
      readonly total?: number;
      readonly waitingFor?: string;
    };

/** A number on screen: exact, or an estimate with its 95 % interval. */
export type Figure = number | Estimate;

const isBound = orNull(isNumber);
export const isEstimate = object<Estimate>({ value: isNumber, low: isBound, high: isBound });
export const isFigure: Guard<Figure> = (value): value is Figure =>
  isNumber(value) || isEstimate(value);

const isAction = object<{ label: string; id: string }>({ label: isString, id: isString });

export const isBanner = object<Banner>({
  level: literal('error', 'stale', 'warning'),
  text: isString,
  code: optional(isString),
  action: optional(isAction),
});

export const isPhase: Guard<Phase> = (value): value is Phase =>
  object<{ kind: string }>({ kind: isString })(value) &&
  (phases[value.kind as Phase['kind']]?.(value) ?? false);

const phases: Partial<Record<Phase['kind'], Guard<unknown>>> = {
  ready: (value): value is unknown => isRecord(value),
  empty: object<{ title: string; text: string; actions: readonly unknown[] }>({
    title: isString,
    text: isString,
    actions: (value): value is readonly unknown[] =>
      Array.isArray(value) && value.every((item) => isAction(item)),
  }),
  loading: object<{ text: string; done: number; total: number; waitingFor: string }>({
    text: isString,
    done: optional(isNumber),
    total: optional(isNumber),
    waitingFor: optional(isString),
  }),
};

/** Messages that every panel can be sent: all that it shows, or what stands before and above it. */
export type CommonToPanel<Snapshot> =
  | { readonly type: 'snapshot'; readonly snapshot: Snapshot }
  | { readonly type: 'status'; readonly phase: Phase; readonly banners: readonly Banner[] };

export const commonToPanel = <Snapshot>(isSnapshot: Guard<Snapshot>) => ({
  snapshot: object<Revised & { type: 'snapshot'; snapshot: Snapshot }>({
    type: literal('snapshot'),
    revision: isCount,
    snapshot: isSnapshot,
  }),
  status: object<Revised & Extract<CommonToPanel<Snapshot>, { type: 'status' }>>({
    type: literal('status'),
    revision: isCount,
    phase: isPhase,
    banners: arrayOf(isBanner),
  }),
});

/** Messages that every panel can send. `id` is one that the host offered. */
export type CommonFromPanel =
  | { readonly type: 'ready'; readonly revision: number }
  | { readonly type: 'action'; readonly id: string }
  | {
      readonly type: 'export';
      readonly name: string;
      readonly format: ExportFormat;
      /** Text, or base64 for `png`. */
      readonly content: string;
    }
  | { readonly type: 'copy'; readonly text: string };

export type ExportFormat = 'csv' | 'tsv' | 'png' | 'svg' | 'md' | 'tex';

/** A picture or table larger than this was not made by a panel. */
const largestExport = 64 * 1024 * 1024;
const isContent: Guard<string> = (value): value is string =>
  isString(value) && value.length <= largestExport;

export const commonFromPanel = {
  ready: object<{ type: 'ready'; revision: number }>({ type: literal('ready'), revision: isCount }),
  action: object<{ type: 'action'; id: string }>({ type: literal('action'), id: isString }),
  export: object<Extract<CommonFromPanel, { type: 'export' }>>({
    type: literal('export'),
    name: isString,
    format: literal('csv', 'tsv', 'png', 'svg', 'md', 'tex'),
    content: isContent,
  }),
  copy: object<{ type: 'copy'; text: string }>({ type: literal('copy'), text: isContent }),
};
