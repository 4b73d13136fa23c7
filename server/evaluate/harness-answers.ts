import type { EpisodeLine } from '../protocol/episode-line';
import { MergeError } from '../protocol/merge-error';
import { isBoolean, isCount, isNumber, isRecord, isString, recordOf } from '../protocol/shape';

/** A line that is longer is no answer, and is not kept in memory either. */
const largestLine = 2 ** 20;

/** Cuts a stream into lines with bounded memory. */
export class LineSplitter {
  private rest = Buffer.alloc(0);

  constructor(private readonly take: (line: string) => void) {}

  /** Throws MV555 for a line without an end. */
  add(bytes: Buffer): void {
    let pending = Buffer.concat([this.rest, bytes]);
    for (let end = pending.indexOf(0x0a); end >= 0; end = pending.indexOf(0x0a)) {
      const line = pending.subarray(0, end);
      pending = pending.subarray(end + 1);
      this.take(line.toString('utf8'));
    }
    if (pending.length > largestLine) throw badAnswer(`a line of more than ${largestLine} bytes`);
    this.rest = Buffer.from(pending);
  }

  /** The last line may lack its line feed. */
  end(): void {
    const last = this.rest.toString('utf8');
    this.rest = Buffer.alloc(0);
    if (last !== '') this.take(last);
  }
}

type Outcome = Omit<EpisodeLine, 'policy' | 'task' | 'seed'>;

/** One answer: the episode's number in the job, and what its line takes over. */
export interface HarnessAnswer {
  readonly episode: number;
  readonly outcome: Outcome;
}

/**
 * Reads one line of a harness. Lines that are not JSON objects with an `episode` are what programs
 * print along the way: undefined. Throws MV555 for an answer that does not say how the episode ended.
 */
export function parseAnswer(text: string): HarnessAnswer | undefined {
  const value = parseObject(text);
  if (!value || !('episode' in value)) return undefined;
  const { episode, success, error, steps } = value;
  if (!isCount(episode)) throw badAnswer(`an episode that is no number from 0 on: ${text}`);
  const crashed = isString(error) && error !== '';
  if (!crashed && !isBoolean(success))
    throw badAnswer(`episode ${episode} with neither success (true or false) nor error`);
  const outcome = {
    success: !crashed && success === true,
    steps: isCount(steps) ? steps : 0,
    ...(crashed ? { error: error.slice(0, 1000) } : {}),
    ...optionalFields(value),
  };
  return { episode, outcome };
}

function optionalFields(value: Readonly<Record<string, unknown>>): Partial<Outcome> {
  const { seconds, reason, routed, scores, softmax } = value;
  const areNumbers = recordOf(isNumber);
  return {
    ...(isNumber(seconds) && { seconds }),
    ...(isString(reason) && { reason: reason.slice(0, 1000) }),
    ...(isString(routed) && { routed }),
    ...(areNumbers(scores) && { scores }),
    ...(areNumbers(softmax) && { softmax }),
  };
}

function parseObject(text: string): Readonly<Record<string, unknown>> | undefined {
  if (!text.trimStart().startsWith('{')) return undefined;
  try {
    const value: unknown = JSON.parse(text);
    return isRecord(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

function badAnswer(what: string): MergeError {
  return new MergeError('MV555', `answered ${what}`, { fault: 'system' });
}
