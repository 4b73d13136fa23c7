import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import type { StepResult } from './hand';

/** The parts of VS Code's own tokenizer that are used here; its packages come with the host. */
interface TextMate {
  readonly INITIAL: unknown;
  readonly parseRawGrammar: (text: string, path: string) => unknown;
  readonly Registry: new (options: object) => {
    loadGrammar(scope: string): Promise<Grammar | null>;
  };
}

interface Grammar {
  tokenizeLine(
    line: string,
    state: unknown,
  ): {
    readonly ruleStack: unknown;
    readonly tokens: readonly {
      readonly startIndex: number;
      readonly endIndex: number;
      readonly scopes: readonly string[];
    }[];
  };
}

interface Oniguruma {
  loadWASM(data: ArrayBuffer): Promise<void>;
  readonly OnigScanner: new (patterns: string[]) => unknown;
  readonly OnigString: new (text: string) => unknown;
}

const recipe = `# a comment
version: 1
experts:
  pick: zoo/a # why
  push: { path: zoo/b, weight: 1.0 }
merge:
  method: ties
  alpha: 1.0
  scope: { exclude: ["model.*", "plain"] }
masks: { lambda: 0.6 }
`;

/** Words of the recipe and the scope that colours them. */
const expected: readonly [word: string, scope: RegExp][] = [
  ['# a comment', /comment/],
  ['version', /entity\.name\.tag/],
  ['pick', /entity\.name\.type\.task/],
  ['# why', /comment/],
  ['push', /entity\.name\.type\.task/],
  ['path', /entity\.name\.tag/],
  ['ties', /support\.function\.method/],
  ['alpha', /variable\.parameter/],
  ['"model.*"', /glob/],
  ['plain', /string\.quoted/],
  ['masks', /entity\.name\.tag/],
  ['0.6', /constant\.numeric/],
];

/** Colours of the grammar, before the server has said anything, by VS Code's own tokenizer. */
export async function grammarTests(vscode: string, root: string): Promise<StepResult[]> {
  const scopes = tokens(await loadGrammar(vscode, root));
  return expected.map(([word, scope]) => {
    const title = `the grammar colours ${word}`;
    const found = scopes.find(([text]) => text.includes(word.replace(/^# /, '')))?.[1] ?? 'nothing';
    return scope.test(found)
      ? { title, state: 'passed' }
      : { title, state: 'failed', error: `found ${found}` };
  });
}

async function loadGrammar(vscode: string, root: string): Promise<Grammar> {
  const load = createRequire(join(vscode, 'package.json'));
  const textMate = load('vscode-textmate') as TextMate;
  const oniguruma = load('vscode-oniguruma') as Oniguruma;
  const wasm = readFileSync(load.resolve('vscode-oniguruma/release/onig.wasm'));
  await oniguruma.loadWASM(new Uint8Array(wasm).buffer);
  const registry = new textMate.Registry({
    onigLib: Promise.resolve({
      createOnigScanner: (patterns: string[]) => new oniguruma.OnigScanner(patterns),
      createOnigString: (text: string) => new oniguruma.OnigString(text),
    }),
    loadGrammar: (scope: string) => {
      const path = grammarFile(vscode, root, scope);
      return Promise.resolve(textMate.parseRawGrammar(readFileSync(path, 'utf8'), path));
    },
  });
  const grammar = await registry.loadGrammar('source.mergevla');
  if (!grammar) throw new Error('the grammar cannot be loaded');
  return grammar;
}

function grammarFile(vscode: string, root: string, scope: string): string {
  if (scope === 'source.mergevla') return join(root, 'syntaxes/mergevla.tmLanguage.json');
  const version = scope.replace(/^source\.yaml\.?/, '');
  const name = version === '' ? 'yaml' : `yaml-${version}`;
  return join(vscode, 'extensions/yaml/syntaxes', `${name}.tmLanguage.json`);
}

function tokens(grammar: Grammar): (readonly [text: string, scopes: string])[] {
  let state: unknown = null;
  return recipe.split('\n').flatMap((line) => {
    const result = grammar.tokenizeLine(line, state);
    state = result.ruleStack;
    return result.tokens.map(
      ({ startIndex, endIndex, scopes }) =>
        [line.slice(startIndex, endIndex), scopes.join(' ')] as const,
    );
  });
}
