import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import Mocha from 'mocha';
import { serverProcesses } from './support';

/** The entry that VS Code calls in the extension host, whichever host it is. */
export async function run(): Promise<void> {
  const mocha = new Mocha({ ui: 'tdd', timeout: 60_000, color: false, reporter: 'spec' });
  for (const name of (process.env['HOST_TEST_FILES'] ?? '').split(','))
    mocha.addFile(join(__dirname, `${name}.test.js`));
  const tests: object[] = [];
  const failures = await new Promise<number>((resolve) => {
    mocha
      .run(resolve)
      .on('pass', (test) => tests.push({ title: test.fullTitle(), state: 'passed' }))
      .on('pending', (test) => tests.push({ title: test.fullTitle(), state: 'skipped' }))
      .on('fail', (test, error: unknown) =>
        tests.push({
          title: test.fullTitle(),
          state: 'failed',
          error: error instanceof Error ? error.stack : String(error),
        }),
      );
  });
  const file = process.env['HOST_TEST_RESULT'];
  const processes = serverProcesses();
  if (file !== undefined) writeFileSync(file, JSON.stringify({ tests, processes }));
  if (failures > 0) throw new Error(`${String(failures)} tests failed`);
}
