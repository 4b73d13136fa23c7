// Times the numbers at the cursor over a zoo: the first hover of a cold server with nothing on disk, hovers
// on a warm sketch, and the first hover of a new server that finds the samples on disk.
import { readFileSync, rmSync } from 'node:fs';
import { pathToFileURL } from 'node:url';
import { startServer } from './language-server.mjs';

/** Milliseconds: `{ cold, warm, slider, restarted }`. `warm` and `slider` are medians. */
export async function hoverTimes(recipe) {
  const storage = `${recipe}.samples`;
  const first = await startServer({ options: { storage } });
  const text = readFileSync(recipe, 'utf8');
  const cold = await firstNumbers(first, recipe, text);
  const warm = [];
  const slider = [];
  for (let i = 0; i < 15; i++) {
    warm.push(await timed(() => hover(first, recipe, text)));
    slider.push(await timed(() => moveSlider(first, recipe, i)));
  }
  first.child.kill();
  const second = await startServer({ options: { storage } });
  const restarted = await firstNumbers(second, recipe, text);
  second.child.kill();
  rmSync(storage, { recursive: true, force: true });
  return { cold, warm: median(warm), slider: median(slider), restarted };
}

const median = (values) => [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)];

async function timed(action) {
  const began = performance.now();
  await action();
  return performance.now() - began;
}

async function firstNumbers(server, recipe, text) {
  const began = performance.now();
  const uri = pathToFileURL(recipe).href;
  await server.connection.sendNotification('textDocument/didOpen', {
    textDocument: { uri, languageId: 'mergevla', version: 1, text },
  });
  while (!(await hover(server, recipe, text)).includes('sign conflict')) {
    if (performance.now() - began > 60_000) throw new Error('no numbers within a minute');
    await new Promise((soon) => setTimeout(soon, 5));
  }
  return performance.now() - began;
}

/** Hovers the first task. */
async function hover({ connection }, recipe, text) {
  const lines = text.split('\n');
  const line = lines.findIndex((words) => words.startsWith('experts:')) + 1;
  const answer = await connection.sendRequest('textDocument/hover', {
    textDocument: { uri: pathToFileURL(recipe).href },
    position: { line, character: 3 },
  });
  return answer?.contents.value ?? '';
}

function moveSlider({ connection }, recipe, step) {
  return connection.sendRequest('mergevla/masks/answer', {
    uri: pathToFileURL(recipe).href,
    n: step + 1,
    parameters: { lambda: 0.3 + step / 40 },
    quick: true,
  });
}
