/** How often a parent is looked for that cannot be noticed by a closed pipe. */
const lookMs = 500;

/**
 * Ends this process soon after its parent: at once when the channel or standard input closes, and within
 * a second when the process named at the start has gone. An orphan would keep memory and watchers.
 */
export function endWithParent(parent: number | null): NodeJS.Timeout | undefined {
  process.on('disconnect', () => process.exit(0));
  if (process.send === undefined) process.stdin.on('close', () => process.exit(0));
  if (parent === null) return undefined;
  const timer = setInterval(() => {
    if (!exists(parent)) process.exit(0);
  }, lookMs);
  timer.unref();
  return timer;
}

function exists(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}
