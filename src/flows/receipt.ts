import { readFile } from 'node:fs/promises';
import { writeWhole } from '../core/write-whole.ts';
import { outputError } from '../bundle/output-error.ts';
import type { Signer } from '../bundle/signature/check-signature.ts';
import { listRecords } from '../cluster/record.ts';
import type { Digest } from '../core/digest.ts';
import { DeliverError } from '../core/errors.ts';
import type { Flow } from '../core/report.ts';
import { readHead, writeHead } from '../receipt/chain-head.ts';
import { chosenRecord, nextBody, saysAlready } from '../receipt/next-receipt.ts';
import { MOST_ON_TERMINAL, receiptCodes } from '../receipt/receipt-codes.ts';
import { armorReceipt } from '../receipt/receipt-text.ts';
import { receiptId, receiptText, shortForm, type Receipt, type ReceiptBody } from '../receipt/receipt.ts';
import { signingKeyOf, signReceipt } from '../receipt/sign-receipt.ts';
import { loadLocked } from './load-base.ts';
import { signersOf, type SigningPorts } from './signing-keys.ts';
import type { SitePorts } from './site-ports.ts';
import { needed, siteStep } from './install/site-step.ts';
import { writeCodes } from './receipt-code-files.ts';

export interface ReceiptInput {
  /** The site's own OpenSSH ed25519 private key, or the public half of one that an agent holds. */
  readonly keyPath: string;
  /** File to write; `<site>-<version>.receipt.json` when absent. */
  readonly out?: string;
  /** File for a QR code, `.svg` or `.png`; several get a number each. */
  readonly codeFile?: string;
  /** Lock or bundle of the release: its digests are put into the receipt. */
  readonly full?: string;
  /** Name of the release that the next delta builds on; the one installed last when absent. */
  readonly release?: string;
}

export type ReceiptPorts = SitePorts & SigningPorts;

export interface ReceiptResult {
  readonly path: string;
  /** Digest of the short form: what the next receipt names as its previous. */
  readonly id: string;
  readonly outcome: 'written' | 'unchanged';
  readonly site: string;
  readonly number: number;
  readonly release: ReceiptBody['release'];
  readonly signer: Signer;
  /** Bytes of the file. */
  readonly size: number;
  /** The short form, to read aloud or type. */
  readonly text: string;
  /** The same as texts of QR codes that fit a terminal of 80 columns. */
  readonly codes: readonly string[];
  /** Files with QR codes that were written. */
  readonly codeFiles: readonly string[];
}

/** `deliver receipt`: what this site has, signed by its key and chained to what it said before. */
export function receiptFlow(input: ReceiptInput, ports: ReceiptPorts): Flow<ReceiptResult> {
  let made: { readonly receipt: Receipt; readonly signer: Signer; readonly isNew: boolean } | undefined;
  let result: ReceiptResult | undefined;
  return {
    steps: [
      siteStep(ports, 'receipt', 'Receipt', async (_report, signal) => {
        const [named] = await signersOf([input.keyPath], ports);
        const { key, signer } = needed(named);
        const api = await ports.cluster();
        const records = await listRecords(api, signal);
        const { release } = input;
        const wanted = release === undefined ? {} : { release };
        const digests = input.full === undefined ? undefined : await digestsOf(input.full, chosenRecord(records, release));
        const head = await readHead(api, signal);
        const list = digests === undefined ? {} : { digests };
        const body = nextBody({ site: ports.loaded.site.metadata.name, records, ...wanted, ...list }, head, new Date());
        const { last } = head;
        const again =
          last !== undefined && saysAlready(head, body) && signingKeyOf(last.receipt, last.path).equals(key.publicKey);
        const receipt = again ? last.receipt : await signReceipt(body, key);
        if (!again) await writeHead(api, head, receipt, signal);
        made = { receipt: { ...shortForm(receipt), ...list }, signer, isNew: !again };
        const state = again ? 'the same as before' : 'new';
        return { summary: `number ${String(receipt.number)} of ${receipt.site}, ${state}`, changed: again ? 0 : 1 };
      }),
      siteStep(
        ports,
        'write',
        'Written',
        async () => {
          const { receipt, signer, isNew } = needed(made);
          const text = receiptText(receipt);
          const path = await writeReceipt(input.out, receipt, text);
          const { site, number, release } = receipt;
          const codes = receiptCodes(receipt, MOST_ON_TERMINAL);
          const codeFiles = await writeCodes(receipt, input.codeFile);
          const facts = { site, number, release, signer, size: Buffer.byteLength(text), text: armorReceipt(receipt) };
          result = { path, id: receiptId(receipt), outcome: isNew ? 'written' : 'unchanged', ...facts, codes, codeFiles };
          return { summary: path };
        },
        { last: () => undefined },
      ),
    ],
    result: () => needed(result),
  };
}

/** @throws DeliverError E_RECEIPT when it is another release than the one that is installed */
async function digestsOf(path: string, release: ReceiptBody['release']): Promise<Digest[]> {
  const { base } = await loadLocked(path);
  if (base.root === release.root) return [...base.digests].sort();
  throw new DeliverError('E_RECEIPT', {
    what: `${path} is not what is installed.`,
    why: `It is ${base.name} ${base.version} (${base.root}); installed is ${release.name} ${release.version} (${release.root}).`,
    fix: 'Give the bundle or lock of the installed version to --full.',
    state: 'No receipt was written.',
  });
}

/** A receipt is never overwritten by another one: the second for a version gets its number into its name. */
async function writeReceipt(out: string | undefined, receipt: Receipt, text: string): Promise<string> {
  const { site, number, release } = receipt;
  const stem = `${site}-${release.version}`;
  const paths = out === undefined ? [`${stem}.receipt.json`, `${stem}.${String(number)}.receipt.json`] : [out];
  for (const path of paths) {
    const before = await readFile(path, 'utf8').catch(() => undefined);
    // The full form of the same receipt may take the place of the short one.
    if (before === text) return path;
    if (before !== undefined && before !== receiptText(shortForm(receipt))) continue;
    await writeWhole(path, text).catch((error: unknown) => {
      throw outputError(path, error);
    });
    return path;
  }
  throw new DeliverError('E_OUTPUT', {
    what: `${paths.join(' and ')} can’t be written.`,
    why: 'Something else is there already, and a receipt never overwrites it.',
    fix: 'Choose another name with --out; the same receipt is written again.',
  });
}
