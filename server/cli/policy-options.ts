import type { OptionSpec } from './verb';

/** Options of `route` and `act` that say what the policy sees and where it runs. */
export const observationOptions: Readonly<Record<string, OptionSpec>> = {
  images: {
    type: 'string',
    value: 'A.png,B.png',
    help: 'pictures in camera order, upright (PNG or JPEG)',
  },
  frame: {
    type: 'string',
    value: 'FILE#N',
    help: 'frame N of demonstrations, or a recorded episode, instead of pictures',
  },
  instruction: { type: 'string', value: 'TEXT', help: 'what the robot shall do' },
  proprio: { type: 'string', value: 'JSON', help: "the robot's state, a JSON list of numbers" },
  rotate: { type: 'string', value: 'DEGREES', help: 'turn the pictures first: 180 for raw LIBERO' },
};

export const loadOptions: Readonly<Record<string, OptionSpec>> = {
  base: {
    type: 'string',
    value: 'DIR',
    help: 'the base, for a released merged directory, which does not name it',
  },
  device: { type: 'string', value: 'NAME', help: 'auto (default), or one that devices names' },
  threads: { type: 'string', value: 'N', help: 'threads of one operation' },
};

export const serveOptions: Readonly<Record<string, OptionSpec>> = {
  port: { type: 'string', value: 'N', help: '0 takes any free port and prints it' },
  host: { type: 'string', value: 'ADDRESS', help: 'default 127.0.0.1; others want --token' },
  token: { type: 'string', value: 'TEXT', help: 'what clients must send as Api-Key or ?token=' },
  task: { type: 'string', value: 'NAME', help: 'this task always, instead of routing' },
  rotate: { type: 'string', value: 'DEGREES', help: 'turn pictures first: 180 for raw LIBERO' },
  gripper: { type: 'string', value: 'FORM', help: 'libero or raw; libero for LIBERO tasks' },
  'image-keys': { type: 'string', value: 'A,B', help: 'names of the pictures, in camera order' },
  'state-key': { type: 'string', value: 'KEY', help: 'name of the state (openpi)' },
  'prompt-key': { type: 'string', value: 'KEY', help: 'name of the instruction (openpi)' },
  ...loadOptions,
};
