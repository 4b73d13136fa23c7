import type { MaskSnapshot, ToMaskPanel } from '../../server/protocol/panels/mask-ratios';
import { withDelta } from './spectra-card';

/** A snapshot with what a later message brings. */
export function applied(
  snapshot: MaskSnapshot,
  message: Exclude<ToMaskPanel, { type: 'snapshot' }>,
): MaskSnapshot {
  switch (message.type) {
    case 'view':
      return { ...snapshot, view: message.view };
    case 'curves': {
      const names = new Set(message.curves.map(({ parameter }) => parameter));
      const kept = snapshot.curves.filter(({ parameter }) => !names.has(parameter));
      return { ...snapshot, curves: [...kept, ...message.curves] };
    }
    case 'drawer':
      return { ...snapshot, drawer: message.drawer };
    case 'pair':
      return withPart(snapshot, 'pair', message.pair);
    case 'tensor':
      return withPart(snapshot, 'tensor', message.tensor);
    case 'job':
      return withPart(snapshot, 'job', message.job);
    case 'spectra':
      return { ...snapshot, spectra: withDelta(snapshot.spectra, message) };
    case 'status':
      return { ...snapshot, phase: message.phase, banners: message.banners };
  }
}

/** A snapshot with one of its details, or without it. */
export function withPart<K extends 'pair' | 'tensor' | 'job'>(
  snapshot: MaskSnapshot,
  name: K,
  part: NonNullable<MaskSnapshot[K]> | null,
): MaskSnapshot {
  const rest: { -readonly [P in keyof MaskSnapshot]: MaskSnapshot[P] } = { ...snapshot };
  if (part === null) delete rest[name];
  else Object.assign(rest, { [name]: part });
  return rest;
}
