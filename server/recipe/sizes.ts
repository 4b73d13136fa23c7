const units: Readonly<Record<string, number>> = {
  '': 1,
  k: 1e3,
  M: 1e6,
  G: 1e9,
  T: 1e12,
  ki: 2 ** 10,
  Mi: 2 ** 20,
  Gi: 2 ** 30,
  Ti: 2 ** 40,
};

/** Bytes of `2GiB`, `500 MB` or a plain number; undefined when it is none of these. */
export function parseSize(size: string | number): number | undefined {
  if (typeof size === 'number') return size;
  const match = /^\s*(\d+(?:\.\d+)?)\s*([kKMGT]i?)?B?\s*$/.exec(size);
  const unit = units[(match?.[2] ?? '').replace('K', 'k')];
  return match && unit !== undefined ? Math.round(Number(match[1]) * unit) : undefined;
}
