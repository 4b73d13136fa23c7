// Writes what is derived from the recipe schema and the table of codes: JSON Schema and reference pages.
import { build } from 'esbuild';
import { mkdirSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));

const { outputFiles } = await build({
  absWorkingDir: root,
  entryPoints: ['server/recipe/reference.ts'],
  bundle: true,
  write: false,
  platform: 'node',
  format: 'esm',
});
const code = Buffer.from(outputFiles[0].contents).toString('base64');
const { recipeJsonSchema, recipeReference, problemReference } = await import(
  `data:text/javascript;base64,${code}`
);

const files = {
  'media/mergevla.schema.json': recipeJsonSchema(),
  'docs/recipe.md': recipeReference(),
  'docs/problems.md': problemReference(),
};
for (const folder of ['media', 'docs']) mkdirSync(`${root}${folder}`, { recursive: true });
for (const [path, text] of Object.entries(files)) writeFileSync(`${root}${path}`, text);
