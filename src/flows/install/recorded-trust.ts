import { signerText, type Trust } from '../../bundle/signature/trust.ts';
import type { RecordedTrust } from '../../cluster/record.ts';

/** What the release record keeps of a judgement: who signed, and what was accepted with --allow-unsigned. */
export function recordedTrust({ signers, accepted }: Trust): RecordedTrust {
  return { signers: signers.map(signerText), ...(accepted === undefined ? {} : { accepted }) };
}
