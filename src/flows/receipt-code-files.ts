import { extname } from 'node:path';
import { writeWhole } from '../core/write-whole.ts';
import { outputError } from '../bundle/output-error.ts';
import { MOST_PRINTED, receiptCodes } from '../receipt/receipt-codes.ts';
import type { Receipt } from '../receipt/receipt.ts';

/**
 * Writes QR codes to print, or to show on another screen.
 * @param file `.svg` or `.png`; of several, the second is `NAME-2.svg`
 * @throws DeliverError E_OUTPUT, E_DISK_FULL
 */
export async function writeCodes(receipt: Receipt, file: string | undefined): Promise<readonly string[]> {
  if (file === undefined) return [];
  // Loaded only for who wants codes.
  const { qrFile } = await import('../receipt/qr-image.ts');
  const ending = extname(file);
  const stem = file.slice(0, file.length - ending.length);
  const paths: string[] = [];
  for (const [at, code] of receiptCodes(receipt, MOST_PRINTED).entries()) {
    const path = at === 0 ? file : `${stem}-${String(at + 1)}${ending}`;
    await writeWhole(path, await qrFile(code, ending === '.png' ? 'png' : 'svg')).catch((error: unknown) => {
      throw outputError(path, error);
    });
    paths.push(path);
  }
  return paths;
}
