import { signerText } from '../../bundle/signature/trust.ts';
import { bytesText, countText } from '../../core/amounts.ts';
import type { ReceiptResult } from '../../flows/receipt.ts';
import type { VerifyReceiptsResult } from '../../flows/verify-receipts.ts';
import type { Style } from '../style.ts';
import { table } from '../table.ts';
import { viewCodes } from './codes.ts';
import { MARK } from '../words.ts';

/** What is shown besides where the file is. */
export interface ReceiptForms {
  readonly text: boolean;
  readonly qr: boolean;
}

/** What `deliver receipt` has written. */
export function viewReceipt(result: ReceiptResult, style: Style, wanted: ReceiptForms): string[] {
  const { path, size, number, site, release, outcome, signer, text, id, codes, codeFiles } = result;
  const what = `${site} has ${release.name} ${release.version}`;
  return [
    '',
    `${style.good(MARK.done)} ${style.bold(what)}   receipt ${String(number)}${outcome === 'unchanged' ? ', as before' : ''}`,
    `  To carry back: ${path} (${bytesText(size)}), signed by ${signerText(signer)}`,
    `  ${id}`,
    ...codeFiles.map((file) => `  QR code: ${file}`),
    ...(wanted.qr ? viewCodes(codes) : []),
    ...(wanted.text ? ['', ...text.trimEnd().split('\n')] : []),
  ];
}

/** What `deliver receipt verify` says when nothing is wrong. */
export function viewReceipts({ site, receipts, installed, before }: VerifyReceiptsResult, style: Style): string[] {
  const rows = receipts.map(({ number, time, release, signer }) => [
    String(number),
    time.slice(0, 10),
    `${release.name} ${release.version}`,
    signer.name === '' ? signer.fingerprint : signer.name,
  ]);
  return [
    `${style.good(MARK.done)} ${style.bold(site)}   ${countText(receipts.length, 'receipt')}, one chain`,
    ...table(rows, { indent: 2 }),
    ...(before === undefined ? [] : [`  What came before them is not here: ${before}`]),
    `  Installed: ${installed.map(({ name, version }) => `${name} ${version}`).join(', ')}`,
  ];
}
