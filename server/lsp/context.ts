import type { Connection } from 'vscode-languageserver';
import type { InitializationOptions } from '../protocol/methods';
import type { CodePages } from './code-pages';
import type { ConflictMetrics } from './conflict-metrics';
import type { Documents } from './documents';
import type { RecipeFiles } from './files';
import type { RunWatch } from './run-watch';
import type { Settings } from './settings';

/** What every feature gets; put together once, in `main.ts`. */
export interface ServerContext {
  readonly connection: Connection;
  readonly documents: Documents;
  readonly files: RecipeFiles;
  readonly runs: RunWatch;
  readonly metrics: ConflictMetrics;
  readonly settings: Settings;
  readonly codePages: CodePages;
  /** As the client told, and changed when the user trusts the workspace. */
  readonly session: Session;
}

export interface Session extends InitializationOptions {
  trusted: boolean;
  /** Absolute paths of the workspace folders. */
  folders: readonly string[];
  /** The client answers questions about settings. */
  asksSettings: boolean;
  /** What the client asks for anew when it is told to. */
  refreshes: { diagnostics: boolean; lenses: boolean; hints: boolean };
}
