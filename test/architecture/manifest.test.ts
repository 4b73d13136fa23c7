import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { formatProblem, problemTable } from '../../server/recipe/problems';

const root = resolve(__dirname, '../..');

interface Menu {
  readonly command?: string;
}

interface Manifest {
  readonly main: string;
  readonly icon: string;
  readonly activationEvents: readonly string[];
  readonly capabilities: {
    readonly untrustedWorkspaces: { readonly restrictedConfigurations: readonly string[] };
  };
  readonly contributes: {
    readonly commands: readonly {
      readonly command: string;
      readonly title: string;
      readonly category: string;
      readonly icon?: string;
      readonly enablement?: string;
    }[];
    readonly menus: Readonly<Record<string, readonly Menu[]>>;
    readonly keybindings: readonly Menu[];
    readonly configuration: readonly {
      readonly properties: Readonly<
        Record<string, { readonly scope: string; readonly markdownDescription: string }>
      >;
    }[];
    readonly colors: readonly { readonly id: string; readonly defaults: object }[];
    readonly views: Readonly<Record<string, readonly { readonly id: string }[]>>;
    readonly viewsWelcome: readonly { readonly view: string; readonly contents: string }[];
    readonly walkthroughs: readonly {
      readonly steps: readonly {
        readonly description: string;
        readonly media: { readonly markdown: string };
        readonly completionEvents: readonly string[];
      }[];
    }[];
    readonly languages: readonly object[];
    readonly grammars: readonly { readonly path: string }[];
    readonly problemMatchers: readonly { readonly pattern: { readonly regexp: string } }[];
  };
}

const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as Manifest;
const { contributes } = manifest;

function sources(folder: string): string[] {
  return readdirSync(join(root, folder), { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) return sources(path);
    return path.endsWith('.ts') ? [path] : [];
  });
}

const read = (path: string): string => readFileSync(join(root, path), 'utf8');
const extension = sources('src').map(read).join('\n');
const server = sources('server').map(read).join('\n');
const declared = new Set(contributes.commands.map(({ command }) => command));

describe('the manifest', () => {
  it('declares exactly the commands that the code registers', () => {
    const registered = [...extension.matchAll(/^\s*'(mergevla\.\w+)': /gm)].map(([, name]) => name);
    expect([...new Set(registered)].sort()).toEqual([...declared].sort());
  });

  it('has a category and an imperative title for each command', () => {
    for (const { title, category } of contributes.commands) {
      expect(category).toBe('MergeVLA');
      expect(title).toMatch(/^[A-Z]/);
    }
  });

  it('offers what starts processes only in trusted workspaces, with an icon', () => {
    const starting = [
      ...['merge', 'run', 'evaluate', 'plan', 'export', 'exportTable', 'openSample'],
      ...['routeObservation', 'actOnce', 'servePolicy', 'stopServing', 'selectDevice'],
    ];
    for (const name of starting) {
      const found = contributes.commands.find(({ command }) => command === `mergevla.${name}`);
      expect(found?.enablement, name).toBe('isWorkspaceTrusted');
      expect(found?.icon, name).toMatch(/^\$\([a-z-]+\)$/);
    }
  });

  it('names only its own commands in menus, keys, welcome texts and the walkthrough', () => {
    const texts = [
      ...contributes.viewsWelcome.map(({ contents }) => contents),
      ...contributes.walkthroughs.flatMap(({ steps }) =>
        steps.map(({ description }) => description),
      ),
    ];
    const used = [...Object.values(contributes.menus).flat(), ...contributes.keybindings].flatMap(
      ({ command }) => command ?? [],
    );
    const linked = texts.flatMap((text) =>
      [...text.matchAll(/command:(mergevla\.\w+)/g)].map(([, name = '']) => name),
    );
    const events = contributes.walkthroughs.flatMap(({ steps }) =>
      steps.flatMap(({ completionEvents }) =>
        completionEvents.map((event) => event.replace('onCommand:', '')),
      ),
    );
    expect([...used, ...linked, ...events].filter((name) => !declared.has(name))).toEqual([]);
  });

  it('declares exactly the settings that the code reads', () => {
    const settings = contributes.configuration.flatMap(({ properties }) => Object.keys(properties));
    const read = settings.filter((name) => {
      const short = name.replace('mergevla.', '');
      return server.includes(`'${name}'`) || extension.includes(`'${short}'`);
    });
    // The client library reads the trace setting by its name.
    expect(settings.filter((name) => !read.includes(name))).toEqual(['mergevla.trace.server']);
    const asked = [...extension.matchAll(/\.(?:get|update)(?:<[^>]*>)?\('([\w.]+)'/g)]
      .map(([, name = '']) => `mergevla.${name}`)
      .filter((name) => !settings.includes(name));
    expect(asked).toEqual([]);
  });

  it('describes each setting and gives it a scope that fits', () => {
    for (const { properties } of contributes.configuration)
      for (const [name, { scope, markdownDescription }] of Object.entries(properties)) {
        expect(markdownDescription.length, name).toBeGreaterThan(20);
        expect(['resource', 'window', 'machine-overridable'], name).toContain(scope);
      }
  });

  it('restricts what names a program in an untrusted workspace', () => {
    const { restrictedConfigurations } = manifest.capabilities.untrustedWorkspaces;
    const programs = contributes.configuration.flatMap(({ properties }) =>
      Object.entries(properties)
        .filter(([, { scope }]) => scope === 'machine-overridable')
        .map(([name]) => name),
    );
    expect(restrictedConfigurations).toEqual(programs);
  });

  it('is not started in folders without recipes', () => {
    expect(manifest.activationEvents).not.toContain('*');
    expect(manifest.activationEvents).not.toContain('onStartupFinished');
  });

  it('has a colour for every kind of theme', () => {
    for (const { id, defaults } of contributes.colors)
      expect(Object.keys(defaults), id).toEqual([
        'dark',
        'light',
        'highContrast',
        'highContrastLight',
      ]);
  });

  it('names only files that are there', () => {
    const named = [
      manifest.icon,
      ...contributes.grammars.map(({ path }) => path),
      ...contributes.walkthroughs.flatMap(({ steps }) => steps.map(({ media }) => media.markdown)),
      ...JSON.stringify([contributes.languages, contributes.views]).matchAll(
        /(?:\.\/)?media\/[\w./-]+/g,
      ),
    ].map((path) => (typeof path === 'string' ? path : path[0]));
    expect(named.filter((path) => !existsSync(join(root, path)))).toEqual([]);
  });

  it('has welcome text for every tree', () => {
    const trees = Object.values(contributes.views)
      .flat()
      .map(({ id }) => id);
    const welcomed = new Set(contributes.viewsWelcome.map(({ view }) => view));
    expect(trees.filter((id) => !welcomed.has(id))).toEqual([]);
  });

  it('matches the problems that the command prints', () => {
    const [matcher] = contributes.problemMatchers;
    const line = formatProblem(
      {
        code: 'MV201',
        severity: 'error',
        message: 'the key `merg` is unknown [sic]',
        range: { start: { line: 1, column: 0 }, end: { line: 1, column: 4 } },
      },
      'a folder/cubes.mergevla.yaml',
    );
    const found = new RegExp(matcher?.pattern.regexp ?? '').exec(line);
    expect(found?.slice(1)).toEqual([
      'a folder/cubes.mergevla.yaml',
      '2',
      '1',
      'error',
      'the key `merg` is unknown [sic]',
      'MV201',
    ]);
  });
});

describe('problem codes', () => {
  it('of the editor are in the table', () => {
    const editor = [...sources('src'), ...sources('server/lsp')].map(read).join('\n');
    const used = [...editor.matchAll(/'(MV\d{3})'/g)].map(([, code = '']) => code);
    expect(used.length).toBeGreaterThan(0);
    expect(used.filter((code) => !(code in problemTable))).toEqual([]);
  });
});
