import type { ReleaseRecord } from '../cluster/record.ts';
import { canonicalJson } from '../core/canonical-json.ts';
import { isDigest, type Digest } from '../core/digest.ts';
import { DeliverError } from '../core/errors.ts';
import type { ChainHead } from './chain-head.ts';
import { arrivedOf, type ReceiptBody } from './receipt.ts';

export interface ReceiptFacts {
  readonly site: string;
  readonly records: readonly ReleaseRecord[];
  /** Name of the release that the next delta builds on; the one installed last when absent. */
  readonly release?: string;
  /** Sorted digests of everything that this release brought, for the full form. */
  readonly digests?: readonly Digest[];
}

type Installed = ReceiptBody['installed'][number];

/**
 * What the site says next. When it has said the same already, that receipt is given again and not a new one.
 * @throws DeliverError E_NOTHING_INSTALLED
 */
export function nextBody(facts: ReceiptFacts, { last }: ChainHead, now: Date): ReceiptBody {
  const installed = facts.records.flatMap(entryOf);
  const { name, version, root } = chosen(installed, facts.release);
  const body = {
    apiVersion: 'deliver/v1' as const,
    installed,
    kind: 'Receipt' as const,
    release: { name, version, root },
    site: facts.site,
    ...(facts.digests === undefined ? {} : { arrived: arrivedOf(facts.digests) }),
  };
  const chain = { number: (last?.receipt.number ?? 0) + 1, ...(last === undefined ? {} : { previous: last.id }) };
  return { ...body, ...chain, time: now.toISOString() };
}

/** Whether the last receipt says all that this one would say. */
export function saysAlready({ last }: ChainHead, body: ReceiptBody): boolean {
  if (last === undefined) return false;
  const said = body.arrived === undefined ? withoutArrived(last.receipt) : last.receipt;
  return factsOf(said) === factsOf(body);
}

/** The release that a receipt is to name. @throws DeliverError E_NOTHING_INSTALLED */
export function chosenRecord(records: readonly ReleaseRecord[], release?: string): ReceiptBody['release'] {
  const { name, version, root } = chosen(records.flatMap(entryOf), release);
  return { name, version, root };
}

function entryOf({ name, version, root, status, installedAt, trust }: ReleaseRecord): Installed[] {
  // What is half installed has not wholly arrived.
  if (status !== 'installed' || !isDigest(root)) return [];
  const { signers: verifiedBy = [], accepted } = trust ?? {};
  return [{ name, version, root, installedAt, verifiedBy: [...verifiedBy], ...(accepted === undefined ? {} : { accepted }) }];
}

function chosen(installed: readonly Installed[], release: string | undefined): Installed {
  const [found] = installed
    .filter(({ name }) => release === undefined || name === release)
    .sort((a, b) => (a.installedAt < b.installedAt ? 1 : -1));
  if (found !== undefined) return found;
  throw new DeliverError('E_NOTHING_INSTALLED', {
    what:
      release === undefined ? 'No release is wholly installed on this site.' : `${release} is not wholly installed on this site.`,
    fix: 'deliver status shows what is there; finish the install first.',
    state: 'No receipt was written.',
  });
}

function withoutArrived({ arrived: _, ...receipt }: ReceiptBody): ReceiptBody {
  return receipt;
}

function factsOf({ site, release, installed, arrived }: ReceiptBody): string {
  return canonicalJson({ site, release, installed, ...(arrived === undefined ? {} : { arrived }) });
}
