import { Cancelled, MergeError } from '../protocol/merge-error';
import { oneLine } from '../recipe/problems';
import type { Terminal } from './terminal';
import { exitCodes } from './verb';

/** Says in one sentence what went wrong and gives the exit status. */
export function reportFailure(
  error: unknown,
  terminal: Terminal,
  signalCode: number | undefined,
): number {
  const { code, message, status } = describe(error, signalCode);
  if (terminal.options.json)
    terminal.print(JSON.stringify({ error: { code, message } }, undefined, 2));
  const label = terminal.noteStyle.red(status === exitCodes.usage ? 'usage' : 'error');
  const sentence = `${label}: ${oneLine(message)}${code ? ` [${code}]` : ''}`;
  terminal.complain(error instanceof Cancelled ? message : sentence);
  if (process.env['MERGEVLA_DEBUG'] && error instanceof Error) terminal.complain(error.stack ?? '');
  return status;
}

/** The same as plain data, for answers that go on after it. */
export function describeFailure(error: unknown): Pick<Failure, 'code' | 'message'> {
  const { code, message } = describe(error, undefined);
  return { code, message };
}

interface Failure {
  readonly code: string;
  readonly message: string;
  readonly status: number;
}

function describe(error: unknown, signalCode: number | undefined): Failure {
  if (error instanceof Cancelled || signalCode !== undefined)
    return { code: '', message: 'interrupted', status: signalCode ?? exitCodes.failed };
  if (error instanceof MergeError) return describeMergeError(error);
  if (isSystemError(error)) return { code: 'MV532', ...describeSystemError(error) };
  const text = error instanceof Error ? error.message : String(error);
  return {
    code: 'MV549',
    message: `a fault of mergevla itself: ${text}; set MERGEVLA_DEBUG=1 to see where`,
    status: exitCodes.failed,
  };
}

function describeMergeError(error: MergeError): Failure {
  const statuses = { data: exitCodes.data, system: exitCodes.failed, usage: exitCodes.usage };
  return { code: error.code, message: error.message, status: statuses[error.fault] };
}

function isSystemError(error: unknown): error is NodeJS.ErrnoException {
  return error instanceof Error && 'errno' in error && 'code' in error;
}

function describeSystemError(error: NodeJS.ErrnoException): { message: string; status: number } {
  const what: Readonly<Record<string, string>> = {
    ENOSPC: 'the disk is full',
    EDQUOT: 'the disk quota is used up',
    EFBIG: 'the file would be larger than the system allows',
    EACCES: 'permission denied',
    EPERM: 'not permitted',
    EROFS: 'the file system is read-only',
    ENOENT: 'no such file or folder',
    ENOTDIR: 'a part of the path is a file',
    ENAMETOOLONG: 'the name is too long',
    EMFILE: 'too many open files',
  };
  const reason = what[error.code ?? ''] ?? error.message;
  return { message: error.path ? `${error.path}: ${reason}` : reason, status: exitCodes.failed };
}
