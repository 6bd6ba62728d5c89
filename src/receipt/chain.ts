import { DeliverError } from '../core/errors.ts';
import type { ReadReceipt } from './read-receipt.ts';

/**
 * Refuses receipts that are not one chain in the order in which they are given: another site's, one left out, two with the
 * same predecessor, the same one twice.
 * @throws DeliverError E_RECEIPT
 */
export function checkChain(chain: readonly ReadReceipt[]): void {
  for (const [at, { path, receipt }] of chain.entries()) {
    const before = chain[at - 1];
    if (before === undefined) continue;
    const why = breakBetween(before, { path, receipt });
    if (why === undefined) continue;
    const order = inOrder(chain);
    throw new DeliverError('E_RECEIPT', {
      what: `${path} does not follow ${before.path}.`,
      why,
      fix:
        order === undefined
          ? 'Ask the site for the receipts that are missing; a fork means that somebody wrote one that the site does not know.'
          : `They are a chain in this order: ${order.join(' ')}`,
    });
  }
}

function breakBetween(before: ReadReceipt, { receipt }: Pick<ReadReceipt, 'path' | 'receipt'>): string | undefined {
  const last = before.receipt;
  if (receipt.site !== last.site) return `One is of site ${last.site}, the other of ${receipt.site}.`;
  if (receipt.number === last.number) return `Both are number ${String(receipt.number)}: the chain forks, or one is given twice.`;
  if (receipt.number !== last.number + 1) return `After number ${String(last.number)} comes ${String(receipt.number)}.`;
  if (receipt.previous !== before.id)
    return `It names ${receipt.previous ?? 'none'} as the one before, which is not ${before.id}.`;
  return undefined;
}

/** The paths in the order in which they would be a chain; undefined when they are none in any order. */
function inOrder(chain: readonly ReadReceipt[]): readonly string[] | undefined {
  const sorted = [...chain].sort((a, b) => a.receipt.number - b.receipt.number);
  const whole = sorted.every((next, at) => {
    const before = sorted[at - 1];
    return before === undefined || breakBetween(before, next) === undefined;
  });
  return whole ? sorted.map(({ path }) => path) : undefined;
}
