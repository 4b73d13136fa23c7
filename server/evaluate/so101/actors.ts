import type { Policy } from '../../policy/types';
import type { Environment } from './environment';
import { seedOf } from './random';
import type { Actor, ActorInput } from './rollout';
import { CAMERAS, type Task } from './scene';

/** One task's policy, whatever the episode's task is: an expert, or an oracle's choice of mask. */
export function fixedActor(policy: Policy, task: string): Actor {
  return {
    start: () => Promise.resolve({}),
    act: async (input) => (await policy.act(input, task)).actions,
  };
}

/** The mask and the head of the episode's own task, as if somebody had told the policy. */
export function maskedActor(policy: Policy): Actor {
  return oracleActor(policy, true);
}

/** The merged weights without a mask, with the head of the episode's own task. */
export function mergedActor(policy: Policy): Actor {
  return oracleActor(policy, false);
}

function oracleActor(policy: Policy, masked: boolean): Actor {
  let chosen = '';
  return {
    start: (_first, task) => {
      chosen = task;
      return Promise.resolve({});
    },
    act: async (input) => (await policy.act(input, chosen, { masked })).actions,
  };
}

/** Algorithm 1: the router chooses at the first observation of an episode, then keeps to it. */
export function routedActor(policy: Policy): Actor {
  let chosen = '';
  return {
    start: async (first) => {
      chosen = (await policy.route(first)).chosen;
      return { routed: chosen };
    },
    act: async (input) => (await policy.act(input, chosen)).actions,
  };
}

/** Sees one and the same picture all the time: what a policy reaches without eyes. */
export function blindActor(actor: Actor, pictures: ActorInput['images']): Actor {
  return {
    start: (first, task) => actor.start({ ...first, images: pictures }, task),
    act: (input) => actor.act({ ...input, images: pictures }),
  };
}

/** Mean picture of each camera over the first observations of training episodes. */
export function meanPictures(
  environment: Environment,
  task: Task,
  options: { readonly imageSize: number; readonly episodes?: number },
): ActorInput['images'] {
  const { imageSize, episodes = 24 } = options;
  const sums = CAMERAS.map(() => new Float64Array(imageSize * imageSize * 3));
  for (let episode = 0; episode < episodes; episode++) {
    environment.reset(task, seedOf('train', 20_000 + episode), { imageSize });
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
    data: Uint8Array.from(sum, (value) => Math.round(value / episodes)),
  }));
}
