/** How grave a problem is. Only `error` stops a merge. */
export type Severity = 'error' | 'warning' | 'information' | 'hint';

/** A place in a text, zero-based, end exclusive, columns in UTF-16 units (as LSP counts them). */
export interface TextRange {
  readonly start: { readonly line: number; readonly column: number };
  readonly end: { readonly line: number; readonly column: number };
}

/** An edit that mends a problem; `title` is what the editor offers. */
export interface Fix {
  readonly title: string;
  readonly edits: readonly { readonly range: TextRange; readonly newText: string }[];
}

/** One finding about a recipe or its files. Never thrown: functions return them beside their value. */
export interface Problem {
  /** `MV1xx` syntax, `MV2xx` schema, `MV3xx` meaning, `MV4xx` files and tensors. */
  readonly code: string;
  readonly severity: Severity;
  /** One sentence without a trailing period that names the file, tensor or key. */
  readonly message: string;
  /** Where in the recipe; the recipe key's range for problems of files. */
  readonly range: TextRange;
  readonly related?: readonly {
    readonly message: string;
    readonly path: string;
    readonly range: TextRange;
  }[];
  readonly fixes?: readonly Fix[];
  /** LSP tags: `unnecessary` greys out, `deprecated` strikes through. */
  readonly tag?: 'unnecessary' | 'deprecated';
}

/** A value as far as it goes, and what is wrong with it. */
export interface Checked<Value> {
  readonly value: Value;
  readonly problems: readonly Problem[];
}
