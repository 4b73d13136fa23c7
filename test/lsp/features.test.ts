import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Client, covered, marked, type Position, type Range } from './client';

let client: Client;

beforeAll(async () => {
  client = await Client.start();
});
afterAll(() => client.stop());

const recipe = `version: 1
base: zoo/base
experts:
  pick: zoo/pick
  push: { path: zoo/push, weight: 1.0 }
merge:
  method: ties
  keep_from: pick
masks:
  lambda: { pick: 0.6, push: 0.5 }
`;

interface Item {
  readonly label: string;
  readonly sortText?: string;
  readonly textEdit?: { readonly newText: string; readonly range: Range };
}

async function labels(text: string): Promise<string[]> {
  const { items } = await client.at<{ items: Item[] }>('textDocument/completion', text);
  return [...items]
    .sort((a, b) => (a.sortText ?? a.label).localeCompare(b.sortText ?? b.label))
    .map(({ label }) => label);
}

describe('completion', () => {
  it('offers a whole recipe in an empty file', async () => {
    expect((await labels('|'))[0]).toBe('recipe');
  });

  it('offers required keys first and leaves out those that are there', async () => {
    const found = await labels('version: 1\n|');
    expect(found[0]).toBe('experts');
    expect(found).toContain('masks');
    expect(found).not.toContain('version');
  });

  it('works on half a line', async () => {
    expect(await labels('version: 1\nmerge:\n  meth|')).toContain('method');
    expect(await labels('version: 1\nmerge:\n  method: ti|\n  alpha: [')).toContain('ties');
    expect(await labels('masks: { lam|')).toContain('lambda');
    expect(await labels('experts:\n  a: { path: x, wei|')).toEqual(
      expect.arrayContaining(['adapter', 'weight']),
    );
  });

  it('offers the parameters that the method uses, and no others', async () => {
    const found = await labels('merge:\n  method: della\n  |');
    expect(found).toEqual(expect.arrayContaining(['epsilon', 'density', 'parameters of della']));
    expect(found).not.toContain('gamma');
  });

  it('offers choices, tasks and booleans as values', async () => {
    expect(await labels('merge:\n  trim_scope: |')).toEqual(['model', 'tensor']);
    expect(await labels(`${recipe.replace('keep_from: pick', 'keep_from: |')}`)).toEqual(
      expect.arrayContaining(['base', 'pick', 'push']),
    );
    expect(await labels('masks:\n  lambda: { |')).toEqual([]);
    expect(await labels('merge:\n  normalize: |')).toEqual(
      expect.arrayContaining(['true', 'false']),
    );
    expect(await labels('run:\n  device: |')).toContain('cpu');
  });

  it('offers tasks where λ is a map', async () => {
    const text = recipe.replace('{ pick: 0.6, push: 0.5 }', '\n    pick: 0.6\n    |');
    expect(await labels(text)).toContain('push');
  });

  it('offers dotted keys for a sweep', async () => {
    expect(await labels('sweep:\n  |')).toEqual(expect.arrayContaining(['masks.lambda', 'zip']));
  });

  it('offers folders and checkpoint files as paths', async () => {
    client.write('zoo/base/model.safetensors', '');
    client.write('zoo/notes.txt', '');
    expect(await labels('base: zoo/|')).toEqual(['zoo/base']);
    expect(await labels('base: zoo/base/|')).toEqual(['zoo/base/model.safetensors']);
    expect(await labels('base: nowhere/|')).not.toContain('zoo');
  });

  it('replaces exactly the word that is being written', async () => {
    const { text, position } = marked('masks: { lambda: 0.6 }\nmerge: { method: task_ar| }');
    const uri = await client.open(text);
    const { items } = await client.ask<{ items: Item[] }>('textDocument/completion', {
      textDocument: { uri },
      position,
    });
    const item = items.find(({ label }) => label === 'task_arithmetic');
    expect(item?.textEdit && covered(text, item.textEdit.range)).toBe('task_ar');
    await client.close(uri);
  });

  it('offers nothing in a comment', async () => {
    expect(await labels('version: 1\n# mer|')).toEqual([]);
  });

  it('brings documentation only when an item is looked at', async () => {
    const { items } = await client.at<{ items: object[] }>(
      'textDocument/completion',
      'masks:\n  |',
    );
    const item = items.find((each) => (each as Item).label === 'lambda');
    expect(item).not.toHaveProperty('documentation');
    const resolved = await client.ask<{ documentation: { value: string } }>(
      'completionItem/resolve',
      item ?? {},
    );
    expect(resolved.documentation.value).toMatch(/default/);
  });
});

interface Hover {
  readonly contents: { readonly value: string };
  readonly range: Range;
}

describe('hover', () => {
  it('tells a key with its default', async () => {
    const found = await client.at<Hover>('textDocument/hover', recipe.replace('masks', 'ma|sks'));
    expect(found.contents.value).toMatch(/\*\*masks\*\*/);
  });

  it('tells a method with its parameters and its source', async () => {
    const found = await client.at<Hover>('textDocument/hover', recipe.replace('ties', 'ti|es'));
    expect(found.contents.value).toMatch(/Yadav[^]*density: 1/);
  });

  it('follows an alias', async () => {
    const text = 'version: &v 1\nmerge: { alpha: *v| }\n';
    const found = await client.at<Hover>('textDocument/hover', text);
    expect(found.contents.value).toMatch(/`\*v` is 1/);
  });

  it('says nothing between the lines', async () => {
    expect(await client.at('textDocument/hover', 'version: 1\n|\nname: a\n')).toBeNull();
  });
});

describe('names of tasks', () => {
  const use = recipe.replace('keep_from: pick', 'keep_from: pi|ck');

  it('lead to their declaration', async () => {
    const { text } = marked(use);
    const found = await client.at<{ range: Range }>('textDocument/definition', use);
    expect(found.range.start).toEqual({ line: 3, character: 2 });
    expect(covered(text, found.range)).toBe('pick');
  });

  it('are found everywhere', async () => {
    const found = await client.at<{ range: Range }[]>('textDocument/references', use, {
      context: { includeDeclaration: true },
    });
    expect(found.map(({ range }) => range.start.line)).toEqual([3, 9, 7]);
  });

  it('are renamed everywhere', async () => {
    const found = await client.at<{ changes: Record<string, { newText: string }[]> }>(
      'textDocument/rename',
      use,
      { newName: 'grasp' },
    );
    const [edits] = Object.values(found.changes);
    expect(edits?.map(({ newText }) => newText)).toEqual(['grasp', 'grasp', 'grasp']);
  });

  it('refuse names that could not be folders or are taken', async () => {
    for (const newName of ['a/b', 'push', '', '..'])
      await expect(client.at('textDocument/rename', use, { newName })).rejects.toThrow();
  });

  it('are the only thing that is renamed', async () => {
    const key = recipe.replace('method', 'me|thod');
    await expect(client.at('textDocument/prepareRename', key)).rejects.toThrow(/tasks/);
    const range = await client.at<Range>('textDocument/prepareRename', use);
    expect(range.start.line).toBe(7);
  });

  it('leave aliases to lead to their anchors', async () => {
    const text = 'merge: { alpha: &a 1.0 }\nmasks: { lambda: *a| }\n';
    const found = await client.at<{ range: Range }>('textDocument/definition', text);
    expect(found.range.start).toEqual({ line: 0, character: 16 });
  });
});

interface Symbol {
  readonly name: string;
  readonly detail: string;
  readonly children: Symbol[];
}

describe('structure', () => {
  const ask = async <T>(method: string, more: object = {}): Promise<T> => {
    const uri = await client.open(recipe);
    const answer = await client.ask<T>(method, { textDocument: { uri }, ...more });
    await client.close(uri);
    return answer;
  };

  it('is an outline with details', async () => {
    const found = await ask<Symbol[]>('textDocument/documentSymbol');
    expect(found.map(({ name }) => name)).toEqual(['version', 'base', 'experts', 'merge', 'masks']);
    expect(found[2]?.children.map(({ name, detail }) => [name, detail])).toEqual([
      ['pick', 'zoo/pick'],
      ['push', 'zoo/push'],
    ]);
    expect(found[3]?.detail).toBe('ties');
  });

  it('folds sections', async () => {
    const found = await ask<{ startLine: number; endLine: number }[]>('textDocument/foldingRange');
    expect(found).toEqual([
      { startLine: 2, endLine: 4 },
      { startLine: 5, endLine: 7 },
      { startLine: 8, endLine: 9 },
    ]);
  });

  it('grows a selection from the word to the recipe', async () => {
    const position: Position = { line: 6, character: 12 };
    const [found] = await ask<Nested[]>('textDocument/selectionRange', { positions: [position] });
    const texts: string[] = [];
    for (let range: Nested | undefined = found; range; range = range.parent)
      texts.push(covered(recipe, range.range).trimEnd());
    expect(texts[0]).toBe('ties');
    expect(texts[1]).toBe('method: ties');
    expect(texts.at(-1)).toBe(recipe.trimEnd());
  });

  it('has tokens for methods, tasks and choices', async () => {
    const { data } = await ask<{ data: number[] }>('textDocument/semanticTokens/full');
    expect(data.length % 5).toBe(0);
    expect(data.length / 5).toBeGreaterThanOrEqual(7);
    const { data: part } = await ask<{ data: number[] }>('textDocument/semanticTokens/range', {
      range: { start: { line: 5, character: 0 }, end: { line: 7, character: 0 } },
    });
    expect(part).toEqual([6, 10, 4, 1, 0]);
  });

  it('links paths to what is there', async () => {
    client.write('zoo/pick/model.safetensors', '');
    const found = await ask<{ range: Range }[]>('textDocument/documentLink');
    expect(found.map(({ range }) => covered(recipe, range))).toEqual([
      'zoo/base',
      'zoo/pick',
      'zoo/push',
    ]);
    const there = await client.ask<{ target?: string }>('documentLink/resolve', found[1] ?? {});
    expect(there.target).toMatch(/^command:revealInExplorer/);
    const missing = await client.ask<{ target?: string }>('documentLink/resolve', found[2] ?? {});
    expect(missing.target).toBeUndefined();
  });

  it('has lenses for what can be done, and none that would do nothing', async () => {
    const lenses = await ask<{ command: { title: string } }[]>('textDocument/codeLens');
    const titles = lenses.map(({ command }) => command.title);
    expect(titles.join()).toMatch(/Check.*Merge.*Dry run.*Mask ratios.*Compare tasks/);
    expect(titles.join()).not.toMatch(/Routing|Evaluate/);
  });
});

interface Nested {
  readonly range: Range;
  readonly parent?: Nested;
}

describe('formatting', () => {
  const apply = (text: string, edits: { range: Range; newText: string }[]): string => {
    const lines = text.split('\n');
    const offset = ({ line, character }: Position): number =>
      lines.slice(0, line).reduce((sum, each) => sum + each.length + 1, 0) + character;
    return [...edits]
      .sort((a, b) => offset(b.range.start) - offset(a.range.start))
      .reduce(
        (now, { range, newText }) =>
          now.slice(0, offset(range.start)) + newText + now.slice(offset(range.end)),
        text,
      );
  };

  it('is stable and keeps comments', async () => {
    const text = 'version:   1   # first\nmerge:\n    method:  ties # why\n\n\n\nname: a\n';
    const uri = await client.open(text);
    const options = { textDocument: { uri }, options: { tabSize: 2, insertSpaces: true } };
    const once = apply(text, await client.ask('textDocument/formatting', options));
    expect(once).toMatch(/^version: 1 # first\nmerge:\n {2}method: ties # why\n/);
    await client.change(uri, once);
    expect(await client.ask('textDocument/formatting', options)).toEqual([]);
    await client.close(uri);
  });

  it('leaves a broken text alone', async () => {
    const uri = await client.open('merge: {method:\n  : [');
    const edits = await client.ask('textDocument/formatting', {
      textDocument: { uri },
      options: { tabSize: 2, insertSpaces: true },
    });
    expect(edits).toEqual([]);
    await client.close(uri);
  });
});
