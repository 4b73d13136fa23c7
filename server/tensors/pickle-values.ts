import { MergeError } from '../protocol/merge-error';

/** A value rebuilt from a pickle. Nothing of the file was run to make it. */
export type PickleValue =
  | null
  | boolean
  | number
  | string
  | PickleGlobal
  | PickleStorage
  | PickleTensor
  | PickleTuple
  | PickleList
  | PickleMap;

/** An allowed name that has not been called yet. */
export interface PickleGlobal {
  readonly kind: 'global';
  readonly name: string;
}

/** A storage as its persistent id describes it. */
export interface PickleStorage {
  readonly kind: 'storage';
  /** Torch's class name, for example `BFloat16Storage`. */
  readonly type: string;
  /** Name of the archive entry under `data/`. */
  readonly key: string;
  readonly elements: number;
}

/** Offset and strides count elements; several tensors may share one storage. */
export interface PickleTensor {
  readonly kind: 'tensor';
  readonly storage: PickleStorage;
  readonly offset: number;
  readonly shape: readonly number[];
  readonly strides: readonly number[];
}

export interface PickleTuple {
  readonly kind: 'tuple';
  readonly items: readonly PickleValue[];
}

export interface PickleList {
  readonly kind: 'list';
  readonly items: PickleValue[];
}

/** A `dict` or an `OrderedDict`. A key made by `__main__.TaskSuite` is its string. */
export interface PickleMap {
  readonly kind: 'map';
  readonly entries: [PickleValue, PickleValue][];
}

/** Something a weight file does not need and that could run code elsewhere. */
export function foreign(path: string, what: string): MergeError {
  return new MergeError(
    'MV419',
    `${path} is refused because its pickle needs ${what}, which weight files do not need; save the weights alone or as safetensors`,
  );
}

export function damagedPickle(path: string, what: string): MergeError {
  return new MergeError('MV418', `${path} holds a damaged pickle: ${what}`);
}

/**
 * What a call of an allowed global gives. Only these five calls exist: `OrderedDict()`,
 * `_rebuild_tensor_v2`, `_rebuild_parameter` (its tensor), and `TaskSuite('name')` (its string).
 */
export function callGlobal(name: string, call: readonly PickleValue[], path: string): PickleValue {
  switch (name) {
    case 'collections OrderedDict':
      if (call.length === 0) return { kind: 'map', entries: [] };
      break;
    case '__main__ TaskSuite':
      if (call.length === 1 && typeof call[0] === 'string') return call[0];
      break;
    case 'torch._utils _rebuild_parameter':
      if (isKind(call[0], 'tensor')) return call[0];
      break;
    case 'torch._utils _rebuild_tensor_v2':
      return rebuildTensor(call, path);
  }
  throw damagedPickle(path, `${name} is called with arguments of the wrong kind`);
}

/** `('storage', <storage class>, key, device, elements)`, the only persistent id torch writes. */
export function storageOf(id: PickleValue, path: string): PickleStorage {
  const [tag, type, key, , elements] = isKind(id, 'tuple') ? id.items : [];
  const name = isKind(type, 'global') ? /^torch (\w+Storage)$/.exec(type.name)?.[1] : undefined;
  if (tag !== 'storage' || name === undefined || typeof key !== 'string' || !isCount(elements))
    throw damagedPickle(path, 'a persistent id does not describe a storage');
  return { kind: 'storage', type: name, key, elements };
}

function rebuildTensor(call: readonly PickleValue[], path: string): PickleTensor {
  const [storage, offset, shape, strides] = call;
  const sizes = counts(shape);
  const steps = counts(strides);
  if (!isKind(storage, 'storage') || !isCount(offset) || !sizes || sizes.length !== steps?.length)
    throw damagedPickle(path, 'a tensor is rebuilt from arguments of the wrong kind');
  return { kind: 'tensor', storage, offset, shape: sizes, strides: steps };
}

/** Narrows to one of the object kinds. */
export function isKind<K extends Extract<PickleValue, { kind: string }>['kind']>(
  value: PickleValue | undefined,
  kind: K,
): value is Extract<PickleValue, { kind: K }> {
  return typeof value === 'object' && value !== null && value.kind === kind;
}

function counts(value: PickleValue | undefined): readonly number[] | undefined {
  return isKind(value, 'tuple') && value.items.every(isCount) ? value.items : undefined;
}

function isCount(value: PickleValue | undefined): value is number {
  return Number.isSafeInteger(value) && Number(value) >= 0;
}
