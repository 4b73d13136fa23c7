import { button, select } from '../shared/components';
import { h } from '../shared/dom';
import { exportMenu } from '../shared/export';
import { count, nbsp, percent } from '../shared/format';
import { icon } from '../shared/icons';
import type { MaskActions, MaskModel, MaskPage } from './model';
import { twinsAsCsv } from './twin';

/** Which recipe, what its numbers stand on, and what can be done with them. */
export function toolbar(
  { model, post, main }: MaskPage,
  actions: MaskActions,
): readonly HTMLElement[] {
  const { snapshot, twin } = model;
  return [
    select(
      'Recipe',
      snapshot.recipes.map(({ uri, label }) => ({ value: uri, label })),
      snapshot.uri ?? '',
      (uri) => {
        post({ type: 'selectRecipe', uri });
      },
    ),
    h('span', { class: 'secondary facts' }, recipeFacts(model)),
    h(
      'span',
      { class: 'end' },
      ...sourceChips(model),
      twinButton(twin, () => {
        actions.toggleTwin();
      }),
      exportMenu(
        {
          name: `mask-ratios-${snapshot.recipe?.name ?? ''}`,
          cards: () => main,
          csv: () => twinsAsCsv(model),
          footer: () => figureFooter(model),
        },
        post,
      ),
      button(
        'Compute exactly',
        {
          disabled: !snapshot.trusted,
          ...(snapshot.trusted ? {} : { title: 'The workspace is not trusted' }),
        },
        () => {
          post({ type: 'computeExactly' });
        },
        icon('play'),
      ),
    ),
  ];
}

/** Method and size of what is looked at. */
function recipeFacts({ snapshot: { recipe } }: MaskModel): string {
  if (!recipe) return '';
  const tasks = recipe.tasks.length;
  return `${recipe.method} · ${String(tasks)} ${tasks === 1 ? 'task' : 'tasks'} · ${recipe.tensors.toLocaleString('en')} tensors · ${count(recipe.elements)} positions`;
}

/** Estimate with a dashed outline, exact with a tick and the run's name. */
function sourceChips({ snapshot: { view, exact } }: MaskModel): readonly HTMLElement[] {
  const source = view?.source;
  const run = exact ?? (source?.kind === 'exact' ? view : undefined);
  const estimate =
    source?.kind === 'estimate'
      ? h(
          'span',
          { class: 'chip estimate' },
          `≈ estimate · ${percent(source.fractionRead, 1)}${nbsp}% read · 95${nbsp}% interval`,
        )
      : undefined;
  const exactChip =
    run?.source.kind === 'exact'
      ? h(
          'span',
          { class: 'chip' },
          icon('check'),
          `exact at λ${nbsp}${run.parameters.lambda.toFixed(2)}: ${run.source.run}`,
        )
      : undefined;
  return [estimate, exactChip].filter((chip) => chip !== undefined);
}

function twinButton(pressed: boolean, onclick: () => void): HTMLElement {
  return h(
    'button',
    {
      class: 'plain',
      type: 'button',
      title: 'Tables instead of charts (T)',
      'aria-label': 'Tables instead of charts',
      'aria-pressed': String(pressed),
      click: onclick,
    },
    icon('table'),
  );
}

/** The last line of an exported figure. */
function figureFooter({ snapshot }: MaskModel): string {
  const { view, recipe, banners } = snapshot;
  if (!view || !recipe) return '';
  const { lambda, alpha, density } = view.parameters;
  const { source } = view;
  const from =
    source.kind === 'exact' ? source.run : `estimate, ${percent(source.fractionRead, 1)} % read`;
  const stale = banners.some(({ level }) => level === 'stale') ? ' · stale' : '';
  const parameters = `λ ${String(lambda)}, α ${String(alpha)}, density ${String(density)}`;
  return `${recipe.name} · ${recipe.method} · ${parameters} · ${from}${stale} · ${new Date().toISOString().slice(0, 10)}`;
}
