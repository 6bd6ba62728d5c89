import type { Measurement } from './measure.ts';

interface Results {
  readonly packed: ReadonlyMap<string, Measurement>;
  readonly pushed: ReadonlyMap<string, Measurement>;
  readonly size: number;
  readonly images: number;
  readonly runs: number;
  readonly cores: number;
}

/** docs/benchmarks.md: ratios to deliver, which travel between machines, and the seconds they come from. */
export function report(results: Results): string {
  const head = `# Benchmarks

Written by \`npm run bench\`; every figure is the median of ${String(results.runs)} runs of whole processes on one machine with ${String(results.cores)} cores,
loopback registries (Debian's docker-registry 2.8), page cache warm. Corpus: ${String(results.images)} images on five shared bases,
incompressible layers, ${gigabytes(results.size)} GB unique. “×” is the other tool's figure divided by deliver's: above 1, deliver is better.
Extra disk is what was in use at the peak beyond the archive (pack) or the registry's own copy (push).
`;
  return `${head}
## From a registry to one archive
${table(results.packed, 'deliver pack')}
## From the archive into an empty registry
${table(results.pushed, 'deliver push')}`;
}

function table(rows: ReadonlyMap<string, Measurement>, ours: string): string {
  const own = rows.get(ours);
  if (own === undefined) throw new Error(`no row ${ours}`);
  const lines = [...rows].map(
    ([name, m]) =>
      `| ${name} | ${m.wall.toFixed(2)} | ${(m.wall / own.wall).toFixed(2)} | ${m.cpu.toFixed(2)} | ${(m.cpu / own.cpu).toFixed(2)} | ${m.memory.toFixed(0)} | ${m.disk.toFixed(0)} |`,
  );
  return `\n| | wall s | × | CPU s | × | peak memory MB | extra disk MB |\n|---|---|---|---|---|---|---|\n${lines.join('\n')}\n`;
}

function gigabytes(bytes: number): string {
  return (bytes / 1e9).toFixed(2);
}
