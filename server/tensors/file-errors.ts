import { MergeError } from '../protocol/merge-error';

/** What the operating system called the failure (`ENOENT` …), if it was one of its own. */
export function systemCode(cause: unknown): string | undefined {
  if (typeof cause !== 'object' || cause === null || !('code' in cause)) return undefined;
  return typeof cause.code === 'string' ? cause.code : undefined;
}

/** A file that could not be opened or read. */
export function unreadable(path: string, cause: unknown): MergeError {
  const code = systemCode(cause);
  switch (code) {
    case 'ENOENT':
    case 'ENOTDIR':
      return new MergeError('MV410', `${path} does not exist`, { cause });
    case 'ERR_INVALID_ARG_VALUE':
      return new MergeError('MV410', `${path} is no path: it holds a zero byte`, { cause });
    case 'ENAMETOOLONG':
      return new MergeError('MV410', 'the path is longer than the system allows', { cause });
    case 'ELOOP':
      return new MergeError('MV411', `${path} cannot be read: its links go round`, { cause });
    case 'EACCES':
    case 'EPERM':
      return new MergeError('MV411', `${path} cannot be read: permission denied`, { cause });
    case 'EISDIR':
      return new MergeError('MV411', `${path} is a folder where a file is needed`, { cause });
    default:
      return new MergeError('MV411', `${path} cannot be read: ${reason(cause)}`, {
        cause,
        fault: 'system',
      });
  }
}

/** A file that could not be written. A full disk and a quota have their own sentence. */
export function unwritable(path: string, cause: unknown): MergeError {
  const code = systemCode(cause);
  if (code === 'ENOSPC' || code === 'EDQUOT')
    return new MergeError('MV451', `there is no space left on the disk to write ${path}`, {
      cause,
      fault: 'system',
    });
  if (code === 'EACCES' || code === 'EPERM' || code === 'EROFS')
    return new MergeError('MV450', `${path} cannot be written: permission denied`, {
      cause,
      fault: 'system',
    });
  return new MergeError('MV452', `${path} cannot be written: ${reason(cause)}`, {
    cause,
    fault: 'system',
  });
}

/** A file that is not what it was when its header was read. */
export function changed(path: string, how: string): MergeError {
  return new MergeError('MV422', `${path} ${how} while it was being read; start again`, {
    fault: 'data',
  });
}

function reason(cause: unknown): string {
  return cause instanceof Error ? cause.message : String(cause);
}
