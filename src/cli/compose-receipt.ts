import { DeliverError } from '../core/errors.ts';
import type { Flow } from '../core/report.ts';
import { receiptFlow, type ReceiptResult } from '../flows/receipt.ts';
import { verifyReceipts, type VerifyReceiptsResult } from '../flows/verify-receipts.ts';
import { signingPorts } from './compose-signing.ts';

// The verbs about receipts.

export interface ReceiptFlags {
  readonly site: string;
  readonly key: string;
  readonly out?: string | undefined;
  readonly 'qr-file'?: string | undefined;
  readonly full?: string | undefined;
  readonly release?: string | undefined;
}

/** Asks for the passphrase of the key before anything is drawn. @throws DeliverError E_USAGE, E_SIGN_KEY, and for what is wrong with the site file */
export async function composeReceipt(flags: ReceiptFlags): Promise<Flow<ReceiptResult>> {
  const { site, key, out, full, release, 'qr-file': codeFile } = flags;
  if (codeFile !== undefined && !/\.(?:svg|png)$/.test(codeFile)) {
    throw new DeliverError('E_USAGE', {
      what: `--qr-file ${codeFile} is neither .svg nor .png.`,
      fix: 'End its name in one of them.',
    });
  }
  const { composeSite } = await import('./compose-site.ts');
  const ports = await composeSite(site);
  const signing = await signingPorts([key]);
  const wish = {
    ...(out === undefined ? {} : { out }),
    ...(codeFile === undefined ? {} : { codeFile }),
    ...(full === undefined ? {} : { full }),
    ...(release === undefined ? {} : { release }),
  };
  return receiptFlow({ keyPath: key, ...wish }, { ...ports, ...signing });
}

export async function composeVerifyReceipts(paths: readonly string[], trust: readonly string[]): Promise<VerifyReceiptsResult> {
  return verifyReceipts(paths, trust);
}
