// Tests in a real VS Code: inside its extension host, and on the packaged extension as a person uses it.
// Writes test-results/host.json {passed, failed, skipped, reason?}. Where the host cannot be had, every
// test counts as skipped and the reason is printed.
import { build } from 'esbuild';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { runTests } from '@vscode/test-electron';
import { packageTarget } from './package.mjs';
import { setupHost } from './setup-host.mjs';
import { startBrowser, startServer, workbenchUrl } from './workbench.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));
const results = join(root, 'test-results');
const built = join(root, 'dist/test/editor');
const desktop = process.env.VSCODE_TEST_HOST === 'desktop';
/** Names of the files of test/editor to run, without `.test.ts`; all when none is given. */
const wanted = process.argv.slice(2).filter((name) => !name.startsWith('--'));

const suites = readdirSync(join(root, 'test/editor'))
  .filter((name) => name.endsWith('.test.ts'))
  .map((name) => name.replace('.test.ts', ''));

/** Paths through the installed package, each on a workspace made for it by that function. */
const paths = [
  { name: 'user', workspace: 'showcase' },
  { name: 'bench', workspace: 'sample' },
].filter(({ name }) => wanted.length === 0 || wanted.includes(name));

/** Tests by the calls that declare them: enough to say how many were skipped. */
function declared(name) {
  const text = readFileSync(join(root, `test/editor/${name}.test.ts`), 'utf8');
  return text.match(/^\s*test\(/gm)?.length ?? 0;
}

function bundle() {
  rmSync(built, { recursive: true, force: true });
  return build({
    absWorkingDir: root,
    bundle: true,
    platform: 'node',
    target: 'node20',
    format: 'cjs',
    sourcemap: 'inline',
    logLevel: 'warning',
    external: ['vscode', 'mocha', 'playwright-core'],
    entryPoints: [
      'test/editor/run.ts',
      'test/editor/workspaces.ts',
      'test/workbench/hand.ts',
      ...paths.map(({ name }) => `test/workbench/${name}.ts`),
      'test/workbench/grammar.ts',
      ...suites.map((name) => `test/editor/${name}.test.ts`),
    ].map((path) => ({ in: path, out: basename(path).replace(/\.ts$/, '') })),
    outdir: built,
  });
}

/** One start of the editor on a workspace made for it; answers the tests it ran. */
async function launch({ name, files, target, env = {} }) {
  const folder = mkdtempSync(join(tmpdir(), 'mergevla-tests-'));
  const file = join(folder, 'result.json');
  console.log(`\n--- ${name}`);
  let failure;
  try {
    await runTests({
      extensionDevelopmentPath: root,
      extensionTestsPath: join(built, 'run.js'),
      launchArgs: target ? [target] : [],
      extensionTestsEnv: { HOST_TEST_RESULT: file, HOST_TEST_FILES: files.join(','), ...env },
      ...(desktop
        ? { version: process.env.VSCODE_VERSION ?? 'stable' }
        : { vscodeExecutablePath: join(root, 'scripts/vscode-host.mjs') }),
    });
  } catch (error) {
    failure = error.message;
  }
  const answer = existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) : undefined;
  rmSync(folder, { recursive: true, force: true });
  if (!answer)
    return [
      { title: `${name}: the editor starts`, state: 'failed', error: failure ?? 'no result' },
    ];
  return [...answer.tests, await leavesNoProcess(name, answer.processes)];
}

/** The language server must be gone once the editor is; jobs may go on. */
async function leavesNoProcess(name, processes) {
  const title = `${name}: deactivate leaves no process`;
  const end = Date.now() + 2000;
  const alive = (pid) => {
    try {
      process.kill(pid, 0);
      return true;
    } catch {
      return false;
    }
  };
  while (processes.some(alive)) {
    if (Date.now() > end) return { title, state: 'failed', error: `left: ${processes.join(' ')}` };
    await new Promise((again) => setTimeout(again, 50));
  }
  return { title, state: 'passed' };
}

/** The package of this build: made anew unless the test of its contents has just made it. */
async function currentPackage() {
  const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  const vsix = join(root, `dist/mergevla-linux-x64-${version}.vsix`);
  const builtAt = statSync(join(root, 'dist/extension.js')).mtimeMs;
  const isFresh = existsSync(vsix) && statSync(vsix).mtimeMs > builtAt;
  return isFresh ? vsix : packageTarget('linux-x64');
}

/** A person's path through the installed package; its pictures go to test-results, or to media on request. */
async function asUser(host, server, { name, workspace, folder }) {
  console.log(`\n--- the installed package, used by hand: ${name}`);
  const load = createRequire(import.meta.url);
  const { runSteps } = load(join(built, 'hand.js'));
  const steps = load(join(built, `${name}.js`))[name];
  const isForMedia = process.argv.includes('--pictures');
  const target = load(join(built, 'workspaces.js'))[workspace](folder, isForMedia);
  const pictures = isForMedia ? join(root, 'media/pictures') : join(results, 'pictures');
  const { browser, page } = await startBrowser(host, { viewport: { width: 1280, height: 800 } });
  try {
    await page.goto(workbenchUrl(server.port, target));
    const workbench = { page, folder: target, pictures, bothThemes: isForMedia };
    const done = await runSteps(workbench, steps);
    for (const { title, state, error } of done)
      console.log(`  ${state}: ${title}${error ? `\n    ${error}` : ''}`);
    return done;
  } finally {
    await browser.close();
  }
}

/** Where tests are counted, a path is walked once more after a failure, as the other tests are, and it is said. */
async function asUsers(host, folder) {
  rmSync(join(results, 'pictures'), { recursive: true, force: true });
  const server = await startServer(host, { vsix: await currentPackage() });
  const all = [];
  try {
    for (const path of paths) {
      const walk = (name) => asUser(host, server, { ...path, folder: join(folder, name) });
      let steps = await walk(path.name);
      if (process.env.CI && steps.some(({ state }) => state === 'failed')) {
        console.log('\n!!! A step failed; the whole path is tried again once.');
        steps = await walk(`${path.name}-again`);
      }
      all.push(...steps);
    }
  } finally {
    await server.stop();
  }
  return all;
}

async function grammar(host) {
  const { grammarTests } = createRequire(import.meta.url)(join(built, 'grammar.js'));
  return grammarTests(join(host.folder, 'node_modules/code-server/lib/vscode'), root);
}

function write(counts) {
  mkdirSync(results, { recursive: true });
  writeFileSync(join(results, 'host.json'), JSON.stringify(counts, undefined, 2));
}

async function main() {
  const host = desktop ? {} : setupHost();
  if (host.reason) {
    const skipped = suites.reduce((sum, name) => sum + declared(name), 0);
    console.log(`\n!!! SKIPPED ${skipped} tests in a real VS Code: ${host.reason}\n`);
    write({ passed: 0, failed: 0, skipped, reason: host.reason });
    return 0;
  }
  await bundle();
  const { launches } = createRequire(import.meta.url)(join(built, 'workspaces.js'));
  const tests = [];
  const folder = mkdtempSync(join(tmpdir(), 'mergevla-workspaces-'));
  try {
    for (const each of launches(folder)) {
      const files = each.files.filter((name) => wanted.length === 0 || wanted.includes(name));
      if (files.length > 0) tests.push(...(await launch({ ...each, files })));
    }
    if (!desktop) tests.push(...(await grammar(host)));
    if (paths.length > 0 && !desktop) tests.push(...(await asUsers(host, folder)));
  } finally {
    rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
  }
  const count = (state) => tests.filter((test) => test.state === state).length;
  for (const test of tests)
    if (test.state === 'failed') console.log(`FAILED: ${test.title}\n${test.error}`);
  const counts = { passed: count('passed'), failed: count('failed'), skipped: count('skipped') };
  write(counts);
  return counts.failed > 0 || counts.passed === 0 ? 1 : 0;
}

process.exit(await main());
