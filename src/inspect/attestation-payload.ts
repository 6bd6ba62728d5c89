import { z } from 'zod';
import { excerpt, messageOf } from '../core/errors.ts';
import { packagesOfBom, type AttestedPackage } from './attested-packages.ts';

/** What an attestation says, as far as it is read. */
export interface Payload {
  /** There are signatures; nothing here checks them. Absent where it was not looked into. */
  readonly signed?: boolean;
  readonly predicateType?: string;
  /** SHA-256 (hex) of what the statement says it is about; absent when it is no statement. */
  readonly subjects?: readonly string[];
  readonly bom?: { readonly format: 'CycloneDX' | 'SPDX'; readonly packages: readonly AttestedPackage[] };
  /** Why it was not read. */
  readonly problem?: string;
}

/** Bytes (4 MiB) that are read of an attestation: parsed it takes some 14 times that, and all of `inspect` stays below 200 MB. */
export const MOST_PAYLOAD = 4 * 1024 * 1024;

const Envelope = z.object({ payloadType: z.string(), payload: z.string(), signatures: z.array(z.unknown()) });
const Sigstore = z.object({ dsseEnvelope: Envelope });
const Statement = z.object({
  _type: z.string().startsWith('https://in-toto.io/Statement/'),
  predicateType: z.string(),
  predicate: z.unknown(),
  subject: z.array(z.object({ digest: z.record(z.string(), z.string()).catch({}) })).catch([]),
});

/**
 * Reads an in-toto statement (plain, in a DSSE envelope or a sigstore bundle) or a bill of materials as it is. Signatures are
 * counted, not checked.
 */
export function readPayload(bytes: Uint8Array): Payload {
  let signed = false;
  try {
    let document: unknown = JSON.parse(Buffer.from(bytes).toString('utf8'));
    const envelope = Envelope.safeParse(document).data ?? Sigstore.safeParse(document).data?.dsseEnvelope;
    if (envelope !== undefined) {
      signed = envelope.signatures.length > 0;
      document = JSON.parse(Buffer.from(envelope.payload, 'base64').toString('utf8'));
    }
    const statement = Statement.safeParse(document).data;
    if (statement === undefined) return { signed, ...bomOf(document) };
    const { predicateType, predicate, subject } = statement;
    const subjects = subject.flatMap(({ digest }) => digest['sha256'] ?? []);
    return { signed, predicateType, subjects, ...bomOf(predicate) };
  } catch (error) {
    return { signed, problem: `it is not the JSON that it should be (${excerpt(messageOf(error), 80)})` };
  }
}

function bomOf(document: unknown): Pick<Payload, 'bom' | 'problem'> {
  const bom = packagesOfBom(document);
  if (bom === undefined) return {};
  return 'problem' in bom ? bom : { bom };
}
