// Writes what is derived from the recipe schema and the table of codes: JSON Schema and reference pages.
console.log('nothing to generate yet');
