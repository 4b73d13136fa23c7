import { execFileSync } from 'node:child_process';
import { readFileSync, statSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { inflateRawSync } from 'node:zlib';
import { beforeAll, describe, expect, it } from 'vitest';

const root = resolve(__dirname, '../..');
/** Kept there for the tests that install it. */
const out = join(root, 'dist');

interface Entry {
  readonly name: string;
  readonly size: number;
  readonly packed: number;
  readonly read: () => Buffer;
}

/** The directory of a zip file, as its end tells it. */
function entriesOf(zip: Buffer): Entry[] {
  const end = zip.lastIndexOf(Buffer.from([0x50, 0x4b, 5, 6]));
  let at = zip.readUInt32LE(end + 16);
  return Array.from({ length: zip.readUInt16LE(end + 10) }, () => {
    const packed = zip.readUInt32LE(at + 20);
    const size = zip.readUInt32LE(at + 24);
    const [name, extra, comment] = [28, 30, 32].map((offset) => zip.readUInt16LE(at + offset));
    const local = zip.readUInt32LE(at + 42);
    const text = zip.toString('utf8', at + 46, at + 46 + name);
    at += 46 + name + extra + comment;
    const start = local + 30 + zip.readUInt16LE(local + 26) + zip.readUInt16LE(local + 28);
    const read = (): Buffer => inflateRawSync(zip.subarray(start, start + packed));
    return { name: text, size, packed, read };
  });
}

let vsix = '';
let entries: Entry[] = [];

beforeAll(() => {
  const script = `import('${join(root, 'scripts/package.mjs')}').then(async (m) => console.log(await m.packageTarget('linux-x64', { out: ${JSON.stringify(out)} })))`;
  vsix = execFileSync(process.execPath, ['-e', script], { cwd: root, encoding: 'utf8' }).trim();
  entries = entriesOf(readFileSync(vsix));
});

const allowed = [
  /^\[Content_Types\]\.xml$/,
  /^extension\.vsixmanifest$/,
  /^extension\/(package\.json|readme\.md|changelog\.md|LICENSE\.txt|language-configuration\.json)$/i,
  /^extension\/syntaxes\/mergevla\.tmLanguage\.json$/,
  /^extension\/media\/[\w.-]+\.(png|svg|json|css)$/,
  /^extension\/media\/walkthrough\/\w+\.md$/,
  /^extension\/docs\/problems\.md$/,
  /^extension\/samples\//,
  /^extension\/dist\/[\w-]+\.js$/,
  /^extension\/dist\/webview\/[\w./-]+\.(js|css|ttf)$/,
  /^extension\/dist\/node_modules\/onnxruntime-(node|common)\/(package\.json|LICENSE|dist\/.*\.js(on)?)$/,
  /^extension\/dist\/node_modules\/onnxruntime-node\/bin\/napi-v6\/linux\/x64\/[\w.]+$/,
  /^extension\/dist\/node_modules\/@mujoco\/mujoco\/(package\.json|mujoco\.(js|wasm))$/,
];

describe('the package for linux-x64', () => {
  it('holds only what is listed', () => {
    const strange = entries
      .map(({ name }) => name)
      .filter((name) => !allowed.some((pattern) => pattern.test(name)));
    expect(strange).toEqual([]);
  });

  it('holds what it needs to work', () => {
    const names = new Set(entries.map(({ name }) => name));
    for (const file of [
      'dist/extension.js',
      'dist/server.js',
      'dist/cli.js',
      'dist/worker.js',
      'dist/node_modules/onnxruntime-node/bin/napi-v6/linux/x64/onnxruntime_binding.node',
      'dist/node_modules/@mujoco/mujoco/mujoco.wasm',
      'docs/problems.md',
      'media/icon.png',
      'media/mergevla.schema.json',
      'language-configuration.json',
    ])
      expect(names, file).toContain(`extension/${file}`);
  });

  it('says its platform', () => {
    const text = entries
      .find(({ name }) => name === 'extension.vsixmanifest')
      ?.read()
      .toString();
    expect(text).toMatch(/TargetPlatform="linux-x64"/);
  });

  it('keeps its size', () => {
    const optional = entries
      .filter(({ name }) => /@mujoco|\/samples\//.test(name))
      .reduce((sum, { packed }) => sum + packed, 0);
    const whole = statSync(vsix).size;
    expect(whole - optional).toBeLessThan(20e6);
    expect(whole).toBeLessThan(40e6);
  });

  it('holds no path of the machine it was made on, and no source map', () => {
    const bundles = entries.filter(({ name }) => /^extension\/dist\/[\w-]+\.js$/.test(name));
    for (const { name, read } of bundles) {
      const text = read().toString('utf8');
      expect(text.includes(root), name).toBe(false);
      expect(text.includes('sourceMappingURL=data'), name).toBe(false);
    }
  });
});
