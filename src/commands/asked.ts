import { isRecord } from '../../server/protocol/shape';

/** Why a command gave no answer: its own sentence and code, or the last line it complained with. */
export interface Failure {
  readonly message: string;
  readonly code?: string;
}

export type Asked =
  | { readonly state: 'answered'; readonly value: unknown }
  | { readonly state: 'failed'; readonly failure: Failure }
  | { readonly state: 'cancelled' };

export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** What went wrong, from what the command printed. */
export function failureOf(value: unknown, stderr: string): Failure {
  const error = isRecord(value) ? value['error'] : undefined;
  const [message, code] = isRecord(error) ? [error['message'], error['code']] : [];
  const last = stderr.trim().split('\n').at(-1);
  return {
    message: typeof message === 'string' ? message : last ? last : 'the policy gave no answer',
    ...(typeof code === 'string' ? { code } : {}),
  };
}
