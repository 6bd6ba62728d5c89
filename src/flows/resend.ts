import { mkdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { openSource, isCarrySet } from '../bundle/open-source.ts';
import { outputError } from '../bundle/output-error.ts';
import { makePatch, type WrittenPatch } from '../carry/make-patch.ts';
import type { CarryManifest } from '../carry/manifest.ts';
import { manifestsIn } from '../carry/open-carry.ts';
import { markOf, parseResendCode } from '../carry/resend-code.ts';
import { runsText } from '../carry/runs.ts';
import { bytesText } from '../core/amounts.ts';
import { DeliverError } from '../core/errors.ts';
import type { Flow, Step } from '../core/report.ts';

export interface ResendInput {
  /** The bundle, or a folder with its volumes. */
  readonly path: string;
  readonly code: string;
  /** Folder for the patch volume; the one of the bundle when absent. */
  readonly outputFolder?: string;
  /** Folder with the carry manifest; the one of the bundle when absent. */
  readonly carryFolder?: string;
}

export interface ResendResult extends WrittenPatch {
  readonly path: string;
  readonly bundle: string;
}

/** Turns a code that was read over the phone into exactly the MiBs that it asks for. */
export function resendFlow(input: ResendInput): Flow<ResendResult> {
  let result: ResendResult | undefined;
  const resend: Step = {
    id: 'resend',
    title: 'Patch',
    async run(report, signal) {
      const { mark, runs } = parseResendCode(input.code);
      const folder = (await isCarrySet(input.path)) ? input.path : dirname(input.path);
      const carry = chosen(await manifestsIn(input.carryFolder ?? folder), mark, input.carryFolder ?? folder);
      report.note(`the code asks for MiB ${runsText(runs)} of ${carry.bundle.name}`);
      const output = input.outputFolder ?? dirname(input.path);
      const opened = await openSource(input.path);
      try {
        await mkdir(output, { recursive: true });
        const patch = await makePatch(carry, opened.source, runs, output, { report, signal });
        result = { ...patch, path: join(output, patch.name), bundle: carry.bundle.name };
        return { summary: `${result.path} · ${bytesText(patch.size)}`, changed: 1 };
      } catch (error) {
        throw outputError(output, error);
      } finally {
        await opened.close();
      }
    },
  };
  return {
    steps: [resend],
    result() {
      if (result === undefined) throw new DeliverError('E_BUG', { what: 'The result of resend was asked for before it ran.' });
      return result;
    },
  };
}

function chosen(found: readonly CarryManifest[], mark: string, folder: string): CarryManifest {
  const carry = found.find((candidate) => markOf(candidate) === mark);
  if (carry !== undefined) return carry;
  if (found.length === 0) {
    throw new DeliverError('E_CARRY', {
      what: `${folder} holds no carry manifest.`,
      why: 'A code counts MiBs of one carry set; its manifest says which.',
      fix: 'Name the folder that holds <bundle>….carry.json with --carry.',
    });
  }
  throw new DeliverError('E_RESEND_CODE', {
    what: 'The code is well read, but it belongs to another carry set.',
    why: `It asks of carry ${mark}…; here: ${found.map((candidate) => `${markOf(candidate)}… (${candidate.bundle.name})`).join(', ')}.`,
    fix: 'Ask which bundle they have, and name the folder of its carry manifest with --carry.',
  });
}
