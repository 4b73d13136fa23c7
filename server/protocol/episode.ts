/**
 * What a recorded rollout looks like on disk and on its way to a panel: the geometry of the scene
 * once, and the simulator's generalised positions for every control step. A viewer rebuilds each
 * picture by setting joints, so an episode needs a few kB instead of a film.
 */
export type Triple = readonly [number, number, number];
/** Unit quaternion, real part first. */
export type Quaternion = readonly [number, number, number, number];

/** Metres, radians; z points up. A plane is infinite and faces its own +z. */
export interface SceneGeom {
  readonly name: string;
  readonly shape: 'box' | 'cylinder' | 'plane';
  /** Half sizes of a box; radius and half length (along z) of a cylinder; unused for a plane. */
  readonly size: Triple;
  /** In the frame of the body. */
  readonly position: Triple;
  readonly quaternion: Quaternion;
  /** Red, green, blue, opacity, each 0 to 1. */
  readonly colour: Quaternion;
}

/**
 * A hinge turns its body by `qpos[address]` about `axis` through the body's own origin, after the
 * body's fixed pose was applied. A free joint replaces the fixed pose: position in
 * `qpos[address … +2]`, quaternion in `qpos[address + 3 … +6]`.
 */
export type SceneJoint =
  | {
      readonly kind: 'hinge';
      readonly name: string;
      readonly address: number;
      readonly axis: Triple;
    }
  | { readonly kind: 'free'; readonly name: string; readonly address: number };

export interface SceneBody {
  readonly name: string;
  /** Index into `bodies`; null for the world, which is always the first. Parents come first. */
  readonly parent: number | null;
  readonly position: Triple;
  readonly quaternion: Quaternion;
  readonly joint?: SceneJoint;
  readonly geoms: readonly SceneGeom[];
}

/** Looks along its own −z with +y up in the picture; square pictures. */
export interface SceneCamera {
  readonly name: string;
  /** Index into `bodies`. */
  readonly body: number;
  readonly position: Triple;
  readonly quaternion: Quaternion;
  /** Full vertical field of view in degrees. */
  readonly fovyDegrees: number;
}

export interface SceneDescription {
  readonly bodies: readonly SceneBody[];
  readonly cameras: readonly SceneCamera[];
  /** Length of one row of the position stream. */
  readonly positions: number;
}

/** One rollout, one JSON line. */
export interface EpisodeRecording {
  readonly version: 1;
  readonly suite: string;
  readonly task: string;
  readonly seed: number;
  readonly instruction: string;
  readonly policy?: string;
  readonly routed?: string;
  /** Edge of the pictures that the policy was given, in pixels. */
  readonly imageSize?: number;
  readonly success: boolean;
  /** Why the episode ended, for people. */
  readonly reason: string;
  readonly controlHz: number;
  readonly scene: SceneDescription;
  /** Control steps taken; the stream holds one row more, the start. */
  readonly steps: number;
  /** Base64 of little-endian float32, `[steps + 1, scene.positions]` row-major. */
  readonly qpos: string;
  /** Control steps at which the policy was asked, ascending; absent in older recordings. */
  readonly calls?: readonly number[];
  /**
   * What each step told the joints to reach: base64 of little-endian int16 in units of 1/8192 rad,
   * `[steps, hinges]` row-major, hinges in the order of `hingesOf`. A target beyond ±4 rad is kept as
   * ±4 rad. Absent in older recordings.
   */
  readonly targets?: string;
}

type Hinge = Extract<SceneJoint, { kind: 'hinge' }>;

/** The joints of the arm, in the order of their positions. */
export function hingesOf({ bodies }: SceneDescription): readonly Hinge[] {
  return bodies
    .flatMap(({ joint }) => (joint?.kind === 'hinge' ? [joint] : []))
    .sort((a, b) => a.address - b.address);
}

/** Rows of the position stream, or null when its length does not fit the scene. */
export function decodePositions(recording: EpisodeRecording): readonly Float32Array[] | null {
  const view = bytesOf(recording.qpos);
  const width = recording.scene.positions;
  if (view.byteLength !== (recording.steps + 1) * width * 4) return null;
  return Array.from({ length: recording.steps + 1 }, (_row, step) =>
    Float32Array.from({ length: width }, (_value, index) =>
      view.getFloat32((step * width + index) * 4, true),
    ),
  );
}

/** The inverse of `decodePositions`. */
export function encodePositions(rows: readonly ArrayLike<number>[], width: number): string {
  const view = new DataView(new ArrayBuffer(rows.length * width * 4));
  rows.forEach((row, step) => {
    for (let index = 0; index < width; index++) {
      view.setFloat32((step * width + index) * 4, row[index] ?? 0, true);
    }
  });
  return textOf(view);
}

/** Steps of a target in one radian: 0.007 degrees each, and half the bytes of a float. */
const targetUnits = 8192;

/** Joint targets in radians, one row a step; null where there are none, or they do not fit the scene. */
export function decodeTargets(recording: EpisodeRecording): readonly Float32Array[] | null {
  if (recording.targets === undefined) return null;
  const view = bytesOf(recording.targets);
  const width = hingesOf(recording.scene).length;
  if (view.byteLength !== recording.steps * width * 2) return null;
  return Array.from({ length: recording.steps }, (_row, step) =>
    Float32Array.from(
      { length: width },
      (_value, index) => view.getInt16((step * width + index) * 2, true) / targetUnits,
    ),
  );
}

/** The inverse of `decodeTargets`. */
export function encodeTargets(rows: readonly ArrayLike<number>[], width: number): string {
  const view = new DataView(new ArrayBuffer(rows.length * width * 2));
  rows.forEach((row, step) => {
    for (let index = 0; index < width; index++) {
      const units = Math.round((row[index] ?? 0) * targetUnits);
      view.setInt16((step * width + index) * 2, Math.max(-32_768, Math.min(32_767, units)), true);
    }
  });
  return textOf(view);
}

/** Empty for a text that is not base64, which then fits no scene. */
function bytesOf(base64: string): DataView {
  try {
    const bytes = Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));
    return new DataView(bytes.buffer);
  } catch {
    return new DataView(new ArrayBuffer(0));
  }
}

function textOf(view: DataView): string {
  let binary = '';
  for (const byte of new Uint8Array(view.buffer)) binary += String.fromCharCode(byte);
  return btoa(binary);
}
