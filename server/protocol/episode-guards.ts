import type {
  EpisodeRecording,
  SceneBody,
  SceneCamera,
  SceneDescription,
  SceneGeom,
  SceneJoint,
} from './episode';
import {
  arrayOf,
  isBoolean,
  isCount,
  isNumber,
  isString,
  literal,
  object,
  oneOf,
  optional,
  orNull,
  type Guard,
} from './shape';

const isVector =
  <T extends readonly number[]>(length: number): Guard<T> =>
  (value): value is T =>
    Array.isArray(value) && value.length === length && value.every(isNumber);

const isTriple = isVector<SceneGeom['size']>(3);
const isFour = isVector<SceneGeom['quaternion']>(4);

type Hinge = Extract<SceneJoint, { kind: 'hinge' }>;
type Free = Extract<SceneJoint, { kind: 'free' }>;

const isBody = object<SceneBody>({
  name: isString,
  parent: orNull(isCount),
  position: isTriple,
  quaternion: isFour,
  joint: optional(
    oneOf(
      object<Hinge>({ kind: literal('hinge'), name: isString, address: isCount, axis: isTriple }),
      object<Free>({ kind: literal('free'), name: isString, address: isCount }),
    ),
  ),
  geoms: arrayOf(
    object<SceneGeom>({
      name: isString,
      shape: literal('box', 'cylinder', 'plane'),
      size: isTriple,
      position: isTriple,
      quaternion: isFour,
      colour: isFour,
    }),
  ),
});

const isScene = object<SceneDescription>({
  bodies: arrayOf(isBody),
  cameras: arrayOf(
    object<SceneCamera>({
      name: isString,
      body: isCount,
      position: isTriple,
      quaternion: isFour,
      fovyDegrees: isNumber,
    }),
  ),
  positions: isCount,
});

/** A recording as it is on disk; whether its streams fit its scene tells who decodes them. */
export const isEpisodeRecording = object<EpisodeRecording>({
  version: literal(1),
  suite: isString,
  task: isString,
  seed: isCount,
  instruction: isString,
  policy: optional(isString),
  routed: optional(isString),
  imageSize: optional(isCount),
  success: isBoolean,
  reason: isString,
  controlHz: isNumber,
  scene: isScene,
  steps: isCount,
  qpos: isString,
  calls: optional(arrayOf(isCount)),
  targets: optional(isString),
});
