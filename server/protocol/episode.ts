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
}

/** Rows of the position stream, or null when its length does not fit the scene. */
export function decodePositions(recording: EpisodeRecording): readonly Float32Array[] | null {
  const bytes = Uint8Array.from(atob(recording.qpos), (character) => character.charCodeAt(0));
  const width = recording.scene.positions;
  if (bytes.byteLength !== (recording.steps + 1) * width * 4) return null;
  const view = new DataView(bytes.buffer);
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
  let binary = '';
  for (const byte of new Uint8Array(view.buffer)) binary += String.fromCharCode(byte);
  return btoa(binary);
}
