// `npm test`: builds, then runs every suite and prints one closing line with the sums.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, rmSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const results = `${root}test-results`;
rmSync(results, { recursive: true, force: true });
mkdirSync(results);

const total = { passed: 0, failed: 0, skipped: 0 };
const node = (args, env = {}) =>
  spawnSync(process.execPath, args, {
    cwd: root,
    stdio: 'inherit',
    env: { ...process.env, ...env },
  }).status ?? 1;

/** A step that counts as one test: it passes or it fails. */
function step(name, args) {
  const failed = node(args) !== 0;
  total[failed ? 'failed' : 'passed'] += 1;
  console.log(`${failed ? 'FAILED' : 'ok'}: ${name}`);
}

/** A suite that writes {passed, failed, skipped} to its result file; no file or nothing passed is a failure. */
function suite(name, args, read) {
  const status = node(args);
  const counts = read();
  if (
    !counts ||
    (counts.passed === 0 && counts.skipped === 0) ||
    (status !== 0 && counts.failed === 0)
  ) {
    total.failed += 1;
    console.log(`FAILED: ${name} ended with status ${status} and no usable result`);
    return;
  }
  for (const key of Object.keys(total)) total[key] += counts[key];
  console.log(
    `${name}: ${counts.passed} passed, ${counts.failed} failed, ${counts.skipped} skipped`,
  );
}

function vitestCounts() {
  const file = `${results}/vitest.json`;
  if (!existsSync(file)) return undefined;
  const report = JSON.parse(readFileSync(file, 'utf8'));
  const emptyFiles = report.testResults.filter(
    (r) => r.status === 'failed' && r.assertionResults.length === 0,
  ).length;
  return {
    passed: report.numPassedTests,
    failed: report.numFailedTests + emptyFiles,
    skipped: report.numPendingTests + report.numTodoTests,
  };
}

step('build', ['scripts/build.mjs']);
step('types', ['node_modules/typescript/bin/tsc', '--build']);
step('lint', ['node_modules/eslint/bin/eslint.js', '--max-warnings', '0', '.']);
step('format', ['node_modules/prettier/bin/prettier.cjs', '--check', '--log-level', 'warn', '.']);
suite(
  'unit, protocol and panel tests',
  [
    'node_modules/vitest/vitest.mjs',
    'run',
    '--reporter=default',
    '--reporter=json',
    `--outputFile.json=${results}/vitest.json`,
  ],
  vitestCounts,
);
if (existsSync(`${root}scripts/host-tests.mjs`)) {
  suite('tests in a real VS Code', ['scripts/host-tests.mjs'], () => {
    const file = `${results}/host.json`;
    return existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) : undefined;
  });
}

console.log(`${total.passed} passed, ${total.failed} failed, ${total.skipped} skipped`);
process.exit(total.failed === 0 ? 0 : 1);
