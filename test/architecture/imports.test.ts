import { readFileSync, readdirSync, statSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';

const root = resolve(__dirname, '../..');

/** Which layer may import which. `types` means `import type` only. `protocol` is open to all. */
const allowed: Record<string, Record<string, 'all' | 'types'>> = {
  'server/protocol': {},
  'server/recipe': {},
  'server/tensors': {},
  'server/engine': {
    'server/tensors': 'types',
    'server/compute': 'types',
    'server/recipe': 'types',
  },
  'server/compute': { 'server/tensors': 'types', 'server/engine': 'types' },
  'server/policy': {
    'server/recipe': 'types',
    'server/tensors': 'all',
    'server/engine': 'types',
    'server/compute': 'all',
    'server/runs': 'all',
  },
  'server/evaluate': {
    'server/recipe': 'types',
    'server/engine': 'all',
    'server/policy': 'all',
    'server/tensors': 'all',
    'server/evaluate/rates': 'all',
    'server/evaluate/import': 'all',
    'server/evaluate/camera': 'all',
  },
  // The bench's camera, which replays draw again in the page.
  'server/evaluate/camera': {},
  // Pure statistics and log readers: the panels' host and every command may use them.
  'server/evaluate/rates': {},
  'server/evaluate/import': { 'server/evaluate/rates': 'all' },
  'server/serve': { 'server/recipe': 'types', 'server/policy': 'all', 'server/runs': 'all' },
  'server/runs': {
    'server/recipe': 'types',
    'server/engine': 'types',
    'server/evaluate': 'types',
    'server/tensors': 'all',
  },
  'server/jobs': {
    'server/recipe': 'all',
    'server/tensors': 'all',
    'server/engine': 'all',
    'server/compute': 'all',
    'server/policy': 'all',
    'server/evaluate': 'all',
    'server/evaluate/rates': 'all',
    'server/runs': 'all',
  },
  'server/lsp': {
    'server/recipe': 'all',
    'server/tensors': 'all',
    'server/engine': 'all',
    'server/compute': 'all',
    'server/runs': 'all',
    'server/jobs': 'all',
  },
  'server/cli': {
    'server/recipe': 'all',
    'server/tensors': 'all',
    'server/engine': 'all',
    'server/compute': 'all',
    'server/policy': 'all',
    'server/evaluate': 'all',
    'server/serve': 'all',
    'server/runs': 'all',
    'server/jobs': 'all',
    'server/evaluate/rates': 'all',
    'server/evaluate/import': 'all',
  },
  src: { 'server/recipe': 'types', 'server/evaluate/rates': 'all' },
  // Tables are written in the page as the command writes them.
  webview: { 'server/evaluate/rates': 'all', 'server/evaluate/camera': 'all' },
};

/** Modules without I/O that pure layers may call although their layer has some. */
const open = new Set([
  'server/recipe/numbers',
  'server/recipe/globs',
  'server/recipe/problems',
  'server/recipe/methods',
  'server/tensors/dtypes',
]);

const pure = new Set([
  'server/protocol',
  'server/recipe',
  'server/engine',
  'server/evaluate/rates',
  'server/evaluate/import',
  'server/evaluate/camera',
  'webview',
]);

/** Packages only these layers may name. */
const owners: Record<string, readonly string[]> = {
  vscode: ['src'],
  'vscode-languageclient': ['src'],
  'vscode-languageserver': ['server/lsp'],
  'vscode-languageserver-textdocument': ['server/lsp'],
  'onnxruntime-node': ['server/compute', 'server/policy'],
  '@mujoco/mujoco': ['server/evaluate'],
  'chart.js': ['webview'],
  three: ['webview'],
  '@vscode-elements/elements': ['webview'],
};

const layers = Object.keys(allowed);

function sources(folder: string): string[] {
  return readdirSync(join(root, folder), { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) return entry.name === 'assembly' ? [] : sources(path);
    return path.endsWith('.ts') && !path.endsWith('.generated.ts') ? [path] : [];
  });
}

function layerOf(path: string): string | undefined {
  return layers
    .filter((layer) => path.startsWith(`${layer}/`))
    .sort((a, b) => b.length - a.length)[0];
}

interface Import {
  readonly specifier: string;
  readonly typeOnly: boolean;
}

function importsOf(path: string): Import[] {
  const text = readFileSync(join(root, path), 'utf8');
  const found: Import[] = [];
  for (const match of text.matchAll(
    /^(import|export)\s+(type\s+)?(?:[^'";]*?\sfrom\s+)?'([^']+)'/gm,
  ))
    found.push({ specifier: match[3] ?? '', typeOnly: match[2] !== undefined });
  for (const match of text.matchAll(/(?:import|require)\(\s*'([^']+)'\s*\)/g))
    found.push({ specifier: match[1] ?? '', typeOnly: false });
  return found;
}

/** Says what is wrong with one import, or nothing. */
function fault(path: string, layer: string, { specifier, typeOnly }: Import): string | undefined {
  if (specifier.startsWith('.')) {
    const file = relative(root, resolve(root, dirname(path), specifier));
    const target = layerOf(file);
    if (!target || target === layer || target === 'server/protocol') return undefined;
    if (layer === 'server/engine' && open.has(file)) return undefined;
    const right = allowed[layer]?.[target];
    if (right === 'all' || (right === 'types' && typeOnly)) return undefined;
    return `${path}: ${layer} may not import ${specifier}${right === 'types' ? ' except as types' : ''}`;
  }
  if (specifier.startsWith('node:'))
    return pure.has(layer)
      ? `${path}: ${layer} is pure and may not import ${specifier}`
      : undefined;
  const owner = Object.keys(owners).find(
    (name) => specifier === name || specifier.startsWith(`${name}/`),
  );
  if (owner && !owners[owner]?.includes(layer))
    return `${path}: only ${owners[owner]?.join(', ')} may import ${specifier}`;
  return undefined;
}

const files = ['server', 'src', 'webview']
  .filter((f) => statSync(join(root, f)).isDirectory())
  .flatMap(sources);

describe('imports', () => {
  it('follow the table of layers', () => {
    const faults = files.flatMap((path) => {
      const layer = layerOf(path);
      if (!layer) return [];
      return importsOf(path).flatMap((item) => fault(path, layer, item) ?? []);
    });
    expect(faults).toEqual([]);
  });

  it('name every file of server, src and webview in some layer', () => {
    expect(files.filter((path) => !layerOf(path))).toEqual([]);
  });
});
