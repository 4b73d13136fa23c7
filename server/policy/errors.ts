import { MergeError } from '../protocol/merge-error';

/** A checkpoint lacks a tensor that the layout needs. */
export function missingTensor(name: string, where: string): MergeError {
  return new MergeError('MV561', `${where} has no tensor ${name}, which a MergeVLA policy needs`);
}

/** A tensor is there but its shape cannot belong to this model. */
export function wrongShape(name: string, shape: readonly number[], expected: string): MergeError {
  return new MergeError('MV562', `${name} has shape [${shape.join(', ')}] where ${expected}`);
}

/** A key of `config.json` (or another JSON file of the checkpoint) is missing or has a bad value. */
export function badConfig(file: string, what: string): MergeError {
  return new MergeError('MV563', `${file}: ${what}`);
}

/** The action head of another model family. */
export function foreignHead(family: string, where: string): MergeError {
  return new MergeError(
    'MV564',
    `the action head of ${where} is ${family}'s, whose blocks attend to their own tokens; only MergeVLA heads (q_proj_adapter and q_proj_task in every block) can run here`,
  );
}

/** Something is wrong with what the policy is asked with: pictures, instruction, state. */
export function badObservation(what: string): MergeError {
  return new MergeError('MV570', what);
}

/** A picture cannot be read or used. */
export function badPicture(name: string, why: string): MergeError {
  return new MergeError('MV571', `${name}: ${why}`);
}

/** Statistics for un-normalisation are missing; names those there are. */
export function badStatistics(what: string): MergeError {
  return new MergeError('MV572', what);
}

/** A tokenizer file is missing or unusable. */
export function badTokenizer(what: string, cause?: unknown): MergeError {
  return new MergeError('MV573', what, { cause });
}

/** Masks, vector, base or heads do not belong together. */
export function mismatchedParts(what: string): MergeError {
  return new MergeError('MV574', what);
}

/** The source given is nothing a policy can be loaded from. */
export function noPolicy(path: string, what: string): MergeError {
  return new MergeError('MV575', `${path}: ${what}`);
}

/** Routing was asked of a policy that has nothing to route. */
export function noRouter(what: string): MergeError {
  return new MergeError('MV576', what);
}

/** A score or an action is not a number. */
export function notFinite(what: string): MergeError {
  return new MergeError('MV577', what, { fault: 'system' });
}
