import { Uri, ViewColumn, window, workspace } from 'vscode';
import { isActAnswer, type ActAnswer } from '../../server/protocol/act';
import { isRouteAnswer, type RouteAnswer } from '../../server/protocol/routing';
import { isRecipe } from '../recipes';
import { isTrusted } from '../trust';
import { actDocument } from './act-document';
import type { Commands, Parts } from './context';
import { runPath } from './jobs';
import type { Failure } from './asked';
import { asObservation, askObservation, askPolicy } from './observation';

/** What the routing panel opens with after an observation was routed. */
export interface RoutedObservation {
  readonly run: string;
  readonly answer: RouteAnswer;
}

/** Commands that ask a merged policy once. */
export function policyCommands(
  parts: Parts,
  showRouting: (shown: RoutedObservation) => void,
): Commands {
  return {
    'mergevla.routeObservation': async (target, observation) => {
      const answer = await ask(parts, 'route', [target, observation]);
      if (!answer || !isRouteAnswer(answer.value)) return undefined;
      showRouting({ run: answer.target, answer: answer.value });
      return answer.value;
    },
    'mergevla.actOnce': (target, observation) => actOnce(parts, target, observation),
  };
}

async function actOnce(
  parts: Parts,
  target: unknown,
  given: unknown,
): Promise<ActAnswer | undefined> {
  const answer = await ask(parts, 'act', [target, given]);
  if (!answer || !isActAnswer(answer.value)) return undefined;
  const content = actDocument(answer.target, answer.observation, answer.value);
  const document = await workspace.openTextDocument({ language: 'markdown', content });
  await window.showTextDocument(document, { viewColumn: ViewColumn.Beside, preview: true });
  return answer.value;
}

/** Asks for what was not given, runs the policy, and says why there is no answer. */
async function ask(
  parts: Parts,
  verb: 'route' | 'act',
  [argument, given]: readonly [unknown, unknown],
) {
  if (!isTrusted()) return undefined;
  const target = await choosePolicy(parts, argument);
  if (target === undefined) return undefined;
  const observation = asObservation(given) ?? (await askObservation({ proprio: verb === 'act' }));
  if (!observation) return undefined;
  const asked = await askPolicy(parts, verb, target, observation);
  if (asked.state === 'failed') tellFailure(verb, asked.failure);
  return asked.state === 'answered' ? { target, observation, value: asked.value } : undefined;
}

function tellFailure(verb: 'route' | 'act', { message, code }: Failure): void {
  const what = verb === 'route' ? 'Not routed' : 'No action';
  void window.showErrorMessage(`${what}: ${message}${code === undefined ? '' : ` [${code}]`}`);
}

/**
 * The policy that a command works on: its argument (a run or a recipe), else the one picked of the
 * finished runs and the recipes, whose merge is made when none is there. The active recipe comes first.
 */
export async function choosePolicy(parts: Parts, argument: unknown): Promise<string | undefined> {
  const given = runPath(argument);
  if (given !== undefined) return given;
  const runs = parts.runs.list().filter(({ state }) => state === 'done');
  const recipes = await parts.server.request('mergevla/recipe/list', {});
  const active = window.activeTextEditor?.document;
  const first = active && isRecipe(active) ? active.uri.toString() : undefined;
  const sorted = [...recipes].sort((a, b) => Number(b.uri === first) - Number(a.uri === first));
  const items = [
    ...runs.map(({ name, path, headline = '' }) => ({
      ...{ label: name, description: headline, detail: path, target: path },
    })),
    ...sorted.map(({ label, uri }) => ({
      ...{ label, description: 'recipe: merged first where no run is current' },
      target: Uri.parse(uri).fsPath,
    })),
  ];
  if (items.length === 0) {
    void window.showInformationMessage('There is no run and no recipe in this workspace yet.');
    return undefined;
  }
  return (await window.showQuickPick(items, { title: 'Which policy?' }))?.target;
}
