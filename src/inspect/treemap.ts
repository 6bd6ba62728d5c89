export interface Rectangle {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

/**
 * Divides a rectangle into one for each weight, areas in proportion, none much longer than wide
 * (Bruls, Huizing, van Wijk: Squarified Treemaps, 2000). Give the weights largest first; those of 0 get no area.
 */
export function squarify(weights: readonly number[], within: Rectangle): Rectangle[] {
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  const scale = total === 0 ? 0 : (within.width * within.height) / total;
  const areas = weights.map((weight) => weight * scale);
  const placed: Rectangle[] = [];
  let free = within;
  for (let at = 0; at < areas.length;) {
    const side = Math.min(free.width, free.height);
    let end = at + 1;
    while (end < areas.length && worst(areas.slice(at, end + 1), side) <= worst(areas.slice(at, end), side)) end += 1;
    const { row, rest } = layRow(areas.slice(at, end), free, end === areas.length);
    placed.push(...row);
    free = rest;
    at = end;
  }
  return placed;
}

/** The worst ratio of long to short side, were these areas a row along a side of this length. */
function worst(areas: readonly number[], side: number): number {
  const sum = areas.reduce((total, area) => total + area, 0);
  const smallest = Math.min(...areas);
  if (sum === 0 || smallest === 0 || side === 0) return Infinity;
  return Math.max((side ** 2 * Math.max(...areas)) / sum ** 2, sum ** 2 / (side ** 2 * smallest));
}

function layRow(areas: readonly number[], free: Rectangle, isLast: boolean): { row: Rectangle[]; rest: Rectangle } {
  const { x, y, width, height } = free;
  const sum = areas.reduce((total, area) => total + area, 0);
  const upright = width >= height;
  const side = upright ? height : width;
  // The last row takes what is left, so that rounding leaves no gap.
  const thickness = isLast ? (upright ? width : height) : side === 0 ? 0 : sum / side;
  let along = 0;
  const row = areas.map((area) => {
    const length = sum === 0 ? 0 : (area / sum) * side;
    const start = along;
    along += length;
    return upright
      ? { x, y: y + start, width: thickness, height: length }
      : { x: x + start, y, width: length, height: thickness };
  });
  const rest = upright
    ? { x: x + thickness, y, width: Math.max(0, width - thickness), height }
    : { x, y: y + thickness, width, height: Math.max(0, height - thickness) };
  return { row, rest };
}
