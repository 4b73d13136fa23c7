import type { JobView } from '../../server/protocol/panels/mask-details';
import type { MaskSnapshot, NumberSource } from '../../server/protocol/panels/mask-ratios';
import { button, select, twinButton } from '../shared/components';
import { Drawn, h } from '../shared/dom';
import { dateToday, exportMenu } from '../shared/export';
import { bytes, count, nbsp, percent } from '../shared/format';
import { icon } from '../shared/icons';
import type { MaskActions, MaskModel, MaskPage } from './model';
import { parameterText, readsAll } from './model';
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
    const { recipes, uri, recipe, view, exact, trusted, job } = snapshot;
    const texts = JSON.stringify([recipes, uri, recipe, view?.source, exact?.source, job]);
    if (this.drawn.differs(texts, exact?.parameters, trusted, twin))
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
          page: this.page,
          csv: () => twinsAsCsv(twins(this.page.model)),
          footer: () => figureFooter(this.page.model),
        },
        this.page.post,
      ),
      this.exactPass(),
    );
  }

  /** Starts the exact pass, or ends the one that runs. */
  private exactPass(): HTMLElement {
    const { trusted, job } = this.page.model.snapshot;
    const refused = trusted ? {} : { disabled: true, title: 'The workspace is not trusted' };
    if (job)
      return button('Stop', refused, () => {
        this.page.act('stopJob');
      });
    return button(
      'Compute exactly',
      refused,
      () => {
        this.page.post({ type: 'computeExactly' });
      },
      icon('play'),
    );
  }
}

/** Method and size of what is looked at. */
function recipeFacts({ snapshot: { recipe } }: MaskModel): string {
  if (!recipe) return '';
  const tasks = recipe.tasks.length;
  return `${recipe.method} · ${String(tasks)} ${tasks === 1 ? 'task' : 'tasks'} · ${recipe.tensors.toLocaleString('en')} tensors · ${count(recipe.elements)} positions`;
}

/** Dashed outline: estimate; tick and the run's name: exact; ring: the pass that the estimate leads to. */
function sourceChips({ snapshot }: MaskModel): readonly HTMLElement[] {
  const { job } = snapshot;
  const estimate = estimateChip(snapshot);
  const chips = job
    ? [estimate, estimate && h('span', { class: 'secondary' }, icon('right')), runningChip(job)]
    : [estimate, exactChip(snapshot)];
  return chips.filter((chip) => chip !== undefined);
}

function runningChip(job: JobView): HTMLElement {
  return h(
    'span',
    { class: 'chip running' },
    h('span', { class: 'ring' }),
    `exact · ${jobText(job)}`,
  );
}

function estimateChip({ view }: MaskSnapshot): HTMLElement | undefined {
  if (view?.source.kind !== 'estimate') return undefined;
  if (readsAll(view.source))
    return h('span', { class: 'chip' }, icon('check'), 'exact · every position read');
  return h(
    'span',
    { class: 'chip estimate' },
    `≈ estimate · ${readShare(view.source.fractionRead)}${nbsp}% read · 95${nbsp}% interval`,
  );
}

/** In percent; a sample that misses little is not said to be all. */
function readShare(fraction: number): string {
  return fraction < 0.9995 ? percent(fraction, 1) : '> 99.9';
}

function exactChip({ view, exact, recipe }: MaskSnapshot): HTMLElement | undefined {
  const run = view?.source.kind === 'exact' ? view : exact;
  if (run?.source.kind !== 'exact') return undefined;
  const lambda = parameterText(run.parameters, 'lambda', recipe?.tasks ?? []);
  return h('span', { class: 'chip' }, icon('check'), `exact at ${lambda}: ${run.source.run}`);
}

/** `212 of 367 tensors`, or only what is being done. */
function jobText({ phase, done, total, unit }: JobView): string {
  if (total === 0) return phase;
  const amount = unit === 'bytes' ? bytes : (value: number) => value.toLocaleString('en');
  return `${amount(done)} of ${amount(total)}${unit === 'bytes' ? '' : ` ${unit}`}`;
}

function sourceText(source: NumberSource): string {
  if (source.kind === 'exact') return source.run;
  return readsAll(source)
    ? 'exact, every position read'
    : `estimate, ${readShare(source.fractionRead)} % read`;
}

/** The last line of an exported figure. */
function figureFooter({ snapshot }: MaskModel): string {
  const { view, recipe, banners } = snapshot;
  if (!view || !recipe) return '';
  const { lambda, lambdas, alpha, density } = view.parameters;
  const { source } = view;
  const from = sourceText(source);
  const stale = banners.some(({ level }) => level === 'stale') ? ' · stale' : '';
  const own = lambdas
    ? Object.entries(lambdas).map(([task, value]) => `${task} ${String(value)}`)
    : [String(lambda)];
  const parameters = `λ ${own.join(', ')}, α ${String(alpha)}, density ${String(density)}`;
  const name = `${recipe.name} (recipe ${recipe.hash})`;
  return `${name} · ${recipe.method} · ${parameters} · ${from}${stale} · ${dateToday()}`;
}
