import { ResponseError, type CancellationToken } from 'vscode-languageserver';
import { MergeError } from '../protocol/merge-error';
import type { Notifications, Requests } from '../protocol/methods';
import { changedKeys } from './run-changes';
import { recipeTemplate } from '../recipe/template';
import { listDevices } from '../compute/devices';
import { listCheckpoints } from './checkpoints';
import type { ServerContext } from './context';
import { checkOnDisk } from './check';
import { listFrames } from '../jobs/frame-files';
import { startJob, stopJob } from './jobs';
import { maskAnswer, maskCurve, maskLayer, maskYardstick, recipeEdits } from './mask-panel';
import { findRecipes, outputFolders } from './recipes';

/** JSON-RPC leaves this number to applications; the code of the table is in the data. */
const refused = -32_001;

type Handlers = {
  [M in keyof Requests]: (
    params: Requests[M]['params'],
    token: CancellationToken,
  ) => Promise<Requests[M]['result']>;
};

/** Our own requests and notifications. */
export function registerRequests(context: ServerContext): void {
  const { connection, session, runs, files } = context;
  const handlers: Handlers = {
    'mergevla/recipe/check': ({ uri }) => checkOnDisk(context, uri),
    'mergevla/recipe/template': () => Promise.resolve(recipeTemplate()),
    'mergevla/recipe/list': () => findRecipes(session.folders),
    'mergevla/checkpoint/list': ({ uri }) => listCheckpoints(context, uri),
    'mergevla/run/list': async () => {
      const found = await runs.scan(await outputFolders(session.folders));
      return found.map(({ summary }) => summary);
    },
    'mergevla/device/list': () => Promise.resolve(devices()),
    'mergevla/run/changes': (params) => changedKeys(context, params),
    'mergevla/frame/list': ({ path }) => framesOf(context, path),
    'mergevla/job/start': (params) => startJob(context, params),
    'mergevla/job/stop': ({ run }) => stopJob(run),
    'mergevla/masks/answer': (params) => maskAnswer(context, params),
    'mergevla/masks/curve': (params) => maskCurve(context, params),
    'mergevla/masks/layer': (params) => maskLayer(context, params),
    'mergevla/masks/yardstick': ({ uri }) => maskYardstick(context, uri),
    'mergevla/masks/stop': ({ uri }) => {
      context.metrics.stop(uri);
      return Promise.resolve(null);
    },
    'mergevla/masks/again': ({ uri }) => {
      context.metrics.again(uri);
      return Promise.resolve(null);
    },
    'mergevla/recipe/edit': (params) => recipeEdits(context, params),
  };
  for (const method of Object.keys(handlers) as (keyof Requests)[])
    connection.onRequest(method, answer(handlers[method] as Handler));
  const on = <M extends keyof Notifications>(
    method: M,
    handler: (params: Notifications[M]) => void,
  ): void => {
    connection.onNotification(method, handler);
  };
  on('mergevla/trust/granted', () => {
    session.trusted = true;
    files.refresh();
  });
  on('mergevla/files/refresh', () => files.refresh());
  context.metrics.onDidChange(() => {
    void connection.sendNotification('mergevla/masks/changed', {});
  });
}

type Handler = (params: unknown, token: CancellationToken) => Promise<unknown>;

/** A failure that a person can act on crosses the process as its sentence and its code. */
function answer(handler: Handler): Handler {
  return async (params, token) => {
    try {
      return await handler(params, token);
    } catch (error) {
      if (!(error instanceof MergeError)) throw error;
      return new ResponseError(refused, error.message, { code: error.code });
    }
  };
}

/** Reading a file that the workspace names is a matter of trust. */
function framesOf({ session }: ServerContext, path: string) {
  if (session.trusted) return listFrames(path);
  throw new MergeError('MV594', 'files of frames are read only in a trusted workspace', {
    fault: 'usage',
  });
}

function devices(): Requests['mergevla/device/list']['result'] {
  return listDevices().map(({ id, name, runs, reason, backend }) => ({
    id,
    usable: runs.length > 0,
    detail: runs.length > 0 ? `${name} · ${backend}` : (reason ?? name),
  }));
}
