import type { CheckResult } from '../protocol/methods';
import { inOrder } from '../recipe/validate';
import type { ServerContext } from './context';
import { analyse } from './documents';
import { readText } from './read-text';

/** Every finding of a recipe, open or not, once its files have been read. */
export async function checkOnDisk(context: ServerContext, uri: string): Promise<CheckResult> {
  const open = context.documents.get(uri);
  const analysis = open ?? analyse(uri, await readText(uri));
  context.files.follow(analysis);
  await context.files.settled(analysis);
  const problems = inOrder([...analysis.problems, ...context.files.problems(analysis)]);
  if (!open) context.files.forget(uri);
  return { problems };
}
