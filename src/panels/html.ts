import { arrayOf, isString, object } from '../../server/protocol/shape';

/** Where a panel's files are and what the page may load: all strings, so that tests use the same page. */
export interface PageSources {
  /** Title of the page, for assistive tools; the tab has its own. */
  readonly title: string;
  readonly script: string;
  readonly style: string;
  /** The editor's origin for our own files. */
  readonly cspSource: string;
  /** The manifest's colours for light themes, in which pictures can be saved from any theme. */
  readonly light: Readonly<Record<string, string>>;
  /** Fresh for each page. */
  readonly nonce: string;
}

/**
 * The page of a panel. Its policy allows our one script by nonce, our one style sheet and nothing
 * else: no inline style or script, no evaluation, no connection, no frame.
 */
export function pageHtml({ title, script, style, light, cspSource, nonce }: PageSources): string {
  const policy = [
    "default-src 'none'",
    `script-src 'nonce-${nonce}'`,
    `style-src ${cspSource}`,
    `font-src ${cspSource}`,
    `img-src ${cspSource}`,
  ].join('; ');
  return `<!doctype html>
<html lang="en">
  <head>
    <meta charset="utf-8" />
    <meta http-equiv="Content-Security-Policy" content="${policy}" />
    <meta name="viewport" content="width=device-width, initial-scale=1" />
    <title>${escapeText(title)}</title>
    <link rel="stylesheet" href="${style}" />
  </head>
  <body data-light="${escapeText(JSON.stringify(light))}">
    <script nonce="${nonce}" src="${script}"></script>
  </body>
</html>
`;
}

/** Colours that a manifest contributes, as the variables that pages see without their prefix. */
export function lightColours(manifest: unknown): Readonly<Record<string, string>> {
  const isColour = object<Colour>({
    id: isString,
    defaults: object<Colour['defaults']>({ light: isString }),
  });
  const hasColours = object<{ contributes: { colors: readonly Colour[] } }>({
    contributes: object<{ colors: readonly Colour[] }>({ colors: arrayOf(isColour) }),
  });
  if (!hasColours(manifest)) return {};
  const { colors } = manifest.contributes;
  return Object.fromEntries(
    colors.map(({ id, defaults }) => [id.replaceAll('.', '-'), defaults.light]),
  );
}

interface Colour {
  readonly id: string;
  readonly defaults: { readonly light: string };
}

function escapeText(text: string): string {
  return text.replace(/[&<>"]/g, (character) => `&#${String(character.charCodeAt(0))};`);
}
