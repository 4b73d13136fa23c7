/** A key or an index of a list, from the root. */
export type RecipePath = readonly (string | number)[];

/** Offsets into the text, end exclusive. */
export type Span = readonly [number, number];

/** A value of the recipe that knows where it stands. Aliases share the node of their anchor. */
export type Located = LocatedMap | LocatedList | LocatedScalar;

export interface LocatedMap {
  readonly kind: 'map';
  readonly span: Span;
  readonly flow: boolean;
  /** Own entries in order, then those that come by `<<`. */
  readonly entries: readonly Entry[];
}

export interface LocatedList {
  readonly kind: 'list';
  readonly span: Span;
  readonly flow: boolean;
  readonly items: readonly Item[];
}

export interface LocatedScalar {
  readonly kind: 'scalar';
  readonly span: Span;
  readonly value: string | number | boolean | null;
  /** True when nothing is written: `key:` alone. */
  readonly empty: boolean;
}

export interface Item {
  readonly value: Located;
  /** Where the value stands in this list; of an alias the alias itself. */
  readonly span: Span;
  readonly alias?: string;
}

export interface Entry extends Item {
  readonly key: string;
  readonly keySpan: Span;
  /** True when the entry comes from a merge key; its spans lie at the anchor. */
  readonly merged: boolean;
}

/** The entry or item at a path, if there is one. */
export function find(root: Located | undefined, path: RecipePath): Entry | Item | undefined {
  let node = root;
  let found: Entry | Item | undefined;
  for (const step of path) {
    found = node && child(node, step);
    if (!found) return undefined;
    node = found.value;
  }
  return found;
}

export function child(node: Located, step: string | number): Entry | Item | undefined {
  if (node.kind === 'map') return node.entries.find((entry) => entry.key === String(step));
  if (node.kind === 'list' && typeof step === 'number') return node.items[step];
  return undefined;
}

/** The plain value of a node, as JSON would hold it. Keys that would touch a prototype are left out. */
export function plainValue(node: Located): unknown {
  if (node.kind === 'scalar') return node.value;
  if (node.kind === 'list') return node.items.map((item) => plainValue(item.value));
  const value: Record<string, unknown> = {};
  for (const entry of node.entries)
    if (entry.key !== '__proto__' && !Object.hasOwn(value, entry.key))
      value[entry.key] = plainValue(entry.value);
  return value;
}
