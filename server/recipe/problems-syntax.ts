import type { ProblemInfo } from './problems';

/** `MV1xx`: the text is no YAML, or YAML that recipes do not use. `MV2xx`: it is no recipe. */
export const syntaxProblems = {
  MV101: {
    title: 'Not valid YAML',
    severity: 'error',
    explanation: 'The text cannot be read as YAML at this place.',
    example: 'merge: {method: ties',
  },
  MV102: {
    title: 'Key given twice',
    severity: 'error',
    explanation: 'A key stands twice in one mapping; only one of the two values could count.',
    example: 'base: a\nbase: b',
  },
  MV103: {
    title: 'More than one document',
    severity: 'error',
    explanation: 'A file holds one recipe; everything after a second `---` is not read.',
    example: 'version: 1\n---\nversion: 1',
  },
  MV104: {
    title: 'Tab used for indentation',
    severity: 'error',
    explanation: 'YAML is indented by spaces only.',
    example: 'merge:\n\tmethod: ties',
  },
  MV105: {
    title: 'Unknown alias',
    severity: 'error',
    explanation: 'An alias `*name` needs an anchor `&name` before it.',
    example: 'base: *missing',
  },
  MV106: {
    title: 'Aliases go too far',
    severity: 'error',
    explanation:
      'Aliases that contain themselves, or that expand to more than 50,000 values, are not followed.',
    example: 'experts: &a {x: *a}',
  },
  MV107: {
    title: 'Not clean text',
    severity: 'error',
    explanation: 'The file holds bytes that are not UTF-8, or control characters.',
    example: 'name: caf\uFFFD',
  },
  MV108: {
    title: 'File too large',
    severity: 'error',
    explanation: 'Recipes are read up to 4 million characters.',
    example: 'a file of 10 MB',
  },
  MV109: {
    title: 'Empty recipe',
    severity: 'error',
    explanation: 'There is nothing to merge; start with `MergeVLA: New Recipe`.',
    example: '# only a comment',
  },
  MV110: {
    title: 'Wrong merge key',
    severity: 'error',
    explanation: 'The value of `<<` has to be a mapping, or a list of mappings.',
    example: 'merge: {<<: 3}',
  },
  MV201: {
    title: 'Unknown key',
    severity: 'error',
    explanation: 'The recipe language has no such key here; often it is misspelled.',
    example: 'merge: {densty: 0.2}',
  },
  MV202: {
    title: 'Wrong type',
    severity: 'error',
    explanation: 'The value is not of the type that the key takes.',
    example: 'base: [a, b]',
  },
  MV203: {
    title: 'Required key missing',
    severity: 'error',
    explanation: 'A merge cannot be described without this key.',
    example: 'version: 1\nbase: zoo/base',
  },
  MV204: {
    title: 'Unknown value',
    severity: 'error',
    explanation: 'The key takes one of a few values, and this is none of them.',
    example: 'merge: {method: tise}',
  },
  MV205: {
    title: 'Number out of range',
    severity: 'error',
    explanation: 'The number lies outside the values for which the key has a meaning.',
    example: 'merge: {method: ties, density: 20}',
  },
  MV206: {
    title: 'Unsupported version',
    severity: 'error',
    explanation: 'This version of MergeVLA reads recipes of version 1.',
    example: 'version: 2',
  },
  MV207: {
    title: 'Number of tasks',
    severity: 'error',
    explanation: 'A recipe has 1 to 64 experts.',
    example: 'experts: {}',
  },
  MV208: {
    title: 'Key is not text',
    severity: 'error',
    explanation: 'Keys are plain text; lists, mappings and empty keys cannot be one.',
    example: '? [a, b]\n: 1',
  },
  MV209: {
    title: 'Not a size',
    severity: 'error',
    explanation: 'Sizes are a number of bytes or a text such as `2GiB` or `500MB`.',
    example: 'run: {memory: lots}',
  },
  MV210: {
    title: 'Faulty glob',
    severity: 'error',
    explanation: 'The pattern has an open brace or bracket, or stands for too many patterns.',
    example: "merge: {scope: {include: ['*.{q,k']}}",
  },
} as const satisfies Record<string, ProblemInfo>;
