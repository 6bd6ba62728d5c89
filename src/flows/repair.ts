import { join } from 'node:path';
import { outputError } from '../bundle/output-error.ts';
import { lockOutput } from '../bundle/pack-lock.ts';
import { assess } from '../carry/assess.ts';
import { manifestNames } from '../carry/layout.ts';
import { repairSet, type Repaired } from '../carry/repair.ts';
import { countText } from '../core/amounts.ts';
import { DeliverError } from '../core/errors.ts';
import type { Flow, Step } from '../core/report.ts';
import { damaged, withLeaves } from './verify-carry.ts';

export interface RepairResult extends Repaired {
  readonly folder: string;
}

/** Mends a carry set in its folder from its parity and patch volumes; changes nothing when not all of it can be mended. */
export function repairFlow({ folder }: { readonly folder: string }): Flow<RepairResult> {
  let result: RepairResult | undefined;
  const repair: Step = {
    id: 'repair',
    title: 'Repaired',
    run: (report, signal) =>
      withLeaves(folder, report, signal, async (set, states) => {
        const assessment = assess(set.carry, states);
        if (!assessment.mendable) throw damaged(set, assessment).with({ state: 'Nothing was changed.' });
        const target = join(set.folder, manifestNames(set.carry.bundle.name, 'plain')[0]);
        let unlock: (() => Promise<void>) | undefined;
        try {
          unlock = await lockOutput(target);
          result = { ...(await repairSet(set, states, report, signal)), folder: set.folder };
        } catch (error) {
          const told = outputError(target, error);
          if (told.code !== 'E_OUTPUT') throw told;
          throw told.with({ fix: 'Copy the folder to a disk that can be written, and repair it there.' });
        } finally {
          await unlock?.();
        }
        const { files, leaves, removed } = result;
        const summary = files.length === 0 ? 'nothing to mend' : `${String(leaves)} MiB in ${countText(files.length, 'file')}`;
        return {
          summary: [summary, ...removed.map((name) => `${name} removed`)].join(' · '),
          changed: files.length + removed.length,
        };
      }),
  };
  return {
    steps: [repair],
    result() {
      if (result === undefined) throw new DeliverError('E_BUG', { what: 'The result of repair was asked for before it ran.' });
      return result;
    },
  };
}
