import {
  arrayOf,
  isBoolean,
  isCount,
  isRecord,
  isString,
  object,
  optional,
  recordOf,
} from './shape';

/** Results of one policy on one task of which only the counts are known. */
export interface ForeignCounts {
  readonly policy: string;
  readonly task: string;
  readonly successes: number;
  readonly trials: number;
}

/** Trials on a robot that a person judged. */
export interface ManualFacts {
  readonly blind: boolean;
  readonly sharedStarts: boolean;
  /** Disturbed trials, which were repeated. */
  readonly voided: number;
  readonly criteria: Readonly<Record<string, string>>;
  readonly judge?: string;
}

/** What `import.json` says beside the episodes of an imported run. */
export interface ImportFacts {
  /** Without seeds of their own, episodes are no pairs. */
  readonly seeds: boolean;
  readonly counts: readonly ForeignCounts[];
  /** What is missing. */
  readonly partial?: string;
  readonly manual?: ManualFacts;
}

const isCounts = arrayOf(
  object<ForeignCounts>({ policy: isString, task: isString, successes: isCount, trials: isCount }),
);
const isManual = object<ManualFacts>({
  blind: isBoolean,
  sharedStarts: isBoolean,
  voided: isCount,
  criteria: recordOf(isString),
  judge: optional(isString),
});

/** A file that cannot be read makes a partial result: its episodes are there all the same. */
export function parseImportFacts(text: string): ImportFacts {
  try {
    const value: unknown = JSON.parse(text);
    if (!isRecord(value)) return unreadable;
    const { partial, seeds, counts, manual } = value;
    return {
      seeds: seeds === true,
      counts: isCounts(counts) ? counts : [],
      ...(isString(partial) ? { partial } : {}),
      ...(isManual(manual) ? { manual } : {}),
    };
  } catch {
    return unreadable;
  }
}

const unreadable: ImportFacts = {
  seeds: false,
  counts: [],
  partial: 'import.json cannot be read',
};
