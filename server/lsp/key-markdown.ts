import type { KeyDescription } from '../recipe/describe';
import { flowText } from '../recipe/write';

/** Documentation of a key: what it is, its type and default, what its values mean, an example. */
export function keyMarkdown(key: KeyDescription, links = ''): string {
  const facts = [
    key.range ?? key.type,
    ...(key.default === undefined ? [] : [`default \`${flowText(key.default)}\``]),
    ...(key.required ? ['required'] : []),
  ].join(', ');
  const values = Object.entries(key.values ?? {}).map(([name, text]) => `- \`${name}\`: ${text}`);
  const examples = (key.examples ?? []).map((each) => `${key.key}: ${flowText(each)}`);
  return [
    `**${key.key}** ${facts}${links === '' ? '' : ` ${links}`}`,
    key.doc,
    values.join('\n'),
    examples.length === 0 ? '' : `\`\`\`yaml\n${examples.join('\n')}\n\`\`\``,
  ]
    .filter((part) => part !== '')
    .join('\n\n');
}
