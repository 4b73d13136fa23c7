import { button, select, twinButton } from '../shared/components';
import { Drawn, h } from '../shared/dom';
import { exportMenu } from '../shared/export';
import { count, nbsp, percent } from '../shared/format';
import { icon } from '../shared/icons';
import type { MaskActions, MaskModel, MaskPage } from './model';
import { twinsAsCsv } from '../shared/twin';
import { twins } from './twin';

/** Which recipe, what its numbers stand on, and what can be done with them. */
export class Toolbar {
  private readonly drawn = new Drawn();
  private parts: readonly HTMLElement[] = [];

  constructor(
    private readonly page: MaskPage,
    private readonly actions: MaskActions,
  ) {}

  draw(): readonly HTMLElement[] {
    const { snapshot, twin } = this.page.model;
    const { recipes, uri, recipe, view, exact, trusted } = snapshot;
    const texts = JSON.stringify([recipes, uri, recipe, view?.source, exact?.source]);
    if (this.drawn.differs(texts, exact?.parameters.lambda, trusted, twin))
      this.parts = [this.recipes(), this.facts(), this.end()];
    return this.parts;
  }

  private recipes(): HTMLElement {
    const { recipes, uri = '' } = this.page.model.snapshot;
    const choices = recipes.map((recipe) => ({ value: recipe.uri, label: recipe.label }));
    return select('Recipe', choices, uri, (chosen) => {
      this.page.post({ type: 'selectRecipe', uri: chosen });
    });
  }

  private facts(): HTMLElement {
    return h('span', { class: 'secondary facts' }, recipeFacts(this.page.model));
  }

  private end(): HTMLElement {
    const { snapshot, twin } = this.page.model;
    const { trusted } = snapshot;
    return h(
      'span',
      { class: 'end' },
      ...sourceChips(this.page.model),
      twinButton(twin, () => {
        this.actions.toggleTwin();
      }),
      exportMenu(
        {
          name: `mask-ratios-${snapshot.recipe?.name ?? ''}`,
          cards: () => this.page.main,
          csv: () => twinsAsCsv(twins(this.page.model)),
          footer: () => figureFooter(this.page.model),
        },
        this.page.post,
      ),
      button(
        'Compute exactly',
        { disabled: !trusted, ...(trusted ? {} : { title: 'The workspace is not trusted' }) },
        () => {
          this.page.post({ type: 'computeExactly' });
        },
        icon('play'),
      ),
    );
  }
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
