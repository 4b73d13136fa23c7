/** The recipe a new file starts with, as a snippet: what must be filled in is a tab stop. */
export const starterSnippet = `version: 1
base: \${1:zoo/base}
experts:
  \${2:pick_place}: \${3:zoo/pick_place}
  \${4:push_cube}: \${5:zoo/push_cube}
merge:
  method: \${6|task_arithmetic,ties,average,dare_ties,della,emr,iso_c,tsv,knots,wudi|}
  alpha: \${7:1.0}
masks: { lambda: \${8:0.6} }
`;

/** The same as plain text, with the proposed values filled in. */
export const starterText = starterSnippet
  .replace(/\$\{\d+:([^}]*)\}/g, '$1')
  .replace(/\$\{\d+\|([^,|]*)[^}]*\}/g, '$1');
