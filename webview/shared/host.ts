import type { Revised } from '../../server/protocol/panels/shared';
import type { Guard } from '../../server/protocol/shape';
import { isRecord } from '../../server/protocol/shape';

/** What VS Code gives a webview, once. */
interface EditorApi {
  postMessage(message: unknown): void;
  getState(): unknown;
  setState(state: unknown): void;
}
declare function acquireVsCodeApi(): EditorApi;

export interface HostLink<From> {
  post(message: From): void;
  /** What the user arranged (not data), kept while the panel is hidden and over a reload. */
  readonly state: Readonly<Record<string, unknown>>;
  keep(part: Readonly<Record<string, unknown>>): void;
}

interface LinkOptions<To> {
  readonly guard: Guard<To>;
  readonly receive: (message: To) => void;
}

/**
 * Connects a panel with its host. Messages that do not fit the protocol are dropped; a gap in the
 * revisions asks for a snapshot, so that a hidden or restored panel never draws half of the truth.
 */
export function connect<To extends Revised & { readonly type: string }, From>({
  guard,
  receive,
}: LinkOptions<To>): HostLink<From> {
  const api = acquireVsCodeApi();
  const saved = api.getState();
  let state: Readonly<Record<string, unknown>> = isRecord(saved) ? saved : {};
  let revision = 0;
  window.addEventListener('message', (event: MessageEvent<unknown>) => {
    const message = event.data;
    if (!guard(message)) {
      api.postMessage({ type: 'dropped', reason: `no message of this panel: ${typeOf(message)}` });
      return;
    }
    if (message.type !== 'snapshot' && message.revision !== revision + 1) {
      // An older delta than what is shown is no gap: it was overtaken by a snapshot.
      if (message.revision > revision) api.postMessage({ type: 'ready', revision });
      return;
    }
    revision = message.revision;
    receive(message);
  });
  api.postMessage({ type: 'ready', revision });
  return {
    post: (message) => {
      api.postMessage(message);
    },
    get state() {
      return state;
    },
    keep(part) {
      state = { ...state, ...part };
      api.setState(state);
    },
  };
}

function typeOf(message: unknown): string {
  return isRecord(message) && typeof message['type'] === 'string'
    ? message['type']
    : typeof message;
}
