import type { ProblemInfo } from './problems';

/** MV561 to MV590: policies, devices and the policy server. */
export const policyProblems = {
  MV561: {
    title: 'Tensor of the policy is missing',
    severity: 'error',
    explanation: 'The checkpoint lacks a tensor that the forward pass needs; the message names it.',
    example: 'mergevla act on a checkpoint without an action head',
  },
  MV562: {
    title: 'Tensor of the policy has an impossible shape',
    severity: 'error',
    explanation: 'The shapes of the tensors and config.json describe different models.',
    example: 'image_sizes: [224, 224] beside position embeddings of 16 patches',
  },
  MV563: {
    title: 'Policy configuration does not fit',
    severity: 'error',
    explanation:
      'A key of config.json or of another JSON file of the checkpoint is missing or has a bad value.',
    example: '"mergevla": {"chunks": 8}',
  },
  MV564: {
    title: 'Action head of another model family',
    severity: 'error',
    explanation:
      'The head is VLA-Adapter’s, whose blocks attend to their own tokens. It cannot be merged or run as a MergeVLA head.',
    example: 'mergevla act on a VLA-Adapter checkpoint',
  },
  MV565: {
    title: 'Dtype a policy cannot run with',
    severity: 'error',
    explanation: 'Weights of a policy are BF16, F16 or F32.',
    example: 'a checkpoint stored as F8_E4M3',
  },
  MV570: {
    title: 'Observation does not fit the policy',
    severity: 'error',
    explanation:
      'Number of pictures, length of the instruction or length of the robot state differ.',
    example: 'mergevla act RUN --images top.png # the policy has two cameras',
  },
  MV571: {
    title: 'Unusable picture',
    severity: 'error',
    explanation: 'The file is damaged, transparent, too large, or neither PNG nor JPEG.',
    example: 'mergevla route RUN --images truncated.png,wrist.png',
  },
  MV572: {
    title: 'Statistics are missing',
    severity: 'error',
    explanation:
      'dataset_statistics.json has no entry for the task, or a list of another length; the message names the entries there are.',
    example: 'a task named libero_goal and statistics of libero_spatial_no_noops only',
  },
  MV573: {
    title: 'Tokenizer is missing or unusable',
    severity: 'error',
    explanation: 'tokenizer.json and tokenizer_config.json must lie beside the weights.',
    example: 'mergevla act on a directory without tokenizer.json',
  },
  MV574: {
    title: 'Parts do not belong together',
    severity: 'error',
    explanation: 'Base, merged vector, masks and heads are from different merges or models.',
    example: 'masks of one run copied into another',
  },
  MV575: {
    title: 'No policy there',
    severity: 'error',
    explanation:
      'The operand is no run, no merged directory and no checkpoint with an action head.',
    example: 'mergevla act runs',
  },
  MV576: {
    title: 'Nothing to route',
    severity: 'error',
    explanation:
      'The policy has no router: its recipe says so, or it is one expert. Name the task.',
    example: 'mergevla route RUN # made with router: none',
  },
  MV577: {
    title: 'The policy computes no numbers',
    severity: 'error',
    explanation: 'A router score or an action is NaN or infinite, so nothing is chosen from it.',
    example: 'a merge with weights far outside the experts’',
  },
  MV578: {
    title: 'Frame cannot be read',
    severity: 'error',
    explanation:
      'router.calibration and --frame name demonstrations with a number (demos/push.safetensors#0), a recorded episode, or a JSON file with images and instruction.',
    example: 'router: {offset: stored, calibration: [frames/missing.json]}',
  },
  MV580: {
    title: 'onnxruntime cannot be loaded',
    severity: 'error',
    explanation: 'Its native library is missing for this platform or broken.',
    example: 'a platform without a binary',
  },
  MV581: {
    title: 'Out of memory on the device',
    severity: 'error',
    explanation:
      'The message says how much was asked for. A smaller model or another device helps.',
    example: 'mergevla act RUN --device cuda on a card with 4 GB',
  },
  MV582: {
    title: 'The runtime failed',
    severity: 'error',
    explanation:
      'onnxruntime refused the model or failed while running it; its reason is in the message.',
    example: 'a driver that stops in the middle of a run',
  },
  MV583: {
    title: 'Weights on different drives',
    severity: 'error',
    explanation: 'onnxruntime reads all weights of a model below one folder.',
    example: 'base on D: and run on C:',
  },
  MV584: {
    title: 'The policy process ended',
    severity: 'error',
    explanation: 'The process that runs the policy died, most often for want of memory.',
    example: 'the system’s out-of-memory killer',
  },
  MV585: {
    title: 'Device cannot be used',
    severity: 'error',
    explanation:
      'run.device or --device names a device that is not there or does not work; nothing else is used in its place.',
    example: 'run: {device: cuda} # without the CUDA libraries',
  },
  MV590: {
    title: 'Port cannot be opened',
    severity: 'error',
    explanation: 'Another program listens there, or the address is not this machine’s.',
    example: 'mergevla serve RUN --port 8000 # twice',
  },
  MV591: {
    title: 'Serving others without a token',
    severity: 'error',
    explanation: 'An address that other machines can reach is served only with --token.',
    example: 'mergevla serve RUN --port 8000 --host 0.0.0.0',
  },
} as const satisfies Record<string, ProblemInfo>;
