import type { ExtensionContext } from 'vscode';
import type { Server } from '../client';
import type { DeletedRuns } from '../deleted-runs';
import type { Jobs } from '../jobs';
import type { Logs } from '../log';
import type { Runs } from '../runs';

/** What commands, trees and panels are made of; put together once, in `extension.ts`. */
export interface Parts {
  readonly context: ExtensionContext;
  readonly logs: Logs;
  readonly server: Server;
  readonly runs: Runs;
  readonly jobs: Jobs;
  readonly deleted: DeletedRuns;
  /** Absolute path of the `mergevla` command. */
  readonly cli: string;
}

/** The commands of one family, by identifier. Each may be called from code and answers its result. */
export type Commands = Readonly<Record<string, (...args: unknown[]) => unknown>>;
