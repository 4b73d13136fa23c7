import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { rmSync } from 'node:fs';
import { Client } from './client';

let client: Client;

beforeAll(async () => {
  client = await Client.start();
});
afterAll(() => client.stop());

const bomb = [
  'a: &a [x, x, x, x, x, x, x, x, x, x]',
  ...'bcdefghi'
    .split('')
    .map((name, index) => `${name}: &${name} [${`*${'abcdefgh'.charAt(index)}, `.repeat(10)}]`),
  'version: 1',
].join('\n');

const long = [
  'version: 1',
  'experts:',
  ...Array.from({ length: 5000 }, (_, index) => `  task_${String(index)}: zoo/${String(index)}`),
].join('\n');

const texts: readonly [name: string, text: string][] = [
  ['an empty file', ''],
  ['white space', ' \n\t\n'],
  ['5,000 lines', long],
  ['tabs', 'version: 1\nmerge:\n\tmethod: ties\n'],
  ['CR LF', 'version: 1\r\nmerge:\r\n  method: tie\r\n'],
  ['a byte order mark', '\uFEFFversion: 1\nbase: zoo/base\n'],
  ['bytes that are no UTF-8', 'version: 1\nname: \uFFFD\uFFFD\n'],
  ['duplicate keys', 'version: 1\nversion: 1\nmerge: {alpha: 1, alpha: 2}\n'],
  ['anchors and merge keys', 'a: &a {alpha: 1}\nversion: 1\nmerge: {<<: *a, method: ties}\n'],
  ['an alias bomb', bomb],
  ['an alias of itself', 'version: &v [*v]\n'],
  ['several documents', 'version: 1\n---\nversion: 1\n---\n'],
  ['deep nesting', '['.repeat(5000)],
  ['keys of every kind', '? [a, b]\n: 1\n1: 2\nnull: 3\n"": 4\n__proto__: {x: 1}\n'],
  ['control characters', 'version: 1\nname: "\u0001\u0007"\n'],
  ['a list', '- version: 1\n'],
  ['a scalar', 'hello'],
];

const position = { line: 1, character: 3 };
const range = { start: { line: 0, character: 0 }, end: { line: 9, character: 0 } };
const questions: readonly [method: string, more: object][] = [
  ['textDocument/hover', { position }],
  ['textDocument/completion', { position }],
  ['textDocument/codeAction', { range, context: { diagnostics: [] } }],
  ['textDocument/codeLens', {}],
  ['textDocument/documentSymbol', {}],
  ['textDocument/foldingRange', {}],
  ['textDocument/selectionRange', { positions: [position] }],
  ['textDocument/semanticTokens/full', {}],
  ['textDocument/inlayHint', { range }],
  ['textDocument/documentLink', {}],
  ['textDocument/definition', { position }],
  ['textDocument/references', { position, context: { includeDeclaration: true } }],
  ['textDocument/formatting', { options: { tabSize: 2, insertSpaces: true } }],
];

describe('every question about bad input is answered', () => {
  it.each(texts)('%s', async (_name, text) => {
    const uri = await client.open(text);
    const diagnostics = await client.diagnostics(uri);
    expect(diagnostics.length).toBeLessThan(20_000);
    for (const [method, more] of questions)
      await client.ask(method, { textDocument: { uri }, ...more });
    await client.close(uri);
  });

  it('has no range outside the text', async () => {
    for (const [, text] of texts) {
      const uri = await client.open(text);
      const lines = text.split(/\r\n|\n|\r/);
      for (const { range: place } of await client.diagnostics(uri)) {
        expect(place.end.line).toBeLessThan(lines.length);
        expect(place.end.character).toBeLessThanOrEqual((lines[place.end.line] ?? '').length);
      }
      await client.close(uri);
    }
  });

  it('a file that is deleted while it is open keeps its features', async () => {
    const path = client.write('gone.mergevla.yaml', 'version: 2\n');
    const uri = await client.open('version: 2\n', 'gone.mergevla.yaml');
    rmSync(path);
    await client.ask('textDocument/hover', { textDocument: { uri }, position });
    expect((await client.diagnostics(uri)).length).toBeGreaterThan(0);
    await client.close(uri);
  });

  it('a document that is not open has no answer and no error', async () => {
    const uri = client.uri('never-opened.mergevla.yaml');
    expect(await client.diagnostics(uri)).toEqual([]);
    expect(await client.ask('textDocument/hover', { textDocument: { uri }, position })).toBeNull();
  });

  it('an unsaved document is checked without files', async () => {
    await client.connection.sendNotification('textDocument/didOpen', {
      textDocument: {
        uri: 'untitled:Untitled-1',
        languageId: 'mergevla',
        version: 1,
        text: 'x: 1',
      },
    });
    expect((await client.diagnostics('untitled:Untitled-1')).length).toBeGreaterThan(0);
    await expect(
      client.own('mergevla/job/start', { action: 'merge', uri: 'untitled:Untitled-1' }),
    ).rejects.toThrow(/saved/);
  });

  it('edits that come faster than answers end with the newest text', async () => {
    const uri = await client.open('version: 1\n');
    const answers = [];
    for (let index = 0; index < 50; index += 1) {
      await client.change(uri, `version: 1\n${'x'.repeat(index + 1)}: 1\n`);
      answers.push(
        client.ask('textDocument/documentSymbol', { textDocument: { uri } }).catch(() => null),
      );
    }
    await Promise.all(answers);
    const diagnostics = await client.diagnostics(uri);
    expect(diagnostics.some(({ range: { end } }) => end.character === 50)).toBe(true);
  });
});
