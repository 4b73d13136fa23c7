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

/** A mapping in block form, one key a line, each line indented; nested mappings up to `flowWidth` stay on a line. */
export function blockText(value: object, indent = '', flowWidth = 80): string {
  return Object.entries(value)
    .filter(([, item]) => item !== undefined)
    .map(([key, item]) => {
      const line = `${indent}${flowText(key)}: ${flowText(item)}`;
      const isMap = typeof item === 'object' && item !== null && !Array.isArray(item);
      if (!isMap || (line.length <= flowWidth && depth(item) < 2)) return line;
      return `${indent}${flowText(key)}:\n${blockText(item, `${indent}  `, flowWidth)}`;
    })
    .join('\n');
}

function depth(value: object): number {
  const inner = Object.values(value).filter((item) => typeof item === 'object' && item !== null);
  return inner.length === 0 ? 1 : 2;
}

function numberText(value: number): string {
  if (Number.isNaN(value)) return '.nan';
  if (!Number.isFinite(value)) return value > 0 ? '.inf' : '-.inf';
  return Object.is(value, -0) ? '-0.0' : String(value);
}
