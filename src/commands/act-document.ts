import type { ActAnswer } from '../../server/protocol/act';
import type { Observation } from './observation';

/** One action chunk as a Markdown document: what was seen, who acted, and the numbers. */
export function actDocument(
  target: string,
  { images, instruction, proprio }: Observation,
  answer: ActAnswer,
): string {
  const { chosen, device, seconds, actions, normalized } = answer;
  return [
    `# ${chosen} acts`,
    '',
    `- Policy: \`${target}\``,
    `- Instruction: ${instruction}`,
    ...images.map((image) => `- Picture: \`${image}\``),
    ...(proprio === undefined ? [] : [`- Robot state: \`${proprio}\``]),
    `- Computed on ${device} in ${seconds.toFixed(2)} s`,
    '',
    ...routing(answer),
    '## Actions, in the robot’s units',
    '',
    ...chunk(actions),
    '',
    '## Actions, normalized',
    '',
    ...chunk(normalized),
    '',
  ].join('\n');
}

function routing({ scores, softmax, chosen }: ActAnswer): string[] {
  if (!scores) return [];
  const rows = Object.entries(scores).map(([task, score]) => {
    const share = softmax?.[task];
    const name = task === chosen ? `**${task}**` : task;
    return row([name, score.toFixed(4), share === undefined ? '–' : share.toFixed(3)]);
  });
  return [
    '## Routing',
    '',
    row(['task', 'score', 'softmax']),
    '| --- | ---: | ---: |',
    ...rows,
    '',
  ];
}

function chunk(rows: readonly (readonly number[])[]): string[] {
  const columns = rows[0]?.length ?? 0;
  const names = Array.from({ length: columns }, (_, index) => `a${String(index + 1)}`);
  return [
    row(['step', ...names]),
    row(Array.from({ length: columns + 1 }, () => '---:')),
    ...rows.map((values, step) => row([String(step), ...values.map((v) => v.toFixed(4))])),
  ];
}

const row = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;
