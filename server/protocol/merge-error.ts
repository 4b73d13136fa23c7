/** Where a failure lies, which decides the exit status of the command. */
export type Fault = 'data' | 'system' | 'usage';

/**
 * A failure a person can act on: one sentence without a trailing period that names the file, tensor
 * or key, and a code from the same table as diagnostics. Made by named functions next to the rule.
 */
export class MergeError extends Error {
  override readonly name = 'MergeError';

  constructor(
    readonly code: string,
    message: string,
    readonly options: {
      readonly fault?: Fault;
      readonly cause?: unknown;
      readonly data?: Readonly<Record<string, unknown>>;
    } = {},
  ) {
    super(message, { cause: options.cause });
  }

  /** `data`: exit 65, nothing written. `system`: exit 1. `usage`: exit 2. */
  get fault(): Fault {
    return this.options.fault ?? 'data';
  }
}

/** The user stopped the work. Never shown as an error. */
export class Cancelled extends Error {
  override readonly name = 'Cancelled';
  constructor() {
    super('cancelled');
  }
}

/** Throws `Cancelled` once the signal has fired. */
export function throwIfCancelled(signal: AbortSignal | undefined): void {
  if (signal?.aborted) throw new Cancelled();
}
