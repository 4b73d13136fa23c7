import type { ProblemInfo } from './problems';

/** `MV41x` to `MV45x`: checkpoint files, experts against their base, adapters, and writing. */
export const checkpointProblems = {
  MV410: {
    title: 'File not found',
    severity: 'error',
    explanation: 'A path of the recipe names nothing. Paths are relative to the recipe.',
    example: 'base: zoo/bsae',
  },
  MV411: {
    title: 'File cannot be read',
    severity: 'error',
    explanation:
      'The system refuses to open or read the file, for lack of permission or because it is a folder.',
    example: 'base: zoo/base # without read permission',
  },
  MV412: {
    title: 'Not a checkpoint',
    severity: 'error',
    explanation:
      'The folder or file holds no weights that can be read here. The sentence says which form is needed.',
    example: 'base: zoo/lora_adapter',
  },
  MV413: {
    title: 'Header is not valid',
    severity: 'error',
    explanation:
      'The file is not safetensors, or its header contradicts itself: overlapping or wrongly sized tensors, names given twice, bytes that belong to no tensor.',
    example: 'a file whose tensors overlap',
  },
  MV414: {
    title: 'File is cut short',
    severity: 'error',
    explanation:
      'The header promises more bytes than the file has, as after a broken download or copy.',
    example: 'an incomplete download',
  },
  MV415: {
    title: 'Unknown dtype',
    severity: 'error',
    explanation:
      'The header names a number format that is not known, so the size of the tensor is not known either.',
    example: 'dtype F4',
  },
  MV416: {
    title: 'Index is not valid',
    severity: 'error',
    explanation:
      'The index of shards is no JSON object with a weight map, or names a file that is missing or outside its folder.',
    example: 'weight_map: {a: ../secret.safetensors}',
  },
  MV417: {
    title: 'Index and shards disagree',
    severity: 'error',
    explanation:
      'A tensor is not in the shard that the index names, is in two shards, or is not listed.',
    example: 'a shard of another checkpoint',
  },
  MV418: {
    title: 'Torch file is damaged',
    severity: 'error',
    explanation:
      'The file is not a zip archive as torch writes it since version 1.6, or not a plain dictionary of tensors.',
    example: 'a .pt file that is cut short',
  },
  MV419: {
    title: 'Pickle needs code',
    severity: 'error',
    explanation:
      'A pickle may run any code when it is loaded. Only the few names that weight files need are read, and nothing is ever run.',
    example: 'a .pt file that names os.system',
  },
  MV420: {
    title: 'Companion file is ambiguous',
    severity: 'error',
    explanation: 'Exactly one action head and one proprio projector may be beside a model.',
    example: 'two files action_head--*checkpoint.pt',
  },
  MV421: {
    title: 'Configuration is not valid',
    severity: 'error',
    explanation: 'config.json is not a JSON object.',
    example: 'config.json with a missing brace',
  },
  MV422: {
    title: 'File changed while it was read',
    severity: 'error',
    explanation:
      'Size or time of change are not what they were when the header was read, so the numbers cannot be trusted.',
    example: 'a training run that overwrites its checkpoint',
  },
  MV423: {
    title: 'Checkpoint does not answer',
    severity: 'error',
    explanation: 'A read has been waiting for ten seconds, as on a network mount that has gone.',
    example: 'a checkpoint on a server that is switched off',
  },
  MV424: {
    title: 'Sample could not be taken',
    severity: 'error',
    explanation:
      'Reading parts of the checkpoints failed in a way that has no sentence of its own.',
    example: 'a disk that reports an input error',
  },
  MV430: {
    title: 'Tensor missing in an expert',
    severity: 'error',
    explanation:
      'The base has tensors that the expert lacks, so it is not a fine-tune of this base.',
    example: 'experts: {cubes: zoo/other-model}',
  },
  MV431: {
    title: 'Shapes differ',
    severity: 'error',
    explanation: 'A tensor has another shape than in the base or in the other experts.',
    example: 'experts: {cubes: zoo/larger-model}',
  },
  MV432: {
    title: 'Dtypes differ',
    severity: 'error',
    explanation:
      'A tensor is stored in another number format than in the base. Convert one of them, so that differences are no rounding.',
    example: 'a float32 expert of a bfloat16 base',
  },
  MV433: {
    title: 'Integers where numbers are merged',
    severity: 'error',
    explanation: 'Integers and booleans cannot be averaged or subtracted as weights.',
    example: 'a quantised expert',
  },
  MV434: {
    title: 'Tensor only in an expert',
    severity: 'warning',
    explanation: 'The base lacks it, so it has no task vector. It is left out of the result.',
    example: 'an expert with an extra classifier',
  },
  MV435: {
    title: 'Vocabularies differ',
    severity: 'error',
    explanation:
      'Embedding or output layer have another number of rows: tokens were added in fine-tuning.',
    example: 'an expert with added tokens',
  },
  MV436: {
    title: 'Tied and untied output layers',
    severity: 'error',
    explanation:
      'One model shares one matrix between embedding and output layer and the other has two.',
    example: 'an expert whose lm_head was trained apart',
  },
  MV437: {
    title: 'Experts are copies',
    severity: 'error',
    explanation:
      'Two experts under different paths hold the same bytes in every tensor. While a recipe is being written only samples are compared, and it is a warning.',
    example: 'experts: {a: zoo/cubes, b: zoo/cubes-copy}',
  },
  MV438: {
    title: 'Expert is a copy of the base',
    severity: 'error',
    explanation:
      'Every byte is equal, so its task vector is zero: probably a link to the wrong folder, or a training run that changed nothing. While a recipe is being written only samples are compared, and it is a warning.',
    example: 'experts: {cubes: zoo/base-copy}',
  },
  MV439: {
    title: 'Merged directory as an input',
    severity: 'error',
    explanation: 'The weights of a masked MergeVLA merge are a task vector, not a model.',
    example: 'experts: {all: merged_4_libero_TATallMask}',
  },
  MV440: {
    title: 'Adapter is not valid',
    severity: 'error',
    explanation: 'The adapter is not LoRA, or its configuration or factors do not fit together.',
    example: 'adapter: zoo/ia3',
  },
  MV441: {
    title: 'DoRA adapter',
    severity: 'error',
    explanation:
      'DoRA scales the rows of base plus delta, so it is no sum that could be merged. Give the fused checkpoint.',
    example: 'adapter_config.json with use_dora: true',
  },
  MV442: {
    title: 'Adapter of another base',
    severity: 'error',
    explanation: 'The adapter changes a tensor that the base lacks or has in another shape.',
    example: 'adapter: zoo/lora-of-a-7b-model',
  },
  MV443: {
    title: 'Expert without a head',
    severity: 'error',
    explanation:
      'Some experts have an action head or a proprio projector file and this one has none.',
    example: 'an expert given as adapter alone',
  },
  MV450: {
    title: 'Cannot write',
    severity: 'error',
    explanation: 'The output directory, or its parent, cannot be written.',
    example: 'output: {directory: /usr/runs}',
  },
  MV451: {
    title: 'Not enough disk',
    severity: 'error',
    explanation: 'The result does not fit the disk.',
    example: 'output: {directory: /tmp}',
  },
  MV452: {
    title: 'Writing failed',
    severity: 'error',
    explanation:
      'The system reported a failure while the result was written; nothing is left half-written.',
    example: 'a disk that was unplugged',
  },
} as const satisfies Record<string, ProblemInfo>;
