/** A correct recipe with most of what the language has. */
export const example = `# Three cubes
version: 1
name: cubes # the name
base: zoo/base
experts: # in order
  pick_place: zoo/pick_place
  push_cube: { path: zoo/push_cube, weight: 0.5 }
  # the third one
  stack_cube:
    path: zoo/stack_cube
    adapter: zoo/stack_cube/lora_adapter
    weight:
      - { match: '*mlp*', value: { gradient: [0, 0.5, 1] } }
      - value: 1
merge:
  method: ties
  density: 0.2
  alpha: 1.5
  scope:
    components: [vision, lm.block]
    blocks: { from: 0, to: 12 }
    include: ['*.weight']
  keep_from: pick_place
masks:
  lambda: { pick_place: 0.4, push_cube: 0.5, stack_cube: 0.6 }
router: { rank: 8 }

# measured on the bench
evaluate:
  suite: so101-cubes
  episodes: 20
sweep:
  merge.alpha: [0.5, 1]
  experts.push_cube.weight: [1, 2]
description: |
  Some words
    over lines # no comment
`;

/** A recipe of about so many lines: value lists and sweeps are what makes recipes long. */
export function longRecipe(lines: number): string {
  const weight = Array.from(
    { length: lines - 30 },
    (_, i) => `      - { match: '*.layers.${String(i)}.*', value: 0.${String((i % 9) + 1)} }`,
  );
  return `version: 1
base: zoo/base
experts:
  pick: zoo/pick
  push:
    path: zoo/push
    weight:
${weight.join('\n')}
      - value: 1
merge:
  alpha: 1
masks: { lambda: 0.6 }
`;
}
