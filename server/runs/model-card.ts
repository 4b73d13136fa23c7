import { basename } from 'node:path';
import type { MergeReport } from '../protocol/report';
import type { Manifest } from './manifest';

export interface CardFacts {
  readonly name: string;
  readonly description: string;
  readonly manifest: Manifest;
  readonly report: MergeReport;
  /** The recipe as written. */
  readonly recipe: string;
  readonly version: string;
  readonly created: string;
}

/** `README.md` of a run: what a model hub and a person need to know of the merged model. */
export function modelCard(facts: CardFacts): string {
  const { manifest, report } = facts;
  return [
    frontMatter(manifest),
    `# ${facts.name}`,
    facts.description,
    introduction(manifest),
    '## How to use it',
    usage(manifest),
    '## Merged parameters',
    metricsTable(report),
    '## Recipe',
    fenced(facts.recipe),
    `Made by mergevla ${facts.version} on ${facts.created.slice(0, 10)}.`,
  ]
    .filter((part) => part !== '')
    .join('\n\n')
    .concat('\n');
}

/** Puts a section before the recipe, or in the place of the one with its title. */
export function putSection(card: string, title: string, text: string): string {
  const lines = card.split('\n');
  const start = lines.indexOf(`## ${title}`);
  const rest =
    start < 0 ? lines : [...lines.slice(0, start), ...lines.slice(nextHeading(lines, start))];
  const recipe = rest.indexOf('## Recipe');
  const at = recipe < 0 ? rest.length : recipe;
  return [...rest.slice(0, at), `## ${title}`, '', text, '', ...rest.slice(at)].join('\n');
}

function nextHeading(lines: readonly string[], after: number): number {
  const next = lines.findIndex((line, index) => index > after && line.startsWith('## '));
  return next < 0 ? lines.length : next;
}

function frontMatter({ base, experts }: Manifest): string {
  const models = [base?.path, ...Object.values(experts).map(({ path }) => path)].flatMap((path) =>
    path === undefined ? [] : [`  - ${JSON.stringify(basename(path))}`],
  );
  return [
    '---',
    'base_model:',
    ...models,
    'tags:',
    '  - merge',
    '  - mergevla',
    '  - robotics',
    '---',
  ].join('\n');
}

function introduction({ tasks, base, groups, masks }: Manifest): string {
  const rules = groups.filter(({ rule }) => rule !== 'base').map(({ rule }) => rule);
  const from = base ? ` fine-tuned from \`${basename(base.path)}\`` : '';
  const masked = masks
    ? ` One bit mask per task (rule \`${masks.rule}\`) selects its weights.`
    : '';
  return `One policy for ${tasks.length} tasks (${tasks.map((task) => `\`${task}\``).join(', ')}), merged from experts${from}. Rules: ${[...new Set(rules)].join(', ')}.${masked}`;
}

function usage({ form, masks }: Manifest): string {
  if (form === 'compact')
    return [
      '`merged/task_vector.safetensors` holds the merged task vector τ, not weights.',
      'The weights of a task are base + mask ⊙ τ; `merged/manifest.json` names the base.',
      '`mergevla export RUN --form weights` writes plain checkpoints.',
    ].join('\n');
  if (form === 'mergevla')
    return '`merged/` has the layout of the released MergeVLA evaluation scripts; its `model.safetensors` holds the merged task vector.';
  return masks
    ? 'Each folder in `merged/` is a plain checkpoint for the task of its name.'
    : '`merged/` is a plain checkpoint.';
}

function metricsTable(report: MergeReport): string {
  const { tasks } = report;
  const percent = (count: number | undefined, elements: number): string =>
    count === undefined || elements === 0 ? '–' : `${((100 * count) / elements).toFixed(1)} %`;
  const row = (name: string, metrics: MergeReport['total']): string =>
    `| ${[
      name,
      metrics.elements.toLocaleString('en-US'),
      ...tasks.map((task) => percent(metrics.active?.[task], metrics.elements)),
      percent(metrics.coverage?.[1], metrics.elements),
    ].join(' | ')} |`;
  return [
    `| component | elements | ${tasks.map((task) => `active ${task}`).join(' | ')} | active in one task only |`,
    `|---|${'---:|'.repeat(tasks.length + 2)}`,
    ...Object.entries(report.components).map(([name, metrics]) => row(name, metrics)),
    row('total', report.total),
  ].join('\n');
}

/** A fence longer than any in the text. */
function fenced(text: string): string {
  const longest = Math.max(2, ...[...text.matchAll(/`+/g)].map(([ticks]) => ticks.length));
  const fence = '`'.repeat(longest + 1);
  return `${fence}yaml\n${text.trimEnd()}\n${fence}`;
}
