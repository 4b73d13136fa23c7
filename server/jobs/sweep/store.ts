import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { MergeError } from '../../protocol/merge-error';
import { lockHolder } from '../../runs/lock';
import {
  isCount,
  isNumber,
  isRecord,
  isString,
  literal,
  object,
  recordOf,
} from '../../protocol/shape';
import type { PointFailure, PointRecord, PointResult, PointStatus, SweepRecord } from './types';

export const sweepFile = 'sweep.json';
export const pointsFile = 'points.jsonl';

/** Attempts after which a point that fails for no fault of its own is given up. */
export const maxAttempts = 3;

/** A sweep's folder: the only source of truth about it (`sweep.json`, `points.jsonl`, `points/<id>`). */
export class SweepStore {
  private constructor(
    readonly folder: string,
    readonly record: SweepRecord,
    readonly points: readonly PointRecord[],
  ) {}

  /** Throws MV545 for a folder that is not a whole sweep. */
  static open(folder: string): SweepStore {
    const record = readJson(join(folder, sweepFile));
    const points = readLines(join(folder, pointsFile));
    if (!isSweep(record) || points?.length !== record.points)
      throw new MergeError(
        'MV545',
        `${folder} is not the folder of a sweep: ${sweepFile} and ${pointsFile} do not belong together`,
      );
    return new SweepStore(folder, record, points);
  }

  /** Throws MV545 for an index outside of the sweep. */
  point(index: number): PointRecord {
    const point = this.points[index];
    if (point) return point;
    const last = this.points.length - 1;
    const message = `the sweep ${this.folder} has the points 0 to ${last}, not ${index}`;
    throw new MergeError('MV545', message, { fault: 'usage' });
  }

  file(point: PointRecord, ...parts: string[]): string {
    return join(this.folder, 'points', point.id, ...parts);
  }

  /** The result of a point; undefined when there is none or it cannot be read. */
  result(point: PointRecord): PointResult | undefined {
    const result = readJson(this.file(point, 'result.json'));
    return isResult(result) && result.id === point.id ? result : undefined;
  }

  failure(point: PointRecord): PointFailure | undefined {
    return readJson(this.file(point, 'failure.json')) as PointFailure | undefined;
  }

  /** From files alone, so that it is true for every pool and every machine. */
  status(point: PointRecord): PointStatus {
    const failure = this.failure(point);
    const attempts = failure?.attempts ?? 0;
    if (this.result(point)) return { state: 'done', attempts };
    const partial = this.file(point, 'run.partial');
    if (existsSync(partial)) {
      if (lockHolder(partial)) return { state: 'running', attempts };
      if (!failure) return { state: 'interrupted', attempts };
    }
    const run = this.file(point, 'run');
    if (existsSync(run) && lockHolder(run)) return { state: 'running', attempts };
    if (failure) return { state: 'failed', reason: failure.message, attempts };
    return { state: 'queued', attempts };
  }

  /** Indices that still have to be computed. */
  missing(): readonly number[] {
    return this.points.filter((point) => !this.result(point)).map(({ index }) => index);
  }
}

/** Undefined for a file that is not there or is not whole JSON. */
export function readJson(path: string): unknown {
  try {
    return JSON.parse(readFileSync(path, 'utf8'));
  } catch {
    return undefined;
  }
}

const isSweep = object<SweepRecord>({
  version: literal(1),
  name: isString,
  recipePath: isString,
  points: isCount,
  created: isString,
});

const isResult = object<PointResult>({
  schema: literal('mergevla.point/1'),
  id: isString,
  values: isRecord,
  metrics: recordOf(isNumber),
  run: isString,
  seconds: isNumber,
  host: isString,
  version: isString,
});

/** An id is a folder of the sweep, and the file may be anybody's. */
const isPoint = (value: unknown, index: number): value is PointRecord =>
  isRecord(value) &&
  isString(value['id']) &&
  /^[\w-]+$/.test(value['id']) &&
  value['index'] === index &&
  isString(value['label']) &&
  isString(value['recipe']) &&
  isRecord(value['values']);

/** Undefined where a line is no point. */
function readLines(path: string): readonly PointRecord[] | undefined {
  try {
    const lines = readFileSync(path, 'utf8').split('\n').slice(0, -1);
    const points = lines.map((line): unknown => JSON.parse(line));
    return points.every(isPoint) ? points : undefined;
  } catch {
    return undefined;
  }
}
