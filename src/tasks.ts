import {
  ProcessExecution,
  Task,
  TaskGroup,
  TaskScope,
  tasks,
  Uri,
  workspace,
  type Disposable,
  type TaskDefinition,
} from 'vscode';
import type { Server } from './client';
import { nodeForJobs } from './command-line';
import { deviceArguments } from './config';

const actions = ['check', 'plan', 'merge', 'evaluate', 'run'] as const;

interface RecipeTask extends TaskDefinition {
  readonly action: (typeof actions)[number];
  readonly recipe: string;
  readonly args?: readonly string[];
}

/** One task for each recipe and action, so that the same work runs from a terminal and from launch files. */
export function provideTasks(server: Server, cli: string): Disposable {
  return tasks.registerTaskProvider('mergevla', {
    provideTasks: async () => {
      if (!workspace.isTrusted) return [];
      const recipes = await server.request('mergevla/recipe/list', {});
      return recipes.flatMap(({ uri }) =>
        actions.map((action) => {
          const recipe = workspace.asRelativePath(Uri.parse(uri), false);
          return toTask({ type: 'mergevla', action, recipe }, cli, Uri.parse(uri));
        }),
      );
    },
    resolveTask: ({ definition }) => {
      const parsed = parse(definition);
      return parsed && toTask(parsed, cli);
    },
  });
}

/** A definition from `tasks.json` is the user's text: only a whole one becomes a task. */
function parse(definition: TaskDefinition): RecipeTask | undefined {
  const { action, recipe } = definition as Partial<Record<string, unknown>>;
  const known = actions.find((name) => name === action);
  // The very object must be kept: VS Code compares it with the one it asked about.
  return known && typeof recipe === 'string' ? (definition as RecipeTask) : undefined;
}

const isJob = (action: RecipeTask['action']): boolean => action !== 'check' && action !== 'plan';

function toTask(definition: RecipeTask, cli: string, uri?: Uri): Task {
  const folder = (uri && workspace.getWorkspaceFolder(uri)) ?? workspace.workspaceFolders?.[0];
  const { command, env } = nodeForJobs();
  // First, so that a `--device` among the user's own arguments wins.
  const device = isJob(definition.action) ? deviceArguments() : [];
  const execution = new ProcessExecution(
    command,
    [cli, definition.action, definition.recipe, ...device, ...(definition.args ?? [])],
    { env, ...(folder ? { cwd: folder.uri.fsPath } : {}) },
  );
  const name = `${definition.action} ${definition.recipe}`;
  const scope = folder ?? TaskScope.Workspace;
  const task = new Task(definition, scope, name, 'mergevla', execution, '$mergevla');
  if (definition.action === 'merge') task.group = TaskGroup.Build;
  return task;
}
