import type { Part } from './parts.ts';
import type { Problem } from './problem.ts';
import { didYouMean } from './suggest.ts';

/** A thing with a name that waits for, or goes through, other things. */
export interface GraphNode {
  readonly name: string;
  readonly needs: readonly Part<string>[];
}

/** Needs that name nothing, and circles: each circle once, at the need that closes it. */
export function checkGraph(nodes: readonly GraphNode[], known: ReadonlySet<string>, noun: string): Problem[] {
  const unknown = nodes.flatMap(({ needs }) =>
    needs
      .filter((need) => !known.has(need.value))
      .map((need): Problem => ({
        path: need.path,
        message: `there is no ${noun} “${need.value}”.${didYouMean(need.value, known)}`,
      })),
  );
  return [...unknown, ...circles(nodes)];
}

function circles(nodes: readonly GraphNode[]): Problem[] {
  const byName = new Map(nodes.map((node) => [node.name, node]));
  const finished = new Set<string>();
  const problems: Problem[] = [];
  const visit = (node: GraphNode, trail: readonly string[]): void => {
    for (const need of node.needs) {
      const start = trail.indexOf(need.value);
      if (start >= 0) {
        const circle = [...trail.slice(start), need.value].join(' → ');
        problems.push({ path: need.path, message: `goes round in a circle: ${circle}`, code: 'E_GRAPH' });
        continue;
      }
      const next = byName.get(need.value);
      if (next !== undefined && !finished.has(next.name)) visit(next, [...trail, next.name]);
    }
    finished.add(node.name);
  };
  for (const node of nodes) if (!finished.has(node.name)) visit(node, [node.name]);
  return problems;
}
