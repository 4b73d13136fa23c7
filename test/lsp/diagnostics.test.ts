import { appendFileSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { problemTable } from '../../server/recipe/problems';
import { writeZoo } from '../editor/zoo';
import { fixtures, spelt } from '../recipe/problem-fixtures';
import { Client, covered, type Diagnostic } from './client';

let client: Client;

beforeAll(async () => {
  client = await Client.start();
  writeZoo(join(client.folder, 'zoo'), { experts: ['a', 'b'], blocks: 3, width: 8 });
});
afterAll(() => client.stop());

async function found(text: string): Promise<Diagnostic[]> {
  const uri = await client.open(text);
  const diagnostics = await client.diagnostics(uri);
  await client.close(uri);
  return diagnostics;
}

/** A recipe without faults, with a part replaced by what is to be looked at. */
const good = `version: 1
base: zoo/base
experts:
  a: zoo/a
  b: zoo/b
merge:
  method: ties
router: none
`;

describe('diagnostics', () => {
  it('has none for a good recipe, nor for its files', async () => {
    const uri = await client.open(good);
    await client.own('mergevla/recipe/check', { uri });
    expect(await client.diagnostics(uri)).toEqual([]);
    await client.close(uri);
  });

  const syntax = [
    { code: 'MV101', marked: 'merge: {method: ties\n«»' },
    { code: 'MV103', marked: 'router: none\n«---»\nversion: 1' },
    { code: 'MV104', marked: 'merge:\n«\t»method: ties' },
  ];
  it.each(
    [...syntax, ...fixtures].map(
      ({ code, marked }) => [code, marked.slice(0, 60), marked] as const,
    ),
  )('%s has its exact place: %j', async (code, _, marked) => {
    const { text, start, end } = spelt(marked);
    const own = (await found(text)).filter((each) => each.code === code);
    expect(own.map(({ range }) => covered(text, range))).toEqual([text.slice(start, end)]);
  });

  it('names only codes of the table, each with the page that explains it', async () => {
    const text =
      'version: 3\nmerg: {}\nmerge: {method: ties, epsilon: 0.1, alpha: 0}\nexperts: {}\n';
    const diagnostics = await found(text);
    expect(diagnostics.length).toBeGreaterThan(3);
    for (const { code, codeDescription } of diagnostics) {
      expect(problemTable).toHaveProperty(code);
      const page = new URL(codeDescription?.href ?? '');
      const lines = readFileSync(page, 'utf8').split('\n');
      expect(lines[Number(page.hash.slice('#L'.length)) - 1]).toBe(`## ${code}`);
    }
  });

  it('greys out a parameter that the method ignores', async () => {
    const [idle] = (await found(good.replace('ties', 'ties\n  epsilon: 0.15'))).filter(({ tags }) =>
      tags?.includes(1),
    );
    expect(idle?.message).toMatch(/ties/);
  });

  it('brings findings of files by a refresh, and takes them back', async () => {
    const before = client.refreshes;
    const text = good.replace('zoo/b\n', 'zoo/c\n');
    const uri = await client.open(text);
    const [missing] = await client.diagnosticsUntil(uri, (all) =>
      all.some(({ code }) => code === 'MV410'),
    );
    expect(missing && covered(text, missing.range)).toBe('zoo/c');
    expect(client.refreshes).toBeGreaterThan(before);
    // The range follows an edit elsewhere without another look at the disk.
    await client.change(uri, `# first\n${text}`);
    const [moved] = await client.diagnostics(uri);
    expect(moved?.range.start.line).toBe(5);
    await client.change(uri, good);
    await client.diagnosticsUntil(uri, (all) => all.length === 0);
    await client.close(uri);
  });

  it('notices a checkpoint that vanishes and comes back', async () => {
    writeZoo(join(client.folder, 'zoo2'), { experts: ['a', 'b'], blocks: 2, width: 8 });
    const uri = await client.open(good.replaceAll('zoo/', 'zoo2/'));
    await client.own('mergevla/recipe/check', { uri });
    expect(await client.diagnostics(uri)).toEqual([]);
    rmSync(join(client.folder, 'zoo2/b'), { recursive: true });
    await client.tell('mergevla/files/refresh', {});
    await client.diagnosticsUntil(uri, (all) => all.some(({ code }) => code === 'MV410'));
    writeZoo(join(client.folder, 'zoo2'), { experts: ['a', 'b'], blocks: 2, width: 8 });
    await client.tell('mergevla/files/refresh', {});
    await client.diagnosticsUntil(uri, (all) => all.length === 0);
    await client.close(uri);
  });

  it('looks at files by itself where nobody tells of their changes', async () => {
    const settings = { 'mergevla.files.watching': 'polling' };
    const alone = await Client.start({ settings });
    writeZoo(join(alone.folder, 'zoo'), { experts: ['a', 'b'], blocks: 2, width: 8 });
    const uri = await alone.open(good);
    await alone.own('mergevla/recipe/check', { uri });
    expect(await alone.diagnostics(uri)).toEqual([]);
    // Its size changes again and again: the first look only learns what there is to compare with.
    const weights = join(alone.folder, 'zoo/a/model.safetensors');
    const spoil = setInterval(() => appendFileSync(weights, 'x'), 100);
    await alone.diagnosticsUntil(uri, (all) => all.some(({ code }) => code.startsWith('MV41')));
    clearInterval(spoil);
    const told = (): boolean =>
      alone.notifications.some(({ method }) => method === 'mergevla/files/polling');
    expect(told()).toBe(true);
    await alone.stop();
  });

  it('tells of a checkpoint that is no longer one', async () => {
    writeZoo(join(client.folder, 'zoo3'), { experts: ['a', 'b'], blocks: 2, width: 8 });
    const uri = await client.open(good.replaceAll('zoo/', 'zoo3/'));
    await client.own('mergevla/recipe/check', { uri });
    writeFileSync(join(client.folder, 'zoo3/a/model.safetensors'), 'not a tensor in sight');
    await client.tell('mergevla/files/refresh', {});
    await client.diagnosticsUntil(uri, (all) => all.some(({ code }) => code.startsWith('MV4')));
    await client.close(uri);
  });

  it('reads no file and starts no job in an untrusted workspace', async () => {
    const careful = await Client.start({ trusted: false });
    const uri = await careful.open(good.replaceAll('zoo/', 'nowhere/'));
    expect(await careful.diagnostics(uri)).toEqual([]);
    const { problems } = await careful.own('mergevla/recipe/check', { uri });
    expect(problems).toEqual([]);
    await expect(careful.own('mergevla/job/start', { action: 'merge', uri })).rejects.toThrow(
      /trusted/,
    );
    await careful.tell('mergevla/trust/granted', {});
    await careful.diagnosticsUntil(uri, (all) => all.some(({ code }) => code === 'MV410'));
    await careful.stop();
  });
});

describe('fixes', () => {
  interface Action {
    readonly title: string;
    readonly kind: string;
    readonly isPreferred?: boolean;
    readonly edit: { readonly changes: Record<string, { newText: string }[]> };
  }
  const whole = { start: { line: 0, character: 0 }, end: { line: 99, character: 0 } };

  it('mend a typo, a missing key and an unused parameter', async () => {
    const text =
      'base: zoo/base\nexperts: { a: zoo/a, b: zoo/b }\nmerge: { metod: ties, epsilon: 1 }\n';
    const uri = await client.open(text);
    const actions = await client.ask<Action[]>('textDocument/codeAction', {
      textDocument: { uri },
      range: whole,
      context: { diagnostics: [] },
    });
    const titles = actions.map(({ title }) => title).join('\n');
    expect(titles).toMatch(/method/);
    expect(titles).toMatch(/version/);
    expect(actions.at(-1)?.kind).toBe('source.fixAll.mergevla');
    expect(actions.filter(({ isPreferred }) => isPreferred).length).toBeGreaterThan(1);
    const only = await client.ask<Action[]>('textDocument/codeAction', {
      textDocument: { uri },
      range: whole,
      context: { diagnostics: [], only: ['source.fixAll'] },
    });
    expect(only.map(({ kind }) => kind)).toEqual(['source.fixAll.mergevla']);
    await client.close(uri);
  });
});
