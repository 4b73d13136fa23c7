/** The three tasks of the paper's SO-101 experiments. */
export const TASKS = ['pick_place', 'push_cube', 'stack_cube'] as const;
export type Task = (typeof TASKS)[number];

export const CAMERAS = ['top', 'wrist'] as const;
export type CameraName = (typeof CAMERAS)[number];

/** Half the edge of a cube, metres. */
export const HALF_CUBE = 0.0125;
/** Centre of the black box and of the white goal zone on the table, metres. */
export const BOX_CENTRE = { x: 0.2, y: 0.11 } as const;
export const GOAL_CENTRE = { x: 0.215, y: -0.1 } as const;
/** Half the edge of the goal zone, metres. */
export const GOAL_HALF = 0.04;

export const JOINTS = [
  'shoulder_pan',
  'shoulder_lift',
  'elbow_flex',
  'wrist_flex',
  'wrist_roll',
  'gripper',
] as const;

/** Joint angles at the start of an episode, radians; the gripper is half open. */
export const HOME: readonly number[] = [0, -0.5, 0.7, 1.37, 0, 0.5];

/** 20 physics steps of 2.5 ms make one control step at 20 Hz. */
export const SUBSTEPS = 20;
export const CONTROL_HZ = 20;

/** RGB of the two cubes as they are demonstrated. */
export const RED: readonly number[] = [0.85, 0.1, 0.1];

/**
 * The scene of one task as MJCF: an arm of primitives with the lengths, masses and joint ranges of
 * the public SO-101 (its pan axis stands 38.8 mm before the base's origin), a table, and what the
 * task needs. Base and shoulder do not collide: a body welded to the world gets no parent–child
 * contact filter, and the two overlap.
 */
export function sceneXml(task: Task): string {
  return `<mujoco model="so101-cubes-${task}">
  <compiler angle="radian" autolimits="true"/>
  <option timestep="0.0025" integrator="implicitfast" cone="elliptic" impratio="10"/>
  <default>
    <joint damping="0.6" frictionloss="0.05" armature="0.028"/>
    <position kp="150" kv="4" forcerange="-3.35 3.35"/>
    <geom friction="1 0.02 0.001" rgba="0.93 0.76 0.2 1"/>
    <default class="ghost"><geom contype="0" conaffinity="0"/></default>
    <default class="jaw">
      <geom type="box" friction="1.6 0.05 0.001" condim="4" solref="0.006 1" rgba="0.2 0.2 0.22 1"/>
    </default>
    <default class="cube">
      <geom type="box" size="${HALF_CUBE} ${HALF_CUBE} ${HALF_CUBE}" mass="0.02" condim="4"
        friction="1.2 0.02 0.001" solref="0.006 1"/>
    </default>
  </default>
  <worldbody>
    <camera name="top" pos="0.2 -0.005 0.62" xyaxes="0 -1 0 1 0 0" fovy="30"/>
    <geom name="table" type="plane" size="1 1 0.1" rgba="0.62 0.55 0.47 1"/>
${task === 'push_cube' ? goalXml() : ''}${task === 'pick_place' ? boxXml() : ''}${armXml()}
${cubeXml('red', '0.85 0.1 0.1 1')}
${task === 'stack_cube' ? cubeXml('blue', '0.1 0.2 0.85 1') : ''}
  </worldbody>
  <actuator>
    <position name="shoulder_pan" joint="shoulder_pan" ctrlrange="-1.92 1.92"/>
    <position name="shoulder_lift" joint="shoulder_lift" ctrlrange="-1.745 1.745"/>
    <position name="elbow_flex" joint="elbow_flex" ctrlrange="-1.69 1.69"/>
    <position name="wrist_flex" joint="wrist_flex" ctrlrange="-1.658 1.658"/>
    <position name="wrist_roll" joint="wrist_roll" ctrlrange="-2.744 2.841"/>
    <position name="gripper" joint="gripper" kp="20" kv="0.6" forcerange="-1.5 1.5"
      ctrlrange="-0.25 1.2"/>
  </actuator>
</mujoco>`;
}

function goalXml(): string {
  return `    <geom name="goal" class="ghost" type="box" pos="${GOAL_CENTRE.x} ${GOAL_CENTRE.y} 0.0002"
      size="${GOAL_HALF} ${GOAL_HALF} 0.0002" rgba="0.97 0.97 0.97 1"/>
`;
}

function boxXml(): string {
  const wall = (name: string, position: string, size: string) =>
    `      <geom name="box_${name}" type="box" pos="${position}" size="${size}" rgba="0.08 0.08 0.08 1"/>`;
  return `    <body name="box" pos="${BOX_CENTRE.x} ${BOX_CENTRE.y} 0">
      <geom name="box_floor" type="box" pos="0 0 0.002" size="0.045 0.045 0.002" rgba="0.05 0.05 0.05 1"/>
${wall('front', '0.045 0 0.015', '0.002 0.047 0.015')}
${wall('back', '-0.045 0 0.015', '0.002 0.047 0.015')}
${wall('left', '0 0.045 0.015', '0.047 0.002 0.015')}
${wall('right', '0 -0.045 0.015', '0.047 0.002 0.015')}
    </body>
`;
}

function cubeXml(name: string, rgba: string): string {
  return `    <body name="${name}" pos="0.22 0 ${HALF_CUBE}"><freejoint name="${name}"/><geom name="${name}" class="cube" rgba="${rgba}"/></body>`;
}

function armXml(): string {
  return `    <body name="base">
      <geom name="base" class="ghost" type="box" pos="0.02 0 0.03" size="0.045 0.035 0.03"/>
      <body name="shoulder" pos="0.0388 0 0.0624">
        <joint name="shoulder_pan" axis="0 0 1" range="-1.92 1.92"/>
        <geom name="shoulder" class="ghost" type="cylinder" pos="0.01 0 0.025" size="0.028 0.028" mass="0.1" rgba="0.12 0.12 0.12 1"/>
        <body name="upper_arm" pos="0.0304 0 0.0542">
          <joint name="shoulder_lift" axis="0 1 0" range="-1.745 1.745"/>
          <geom name="upper_arm" type="box" pos="0 0 0.058" size="0.016 0.018 0.058" mass="0.103"/>
          <body name="lower_arm" pos="0 0 0.116">
            <joint name="elbow_flex" axis="0 1 0" range="-1.69 1.69"/>
            <geom name="lower_arm" type="box" pos="0.067 0 0" size="0.067 0.016 0.014" mass="0.104"/>
            <body name="wrist" pos="0.135 0 0">
              <joint name="wrist_flex" axis="0 1 0" range="-1.658 1.658"/>
              <geom name="wrist" type="box" pos="0.025 0 0" size="0.03 0.018 0.018" mass="0.079" rgba="0.12 0.12 0.12 1"/>
              <body name="gripper" pos="0.0611 0 0">
                <joint name="wrist_roll" axis="1 0 0" range="-2.744 2.841"/>
                <camera name="wrist" pos="-0.01 0 0.06" xyaxes="0 -1 0 0.35 0 0.94" fovy="62"/>
                <geom name="gripper" type="box" pos="0.008 0.004 0" size="0.012 0.026 0.014" mass="0.06"/>
                <geom name="jaw_fixed" class="jaw" pos="0.06 -0.0165 0" size="0.042 0.004 0.012" mass="0.02"/>
                <site name="grip" pos="0.088 0 0"/>
                <body name="jaw" pos="0.018 0.022 0">
                  <joint name="gripper" axis="0 0 1" range="-0.25 1.2" damping="0.3" armature="0.01"/>
                  <geom name="jaw_moving" class="jaw" pos="0.042 -0.0055 0" size="0.042 0.004 0.012" mass="0.012"/>
                </body>
              </body>
            </body>
          </body>
        </body>
      </body>
    </body>`;
}
