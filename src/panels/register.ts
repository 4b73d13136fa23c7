import { Uri, type Disposable } from 'vscode';
import type { Commands, Parts } from '../commands/context';
import { chooseEpisode } from '../commands/episodes';
import { importResults } from '../commands/imports';
import { runPath } from '../commands/jobs';
import type { RoutedObservation } from '../commands/policies';
import { chooseTrials } from '../commands/trials';
import { chooseRecipe } from '../recipes';
import { maskRatioPanel } from './mask-ratios';
import { createPanelHost } from './panel';
import { routingPanel } from './routing';
import { successPanel } from './success-rates';

interface Panels {
  readonly commands: Commands;
  readonly disposable: Disposable;
  readonly showRouting: (shown: RoutedObservation) => void;
}

/** The panels, restored after a reload, and the commands that show them. */
export function createPanels(parts: Parts): Panels {
  const { context, logs } = parts;
  const masks = createPanelHost(maskRatioPanel(parts), context, logs);
  const routing = createPanelHost(routingPanel(parts), context, logs);
  const success = createPanelHost(successPanel(parts), context, logs);
  const commands: Commands = {
    'mergevla.showMaskRatios': async (recipe) => {
      const uri = await chooseRecipe(parts.server, recipe);
      if (uri) masks.show(uri.toString(), true);
    },
    'mergevla.showRouting': (run) => {
      routing.show(runPath(run));
    },
    'mergevla.routePictures': (first, all) => {
      const chosen = (Array.isArray(all) ? all : [first]).filter((uri) => uri instanceof Uri);
      routing.show(chosen.length > 0 ? { pictures: chosen.map(String) } : undefined);
    },
    'mergevla.showSuccessRates': (cell) => {
      success.show(cell);
    },
    'mergevla.compareRuns': (first, all) => {
      const chosen = Array.isArray(all) ? all : [first];
      const paths = chosen.map(runPath).filter((path) => path !== undefined);
      success.show(paths.length > 0 ? paths : undefined);
    },
    'mergevla.replayEpisode': async (episode) => {
      const id = await chooseEpisode(parts, episode);
      if (id !== undefined) success.show({ episode: id });
      return id;
    },
    'mergevla.recordTrials': async (plan) => {
      const series = await chooseTrials(plan);
      if (series) success.show({ trials: series.folder });
      return series?.folder;
    },
    'mergevla.importResults': async (files) => {
      const imported = await importResults(parts, files);
      if (imported !== undefined) success.show();
      return imported;
    },
  };
  return {
    commands,
    showRouting: (shown) => {
      routing.show(shown);
    },
    disposable: {
      dispose: () => {
        for (const host of [masks, routing, success]) host.dispose();
      },
    },
  };
}
