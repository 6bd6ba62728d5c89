import type { Summary } from './measure.ts';

export interface Table {
  readonly title: string;
  /** The row that the others are compared with. */
  readonly ours: string;
  readonly rows: ReadonlyMap<string, Summary>;
  /** Load average of the machine before each run, least and most. */
  readonly load: readonly [number, number];
}

interface Facts {
  /** Bytes of the bundle. */
  readonly size: number;
  readonly images: number;
  readonly runs: number;
  readonly cores: number;
  readonly versions: readonly string[];
}

/** docs/benchmarks.md: ratios to deliver, which travel between machines, and the seconds they come from. */
export function report(tables: readonly Table[], facts: Facts): string {
  return `# Benchmarks

Written by \`npm run bench\`. Each row is the median of ${String(facts.runs)} runs of whole processes on ${String(facts.cores)} cores, which the
registry shares; loopback registries, page cache warm. Corpus: ${String(facts.images)} images on five shared bases, incompressible
layers of 1–400 MB, ${(facts.size / 1e9).toFixed(2)} GB unique. ${facts.versions.join(', ')}.

“×” is the row's figure divided by deliver's: above 1, deliver is better. CPU is user + system of the command and its
children, without the registry. Peak memory is that of the largest process. Extra disk is the most that was in use beyond the
archive that is the result (pack) or beyond what the registry stores (push). In parentheses: the
fastest and the slowest run. A load above the number of cores means that others had their share: trust only what the spread allows.
${tables.map(table).join('')}`;
}

/** One table in Markdown. */
export function table({ title, ours, rows, load }: Table): string {
  const own = rows.get(ours);
  if (own === undefined) throw new Error(`no row ${ours}`);
  const lines = [...rows].map(([name, { wall, spread, cpu, memory, disk }]) =>
    [
      '',
      name === ours ? `**${name}**` : name,
      `${wall.toFixed(2)} (${spread[0].toFixed(2)}–${spread[1].toFixed(2)})`,
      (wall / own.wall).toFixed(2),
      cpu.toFixed(2),
      (cpu / own.cpu).toFixed(2),
      memory.toFixed(0),
      disk.toFixed(0),
      '',
    ]
      .join(' | ')
      .trim(),
  );
  return `
## ${title}

Load of the machine before each run: ${load[0].toFixed(1)}–${load[1].toFixed(1)}.

| | wall s | × | CPU s | × | peak memory MB | extra disk MB |
|---|---|---|---|---|---|---|
${lines.join('\n')}
`;
}
