import type { Connection } from 'vscode-languageserver';

/** Settings of one resource, as the editor resolves them. */
export interface ResourceSettings {
  readonly codeLens: boolean;
  readonly inlayHints: boolean;
  readonly hoverMetrics: boolean;
  readonly polling: boolean;
}

const standard: ResourceSettings = {
  codeLens: true,
  inlayHints: true,
  hoverMetrics: true,
  polling: false,
};

/** Asked per resource and forgotten at each change: there are no global settings. */
export interface Settings {
  of(uri: string): Promise<ResourceSettings>;
  forget(): void;
}

export function createSettings(connection: Connection, supported: () => boolean): Settings {
  const known = new Map<string, Promise<ResourceSettings>>();
  return {
    of: (uri) => {
      if (!supported()) return Promise.resolve(standard);
      const asked = known.get(uri) ?? ask(connection, uri);
      known.set(uri, asked);
      return asked;
    },
    forget: () => known.clear(),
  };
}

async function ask(connection: Connection, scopeUri: string): Promise<ResourceSettings> {
  const sections = [
    'mergevla.codeLens.enabled',
    'mergevla.inlayHints.enabled',
    'mergevla.hover.metrics',
    'mergevla.files.watching',
  ];
  const [codeLens, inlayHints, hoverMetrics, watching] =
    (await connection.workspace.getConfiguration(
      sections.map((section) => ({ scopeUri, section })),
    )) as unknown[];
  return {
    codeLens: codeLens !== false,
    inlayHints: inlayHints !== false,
    hoverMetrics: hoverMetrics !== false,
    polling: watching === 'polling',
  };
}
