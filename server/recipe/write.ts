/** Text that YAML would read as something else than text, or that its syntax uses. */
const plain = /^[A-Za-z_./\\~][\w./\\+@()-]*(?: [\w./\\+@()-]+)*$/;
const notText = /^(?:true|false|null|~|[-+]?\.(?:inf|nan)|[-+.]?\d.*)$/i;

/** A value in flow form, `{a: 1, b: [x]}`, that stands anywhere in a recipe. */
export function flowText(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(flowText).join(', ')}]`;
  if (typeof value === 'object' && value !== null) {
    const entries = Object.entries(value).filter(([, item]) => item !== undefined);
    return entries.length === 0
      ? '{}'
      : `{ ${entries.map(([key, item]) => `${flowText(key)}: ${flowText(item)}`).join(', ')} }`;
  }
  if (typeof value === 'number') return numberText(value);
  if (typeof value !== 'string') return String(value);
  return plain.test(value) && !notText.test(value) ? value : JSON.stringify(value);
}

const width = 88;

/** A mapping in block form, one key a line; mappings and lists that are short stay on their line, except at the top. */
export function blockText(value: object, indent = ''): string {
  return Object.entries(value)
    .filter(([, item]) => item !== undefined)
    .map(([key, item]) => keyLines(flowText(key), item, indent))
    .join('\n');
}

function keyLines(key: string, item: unknown, indent: string): string {
  const line = `${indent}${key}: ${flowText(item)}`;
  if (typeof item !== 'object' || item === null || Object.keys(item).length === 0) return line;
  const isList = Array.isArray(item);
  if (line.length <= width && !holdsObjects(item) && (isList || indent !== '')) return line;
  const inside = isList
    ? item.map((part) => itemLines(part, `${indent}  `)).join('\n')
    : blockText(item, `${indent}  `);
  return `${indent}${key}:\n${inside}`;
}

function itemLines(item: unknown, indent: string): string {
  const line = `${indent}- ${flowText(item)}`;
  if (line.length <= width || typeof item !== 'object' || item === null || Array.isArray(item))
    return line;
  return `${indent}- ${blockText(item, `${indent}  `).trimStart()}`;
}

function holdsObjects(value: object): boolean {
  return Object.values(value).some((item) => typeof item === 'object' && item !== null);
}

function numberText(value: number): string {
  if (Number.isNaN(value)) return '.nan';
  if (!Number.isFinite(value)) return value > 0 ? '.inf' : '-.inf';
  return Object.is(value, -0) ? '-0.0' : String(value);
}
