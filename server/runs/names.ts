import { randomBytes } from 'node:crypto';

/** `<name>-<YYYYMMDD-HHMMSS>-<4 hex>`: sorts by time, and two runs of one second differ. */
export function runId(name: string, now = new Date()): string {
  const digits = now.toISOString().replace(/[-:]/g, '');
  const stamp = `${digits.slice(0, 8)}-${digits.slice(9, 15)}`;
  return `${folderName(name)}-${stamp}-${randomBytes(2).toString('hex')}`;
}

/** A recipe's name as a folder name on every platform. */
export function folderName(name: string): string {
  const safe = name
    .normalize('NFC')
    .replace(/[^\p{L}\p{N}._-]+/gu, '-')
    .replace(/^[.-]+|[.-]+$/g, '')
    .slice(0, 80);
  return safe === '' ? 'merge' : safe;
}
