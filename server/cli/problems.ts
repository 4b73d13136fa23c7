import type { Problem } from '../protocol/problem';
import { formatProblem } from '../recipe/problems';
import { shortPath } from './paths';
import type { Style } from './style';

/** One problem as `check --json` gives it; lines and columns count from 1, ends are exclusive. */
export function problemJson(problem: Problem, path: string): Record<string, unknown> {
  const { code, severity, message, range, related = [], fixes = [] } = problem;
  return {
    code,
    severity,
    message,
    path,
    ...position(range),
    related: related.map((place) => ({
      message: place.message,
      path: place.path,
      ...position(place.range),
    })),
    fix: fixes[0]
      ? {
          title: fixes[0].title,
          edits: fixes[0].edits.map((edit) => ({
            ...position(edit.range),
            newText: edit.newText,
          })),
        }
      : null,
  };
}

function position({ start, end }: Problem['range']): Record<string, number> {
  return {
    line: start.line + 1,
    column: start.column + 1,
    endLine: end.line + 1,
    endColumn: end.column + 1,
  };
}

/** `path:line:column: severity: text [code]`, one a line, the severity in colour. */
export function problemLines(problems: readonly Problem[], path: string, style: Style): string {
  const paint = {
    error: style.red,
    warning: style.yellow,
    information: style.cyan,
    hint: style.dim,
  };
  return problems
    .map((problem) => {
      const line = formatProblem(problem, shortPath(path));
      const label = `: ${problem.severity}: `;
      return line.replace(label, () => `: ${paint[problem.severity](problem.severity)}: `);
    })
    .join('\n');
}
