import { readFile, writeFile } from 'node:fs/promises';
import { z } from 'zod';
import type { Outcome } from './deliver.ts';

const Event = z.looseObject({ event: z.string(), step: z.string().optional(), milliseconds: z.number().optional() });

/** What `--json` tells while a verb runs, one object per line. */
export function eventsOf({ stdout }: Pick<Outcome, 'stdout'>): readonly z.infer<typeof Event>[] {
  return stdout
    .split('\n')
    .filter((line) => line.startsWith('{') && line.endsWith('}'))
    .map((line) => Event.parse(JSON.parse(line)));
}

/** Milliseconds that each step took, in the order in which they ended; those of steps in lanes overlap. */
export function stepTimes(outcome: Pick<Outcome, 'stdout'>): readonly { readonly step: string; readonly milliseconds: number }[] {
  return eventsOf(outcome).flatMap(({ event, step, milliseconds }) =>
    event === 'step-done' && step !== undefined && milliseconds !== undefined ? [{ step, milliseconds }] : [],
  );
}

/** Adds figures under a name to the JSON file that E2E_FIGURES names; without it they are not kept. */
export async function keepFigures(name: string, figures: unknown): Promise<void> {
  const file = process.env['E2E_FIGURES'];
  if (file === undefined) return;
  const before = await readFile(file, 'utf8').catch(() => '{}');
  const all = { ...z.record(z.string(), z.unknown()).parse(JSON.parse(before)), [name]: figures };
  await writeFile(file, `${JSON.stringify(all, null, 2)}\n`);
}

/** The text that `--json` prints when a step begins, for kills at that moment. */
export function beginningOf(step: string): string {
  return `"step":"${step}","title"`;
}
