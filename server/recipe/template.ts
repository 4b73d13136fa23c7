import { flowText } from './write';

/** The text of a new recipe. Without paths it names places to fill in. */
export function recipeTemplate(
  options: {
    readonly base?: string;
    readonly experts?: Readonly<Record<string, string>>;
  } = {},
): string {
  const experts = options.experts ?? {
    first_task: 'checkpoints/first_task',
    second_task: 'checkpoints/second_task',
  };
  const lines = Object.entries(experts).map(
    ([task, path]) => `  ${flowText(task)}: ${flowText(path)}`,
  );
  return `version: 1
base: ${flowText(options.base ?? 'checkpoints/base')}
experts: # the key is the name of the task
${lines.join('\n')}
merge:
  method: task_arithmetic
  alpha: 1.0
masks:
  lambda: 0.6 # larger keeps fewer positions for each task
`;
}
