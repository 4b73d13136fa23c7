import { randomBytes } from 'node:crypto';
import { linkSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { MergeError } from '../protocol/merge-error';
import { isAlive, ownIdentity, type ProcessIdentity } from './process-identity';

export const lockName = '.lock';
/** A holder on another machine counts as gone when its event log was quiet for so long. */
const remoteSilenceMs = 15 * 60_000;

/** The right to write one run directory. */
export interface Lock {
  release(): void;
}

/**
 * Takes the right to write `folder`. A lock whose process has gone is taken over.
 * Throws MV531 while another process holds it.
 */
export function lockFolder(folder: string): Lock {
  const path = join(folder, lockName);
  const own = JSON.stringify(ownIdentity());
  for (let attempt = 0; attempt < 5; attempt++) {
    try {
      writeFileSync(path, own, { flag: 'wx' });
      return { release: () => rmSync(path, { force: true }) };
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    }
    const found = readLock(path);
    if (found === undefined) continue;
    if (isHeld(found.identity, folder)) throw folderIsHeld(folder, found.identity);
    removeStaleLock(path, found.text);
  }
  throw new MergeError('MV531', `${folder} could not be locked: other processes keep taking it`, {
    fault: 'system',
  });
}

/** The holder of a folder's lock while it is at work there. */
export function lockHolder(folder: string): ProcessIdentity | undefined {
  const found = readLock(join(folder, lockName));
  return found && isHeld(found.identity, folder) ? found.identity : undefined;
}

function isHeld(identity: ProcessIdentity | undefined, folder: string): boolean {
  // A lock without content was just made, or its maker was killed while making it.
  if (!identity) return quietFor(join(folder, lockName)) < 2_000;
  return isAlive(identity) ?? quietFor(join(folder, 'events.jsonl')) < remoteSilenceMs;
}

function quietFor(path: string): number {
  try {
    return Date.now() - statSync(path).mtimeMs;
  } catch {
    return 0;
  }
}

function readLock(
  path: string,
): { text: string; identity: ProcessIdentity | undefined } | undefined {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
  try {
    return { text, identity: JSON.parse(text) as ProcessIdentity };
  } catch {
    return { text, identity: undefined };
  }
}

/** Moves the lock aside first: of two processes that saw it stale, one gets it. */
function removeStaleLock(path: string, expected: string): void {
  const aside = `${path}.${randomBytes(4).toString('hex')}`;
  try {
    renameSync(path, aside);
  } catch {
    return;
  }
  try {
    if (readFileSync(aside, 'utf8') !== expected) linkSync(aside, path);
  } catch {
    // The other process has made a new lock already; the next attempt meets it.
  } finally {
    rmSync(aside, { force: true });
  }
}

function folderIsHeld(folder: string, holder: ProcessIdentity | undefined): MergeError {
  const where = holder ? `process ${holder.pid} on ${holder.host}` : 'another process';
  return new MergeError('MV531', `${folder} is being written by ${where}`, { fault: 'system' });
}
