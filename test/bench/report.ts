import type { Aim, Contest } from './contest.ts';
import type { Summary } from './measure.ts';

export interface Table extends Pick<Contest, 'title' | 'ours' | 'aims' | 'note'> {
  readonly rows: ReadonlyMap<string, Summary>;
  /** Runs of a row, by its name. */
  readonly runs: ReadonlyMap<string, number>;
  /** Load average of the machine before each run, least and most. */
  readonly load: readonly [number, number];
}

interface Facts {
  /** Bytes of the bundle. */
  readonly size: number;
  readonly images: number;
  readonly rounds: number;
  readonly cores: number;
  readonly versions: readonly string[];
}

/** docs/benchmarks.md: what was aimed at first, then ratios to deliver, which travel between machines, and the seconds they come from. */
export function report(tables: readonly Table[], facts: Facts): string {
  return `# Benchmarks

Written by \`npm run bench\`: whole processes on ${facts.cores} cores, which the servers share; loopback, page cache warm. Corpus:
${facts.images} images on five shared bases, incompressible layers of 1–400 MB, ${(facts.size / 1e9).toFixed(2)} GB unique. Each figure is the median of
${facts.rounds} rounds where a row says nothing else, in parentheses the least and the most; in a round everybody runs once, one after the other.
${facts.versions.join(', ')}.

“×” is the row's wall time divided by deliver's in the same round: above 1, deliver is faster. CPU is user + system of the
command and its children, without the servers. Peak memory is that of the largest process, the most of all runs. Extra disk is
the most that was in use beyond the archive that is the result (pack) or beyond what the registry stores (push).
A load above the number of cores means that others had their share: trust only what the spread allows.

${aims(tables)}
${tables.map(table).join('')}`;
}

/** What was aimed at and whether it is reached. */
export function aims(tables: readonly Table[]): string {
  const lines = tables.flatMap(({ title, aims, rows }) =>
    aims.flatMap((aim) => {
      const row = rows.get(aim.row);
      return row === undefined ? [] : [aimLine(title, aim, row)];
    }),
  );
  return `| | aim | measured | |\n|---|---|---|---|\n${lines.join('\n')}\n`;
}

function aimLine(title: string, { row, figure, least, most }: Aim, measured: Summary): string {
  const value = { ratio: measured.ratio[0], memory: measured.memory, wall: measured.wall };
  const [unit, digits] = { ratio: [' ×', 2], memory: [' MB', 0], wall: [' s', 2] }[figure] as [string, number];
  const aim = least === undefined ? `≤ ${most ?? ''}${unit}` : `≥ ${least}${unit}`;
  const isMet = value[figure] >= (least ?? -Infinity) && value[figure] <= (most ?? Infinity);
  const spread = figure === 'ratio' ? spreadText([measured.ratio[1], measured.ratio[2]]) : '';
  return `| ${title}: ${row} | ${aim} | ${value[figure].toFixed(digits)}${unit}${spread} | ${isMet ? 'met' : '**not met**'} |`;
}

/** One table in Markdown. */
export function table({ title, ours, note, rows, runs, load }: Table): string {
  const own = rows.get(ours);
  if (own === undefined) throw new Error(`no row ${ours}`);
  const most = Math.max(...runs.values());
  const lines = [...rows].map(([name, { wall, spread, ratio, cpu, memory, disk }]) => {
    const count = runs.get(name) ?? most;
    const label = count === most ? name : `${name} (${count === 1 ? 'once' : `${count} runs`})`;
    const figures = [
      name === ours ? '1' : `${ratio[0].toFixed(2)}${spreadText([ratio[1], ratio[2]])}`,
      `${wall.toFixed(2)}${spreadText(spread)}`,
      cpu.toFixed(2),
      (cpu / own.cpu).toFixed(2),
      memory.toFixed(0),
      disk.toFixed(0),
    ];
    return `| ${[name === ours ? `**${label}**` : label, ...figures].join(' | ')} |`;
  });
  return `
## ${title}

${note === undefined ? '' : `${note} `}Load of the machine before each run: ${load[0].toFixed(1)}–${load[1].toFixed(1)}.

| | × | wall s | CPU s | × CPU | peak memory MB | extra disk MB |
|---|---|---|---|---|---|---|
${lines.join('\n')}
`;
}

function spreadText([least, most]: readonly [number, number]): string {
  return least === most ? '' : ` (${least.toFixed(2)}–${most.toFixed(2)})`;
}

const BIG = '<!-- npm run bench -- big -->';

/** The part of the document that only `npm run bench -- big` writes. */
export function bigPart(document: string): string {
  const at = document.indexOf(BIG);
  return at < 0 ? '' : document.slice(at + BIG.length).trim();
}

/** The document with another such part at its end. */
export function withBigPart(document: string, part: string): string {
  const at = document.indexOf(BIG);
  const rest = (at < 0 ? document : document.slice(0, at)).trimEnd();
  return part === '' ? `${rest}\n` : `${rest}\n\n${BIG}\n\n${part.trim()}\n`;
}
