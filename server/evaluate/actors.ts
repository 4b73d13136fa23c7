import type { Policy, Routing } from '../policy/types';
import type { Environment } from './so101/environment';
import { seedOf } from './so101/random';
import type { Actor, ActorInput } from './so101/rollout';
import { CAMERAS, type Task } from './so101/scene';

/** An actor that may route; `routing` is what decided the episode's task. */
export interface PolicyActor extends Actor {
  readonly routing: Routing | undefined;
}

/** One task's policy, told from outside: an expert, or the oracle's mask and head. */
export function fixedActor(policy: Policy, task: string, masked = true): PolicyActor {
  return {
    routing: undefined,
    start: () => Promise.resolve({}),
    act: async (input) => (await policy.act(input, task, { masked })).actions,
  };
}

/**
 * The router decides: at the first observation of the episode (Algorithm 1), or once for the suite, in
 * which case `decided` says how.
 */
export function routedActor(policy: Policy, decided?: Routing): PolicyActor {
  let routing: Routing | undefined;
  return {
    get routing() {
      return routing;
    },
    async start(input) {
      routing = decided ?? (await policy.route(input));
      return { routed: routing.chosen };
    },
    async act(input) {
      return (await policy.act(input, routing?.chosen ?? '')).actions;
    },
  };
}

type Pictures = ActorInput['images'];

/** Sees one and the same pictures all the time: what a policy reaches without eyes. */
export function blindActor(actor: PolicyActor, pictures: Pictures): PolicyActor {
  return {
    routing: undefined,
    start: (input, task) => actor.start({ ...input, images: pictures }, task),
    act: (input) => actor.act({ ...input, images: pictures }),
  };
}

/** Training seeds that no demonstration starts from. */
const firstMeanSeed = 90_000;
const meanEpisodes = 24;

/** Mean picture of each camera over first observations of training episodes in trained colours. */
export function meanPictures(environment: Environment, task: Task, imageSize: number): Pictures {
  const sums = CAMERAS.map(() => new Float64Array(imageSize * imageSize * 3));
  for (let episode = 0; episode < meanEpisodes; episode++) {
    environment.reset(task, seedOf('train', firstMeanSeed + episode), { imageSize, shift: 'none' });
    const { images } = environment.observe();
    CAMERAS.forEach((camera, index) => {
      const sum = sums[index];
      images[camera].forEach((value, byte) => {
        if (sum) sum[byte] = (sum[byte] ?? 0) + value;
      });
    });
  }
  return sums.map((sum) => ({
    width: imageSize,
    height: imageSize,
    data: Uint8Array.from(sum, (value) => Math.round(value / meanEpisodes)),
  }));
}
