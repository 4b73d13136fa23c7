import type { MaskSnapshot, MergeParameters } from '../../server/protocol/panels/mask-ratios';
import { parameterFields } from '../../server/protocol/panels/mask-ratios';
import type { SpectraRange } from '../../server/protocol/panels/spectra';
import { isSpectraRange } from '../../server/protocol/panels/spectra';
import { arrayOf, isCount, isString, object } from '../../server/protocol/shape';
import type { Theme } from '../shared/theme';
import type { MaskModel } from './model';
import { isSelection } from './model';

/** What the host of a page knows only because the page asked for it: a new host is asked again. */
export interface Kept {
  /** Where the handles stand while that is not what the recipe has. */
  readonly parameters?: MergeParameters;
  readonly pair?: readonly number[];
  /** Blocks whose spectra were measured. */
  readonly spectra?: SpectraRange;
}

const emptySnapshot: MaskSnapshot = {
  phase: { kind: 'loading', text: 'Reading the recipe' },
  banners: [],
  recipes: [],
  sections: [],
  curves: [],
  trusted: true,
};

/** The model before the first message, as far as an earlier page left it in good order. */
export function modelFrom(theme: Theme, state: Readonly<Record<string, unknown>>): MaskModel {
  const { twin, expanded, section, isolated, pinned, argument, selection, zoom } = state;
  return {
    // What was arranged belongs to the recipe that was shown.
    snapshot: isString(argument) ? { ...emptySnapshot, uri: argument } : emptySnapshot,
    theme,
    parameters: { lambda: 0.6, alpha: 1, density: 1 },
    twin: twin === true,
    expanded: expanded === true,
    section: typeof section === 'number' ? section : -1,
    isolated: typeof isolated === 'number' ? isolated : undefined,
    selection: isSelection(selection) ? selection : undefined,
    zoom: isSelection(zoom) ? zoom : undefined,
    pinned: Array.isArray(pinned) ? pinned.filter((one) => typeof one === 'number') : [],
    kept: keptFrom(state),
  };
}

function keptFrom(state: Readonly<Record<string, unknown>>): Kept {
  const { parameters, pair, spectra } = state;
  return {
    ...(isParameters(parameters) ? { parameters } : {}),
    ...(isPair(pair) ? { pair } : {}),
    ...(isSpectraRange(spectra) ? { spectra } : {}),
  };
}

const isParameters = object<MergeParameters>(parameterFields);
const isPair = arrayOf(isCount);

/** What of it fits a recipe and is not on screen already. */
export function stillMissing({ parameters, pair, spectra }: Kept, snapshot: MaskSnapshot): Kept {
  const isShown = JSON.stringify(parameters) === JSON.stringify(snapshot.view?.parameters);
  return {
    ...(parameters && !isShown ? { parameters } : {}),
    ...(pair && !snapshot.pair && isPairOf(snapshot, pair) ? { pair } : {}),
    ...(spectra !== undefined && !snapshot.spectra ? { spectra } : {}),
  };
}

function isPairOf({ recipe }: MaskSnapshot, [first, second]: readonly number[]): boolean {
  if (!recipe || first === undefined || second === undefined) return false;
  return first < second && second < recipe.tasks.length;
}
