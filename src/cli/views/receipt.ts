import { signerText } from '../../bundle/signature/trust.ts';
import { bytesText, countText } from '../../core/amounts.ts';
import type { ReceiptResult } from '../../flows/receipt.ts';
import type { VerifyReceiptsResult } from '../../flows/verify-receipts.ts';
import type { Style } from '../style.ts';
import { viewCodes } from './codes.ts';
import { headed, rowLines, said, whole, WIDTH } from './lines.ts';
import { MARK } from '../words.ts';

/** What is shown besides where the file is. */
export interface ReceiptForms {
  readonly text: boolean;
  readonly qr: boolean;
}

/** What `deliver receipt` has written. */
export function viewReceipt(result: ReceiptResult, style: Style, wanted: ReceiptForms, width = WIDTH): string[] {
  const { path, size, number, site, release, outcome, signer, text, id, codes, codeFiles } = result;
  const what = `${site} has ${release.name} ${release.version}`;
  return [
    '',
    ...headed(
      `${style.good(MARK.done)} `,
      style.bold(what),
      `receipt ${String(number)}${outcome === 'unchanged' ? ', as before' : ''}`,
      width,
    ),
    ...said('  ', `To carry back: ${whole(path)} (${bytesText(size)}), signed by ${signerText(signer)}`, width),
    `  ${id}`,
    ...codeFiles.map((file) => `  QR code: ${file}`),
    ...(wanted.qr ? viewCodes(codes) : []),
    ...(wanted.text ? ['', ...text.trimEnd().split('\n')] : []),
  ];
}

/** What `deliver receipt verify` says when nothing is wrong. */
export function viewReceipts({ site, receipts, installed, before }: VerifyReceiptsResult, style: Style, width = WIDTH): string[] {
  const rows = receipts.map(({ number, time, release, signer }) => ({
    lead: '  ',
    cells: [
      String(number),
      time.slice(0, 10),
      `${release.name} ${release.version}`,
      signer.name === '' ? signer.fingerprint : signer.name,
    ],
  }));
  return [
    ...headed(`${style.good(MARK.done)} `, style.bold(site), `${countText(receipts.length, 'receipt')}, one chain`, width),
    ...rowLines(rows, width),
    ...(before === undefined ? [] : said('  ', `What came before them is not here: ${before}`, width)),
    ...said('  ', `Installed: ${installed.map(({ name, version }) => `${name} ${version}`).join(', ')}`, width),
  ];
}
