import { rmSync } from 'node:fs';
import { basename } from 'node:path';
import type { MergeInputs } from '../engine/inputs';
import type { MeasuredParts, MergeReport } from '../protocol/report';
import { writeFileAtomic, writeJsonAtomic } from '../runs/files';
import { flatMetrics, flatParameters, toYamlLines } from '../runs/flat';
import type { Manifest } from '../runs/manifest';
import { modelCard } from '../runs/model-card';
import type { RunDirectory } from '../runs/run-directory';
import type { CheckpointFile } from '../tensors/types';
import type { CheckedRecipe } from './check-recipe';
import { hashOf } from '../runs/header-hash';
import { measuredName } from '../runs/read';

export interface RunFacts {
  readonly checked: CheckedRecipe;
  readonly manifest: Manifest;
  readonly report: MergeReport;
  readonly version: string;
  readonly only?: string | undefined;
}

/** What was asked, with everything that it is asked about: there while the merge runs, too. */
export function writeQuestion(
  run: RunDirectory,
  { checked, only }: Pick<RunFacts, 'checked' | 'only'>,
): void {
  const { recipe, inputs } = checked;
  writeJsonAtomic(run.file('recipe.resolved.json'), {
    recipe,
    recipe_path: checked.path,
    only: only ?? null,
    inputs: inputs ? describeInputs(inputs) : [],
  });
}

/** Numbers of the blocks that are done, for who looks on; the report takes their place. */
export function writeMeasured(run: RunDirectory, parts: MeasuredParts): void {
  writeJsonAtomic(run.file(measuredName), parts);
}

/** The files of a run beside `merged/`: what came out, and the card. */
export function writeRunFiles(run: RunDirectory, facts: RunFacts): void {
  const { checked, manifest, report, version } = facts;
  const { recipe } = checked;
  writeJsonAtomic(run.file('report.json'), report);
  writeJsonAtomic(run.file('metrics.json'), flatMetrics(report, run.timings));
  writeFileAtomic(run.file('params.yaml'), toYamlLines(flatParameters(recipe)));
  const card = modelCard({
    name: recipe.name,
    description: recipe.description,
    manifest,
    report,
    recipe: new TextDecoder().decode(checked.bytes),
    version,
    created: new Date().toISOString(),
  });
  writeFileAtomic(run.file('README.md'), card);
  rmSync(run.file(measuredName), { force: true });
}

/** Every input with the size, time of change and header hash of its files. */
export function describeInputs({ base, experts }: MergeInputs): unknown[] {
  return [
    ...(base ? [describeInput('base', base.path, base.files)] : []),
    ...experts.flatMap(({ task, checkpoint, adapter }) => [
      ...(checkpoint ? [describeInput(task, checkpoint.path, checkpoint.files)] : []),
      ...(adapter ? [describeInput(`${task}.adapter`, adapter.path, adapter.files)] : []),
    ]),
  ];
}

function describeInput(role: string, path: string, files: readonly CheckpointFile[]): unknown {
  return {
    role,
    path,
    hash: hashOf(files),
    files: files.map((file) => ({
      name: basename(file.path),
      size: file.size,
      mtime: new Date(file.mtimeMs).toISOString(),
      header_hash: file.headerHash,
    })),
  };
}
