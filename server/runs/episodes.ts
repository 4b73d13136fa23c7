import { appendFileSync, existsSync, mkdirSync, readFileSync, renameSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { parseEpisodeLines, type EpisodeLine } from '../protocol/episode-line';
import type { EpisodeRecording } from '../protocol/episode';
import { isEpisodeRecording } from '../protocol/episode-guards';
import {
  parseEvaluation,
  type EvaluationRecord,
  type EvaluationSettings,
} from '../protocol/evaluation-record';
import { parseImportFacts, type ImportFacts } from '../protocol/import-facts';
import { writeFileAtomic, writeJsonAtomic } from './files';

const episodesName = 'episodes.jsonl';
const evaluationName = 'evaluation.json';

/** Episodes of a run, in the order of their lines; empty where there are none. */
export function readEpisodes(run: string): readonly EpisodeLine[] {
  const path = join(run, episodesName);
  return existsSync(path) ? parseEpisodeLines(readFileSync(path, 'utf8')) : [];
}

/** Undefined where there is none, or one that cannot be read. */
export function readEvaluation(run: string): EvaluationRecord | undefined {
  const path = join(run, evaluationName);
  return existsSync(path) ? parseEvaluation(readFileSync(path, 'utf8')) : undefined;
}

/** What an imported run says of its source; undefined for a run of our own. */
export function readImportFacts(run: string): ImportFacts | undefined {
  const path = join(run, 'import.json');
  return existsSync(path) ? parseImportFacts(readFileSync(path, 'utf8')) : undefined;
}

/** The recording of an episode by its line's `replay`; undefined where it is gone or damaged. */
export function readRecording(run: string, replay: string): EpisodeRecording | undefined {
  try {
    const bytes = readFileSync(join(run, replay));
    const text = (replay.endsWith('.gz') ? gunzipSync(bytes) : bytes).toString('utf8');
    const value: unknown = JSON.parse(text);
    return isEpisodeRecording(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

/** The episodes of a run while they are played. The run must be locked by the caller. */
export class EpisodeFile {
  private readonly path: string;

  /**
   * Episodes that were played under other settings are put aside as `episodes-<n>.jsonl`; half a line
   * that a killed process left goes.
   */
  constructor(
    private readonly run: string,
    record: EvaluationRecord,
  ) {
    this.path = join(run, episodesName);
    const previous = readEvaluation(run);
    if (previous && !isSame(previous.settings, record.settings)) this.putAside();
    writeJsonAtomic(join(run, evaluationName), record);
    if (existsSync(this.path)) this.replace(this.lines());
  }

  lines(): readonly EpisodeLine[] {
    return readEpisodes(this.run);
  }

  /** One line is one write, so a reader never sees two mixed. */
  append(line: EpisodeLine, recording?: Uint8Array): void {
    if (recording && line.replay !== undefined) {
      const path = join(this.run, line.replay);
      mkdirSync(dirname(path), { recursive: true });
      writeFileAtomic(path, recording);
    }
    appendFileSync(this.path, `${JSON.stringify(line)}\n`);
  }

  replace(lines: readonly EpisodeLine[]): void {
    writeFileAtomic(this.path, lines.map((line) => `${JSON.stringify(line)}\n`).join(''));
  }

  private putAside(): void {
    if (!existsSync(this.path)) return;
    let number = 1;
    while (existsSync(join(this.run, `episodes-${number}.jsonl`))) number++;
    renameSync(this.path, join(this.run, `episodes-${number}.jsonl`));
    if (existsSync(join(this.run, 'replays')))
      renameSync(join(this.run, 'replays'), join(this.run, `replays-${number}`));
  }
}

/** Compared by key: the order in a file says nothing. */
function isSame(a: EvaluationSettings, b: EvaluationSettings): boolean {
  const flat = (settings: EvaluationSettings): string =>
    JSON.stringify(Object.entries(settings).sort(([x], [y]) => (x < y ? -1 : 1)));
  return flat(a) === flat(b);
}
