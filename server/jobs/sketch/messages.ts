import type { SketchReport } from '../../engine/sketch/evaluate';
import type { GroupFigures } from '../../engine/sketch/figures';
import type { SketchPlan } from '../../engine/sketch/plan';
import type { SketchRequest } from './build';

/** Which tensors get figures of their own. */
export type Detail = 'all' | 'none' | readonly string[];

/** To the thread that holds sketches. A zoo is named by a key of the caller's. */
export type ToSketchThread =
  | {
      readonly kind: 'build';
      readonly key: string;
      readonly request: Omit<SketchRequest, 'signal'>;
      /** Where samples are kept; absent: nowhere. */
      readonly folder?: string | undefined;
    }
  | { readonly kind: 'stop' | 'forget'; readonly key: string }
  | {
      readonly kind: 'evaluate';
      readonly id: number;
      readonly key: string;
      readonly plan: SketchPlan;
      readonly detail: Detail;
      /** Answer from the first round alone, while a slider moves. */
      readonly quick: boolean;
    }
  | {
      /** Totals of many plans from the first round: the points of a curve. */
      readonly kind: 'sweep';
      readonly id: number;
      readonly key: string;
      readonly plans: readonly SketchPlan[];
    };

export interface SketchProgress {
  readonly key: string;
  /** The last round that is read, from 0; 2 is the last. */
  readonly round: number;
  readonly bytesRead: number;
}

/** From the thread. */
export type FromSketchThread =
  | ({ readonly kind: 'round' } & SketchProgress)
  | {
      readonly kind: 'failed';
      readonly key: string;
      readonly code: string;
      readonly message: string;
    }
  | { readonly kind: 'report'; readonly id: number; readonly report: SketchReport | null }
  | {
      readonly kind: 'totals';
      readonly id: number;
      readonly totals: readonly GroupFigures[] | null;
    };
