// `npm run bench:lsp`: cold start, memory, and the time from an edit to its diagnostics on long recipes.
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { startServer } from './language-server.mjs';

const folder = mkdtempSync(join(tmpdir(), 'mergevla-bench-'));
const percentile = (values, share) =>
  [...values].sort((a, b) => a - b)[Math.min(values.length - 1, Math.floor(share * values.length))];

/** About so many lines: tasks are limited, so most are values of a sweep and comments. */
function recipe(lines) {
  const head = ['version: 1', 'base: zoo/base', 'experts:'];
  const tasks = Array.from(
    { length: 40 },
    (_, i) => `  task_${i}: { path: zoo/task_${i}, weight: 1.0 }`,
  );
  const merge = ['merge:', '  method: ties', '  scope:', '    exclude:'];
  const globs = Array.from(
    { length: lines - tasks.length - head.length - merge.length - 1 },
    (_, i) => `      - "language_model.model.layers.${i}.*" # block ${i}`,
  );
  return [...head, ...tasks, ...merge, ...globs, 'router: none', ''].join('\n');
}

const residentMb = (pid) =>
  Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0) / 1024;

async function edits(connection, lines, count) {
  const uri = pathToFileURL(join(folder, `bench-${lines}.mergevla.yaml`)).href;
  const text = recipe(lines);
  let version = 1;
  await connection.sendNotification('textDocument/didOpen', {
    textDocument: { uri, languageId: 'mergevla', version, text },
  });
  const times = [];
  for (let i = 0; i < count; i += 1) {
    // A person types a word near the end of the file, one letter at a time.
    const line = lines - 3;
    const began = performance.now();
    await connection.sendNotification('textDocument/didChange', {
      textDocument: { uri, version: (version += 1) },
      contentChanges: [
        {
          range: { start: { line, character: 9 }, end: { line, character: 9 } },
          text: String.fromCharCode(97 + (i % 26)),
        },
      ],
    });
    await connection.sendRequest('textDocument/diagnostic', { textDocument: { uri } });
    times.push(performance.now() - began);
  }
  return times;
}

const starts = [];
for (let i = 0; i < 5; i += 1) {
  const { child, connection, initialized } = await startServer({
    rootUri: pathToFileURL(folder).href,
  });
  starts.push(initialized);
  connection.dispose();
  child.kill();
}
console.log(`cold start to initialize: median ${percentile(starts, 0.5).toFixed(0)} ms of 5`);

const { child, connection } = await startServer({ rootUri: pathToFileURL(folder).href });
for (const lines of [100, 1000, 5000]) {
  const times = await edits(connection, lines, 100);
  const [median, p95] = [0.5, 0.95].map((share) => percentile(times, share).toFixed(1));
  console.log(`edit to diagnostics, ${lines} lines: median ${median} ms, p95 ${p95} ms`);
}
if (process.platform === 'linux')
  console.log(`resident memory after these: ${residentMb(child.pid).toFixed(0)} MB`);
connection.dispose();
child.kill();
rmSync(folder, { recursive: true, force: true });
