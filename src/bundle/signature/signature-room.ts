import { hexOf } from '../../core/digest.ts';
import { DeliverError } from '../../core/errors.ts';
import { MEDIA, type Descriptor } from '../../core/oci.ts';
import { decodeTarHeader, paddedSize, TAR_BLOCK } from '../../core/tar-header.ts';
import { madeBlob, signatureManifest, type MadeBlob } from '../artifact.ts';

/** Bytes between the release and its content that hold signatures, and zeros where there are none yet. */
export const ROOM_SIZE = 32 * 1024;
const FILLER = 'deliver.room';

/** A signature that a bundle carries over its root, not yet judged. */
export interface SignatureBlob {
  /** Text over the bytes of the release manifest: an armored SSHSIG in namespace `deliver`, or a sigstore bundle (JSON). */
  readonly armored: string;
}

/** What kind of signature a text is. */
export function signatureKind(armored: string): 'sshsig' | 'sigstore' {
  return armored.startsWith('{') ? 'sigstore' : 'sshsig';
}

/** A member of the room before it has a place. */
export interface RoomMember {
  readonly name: string;
  readonly content: Uint8Array;
  /** Absent for the filler. */
  readonly descriptor?: Descriptor;
}

/**
 * The members of the signature room: for each signature its armored text and its manifest, then one filler that takes
 * exactly what is left. The manifests are what index.json lists.
 * @throws DeliverError E_BUNDLE when they do not fit
 */
export function signatureRoom(
  root: Descriptor,
  signatures: readonly SignatureBlob[],
): { members: readonly RoomMember[]; manifests: readonly Descriptor[] } {
  const pairs = signatures.map(({ armored }) => {
    const text = madeBlob(signatureKind(armored) === 'sigstore' ? MEDIA.sigstore : MEDIA.octets, armored);
    return { text, manifest: signatureManifest(root, text) };
  });
  const members = pairs.flatMap(({ text, manifest }) => [blobMember(text), blobMember(manifest)]);
  const used = members.reduce((sum, member) => sum + TAR_BLOCK + paddedSize(member.content.length), 0);
  const left = ROOM_SIZE - used;
  if (left < 0) {
    throw new DeliverError('E_BUNDLE', {
      what: 'The bundle has no room for another signature.',
      why: `${String(signatures.length)} signatures take ${String(used)} of ${String(ROOM_SIZE)} bytes.`,
    });
  }
  const filler = left === 0 ? [] : [{ name: FILLER, content: Buffer.alloc(left - TAR_BLOCK) }];
  return { members: [...members, ...filler], manifests: pairs.map(({ manifest }) => manifest.descriptor) };
}

/** The armored texts in the bytes of a room. What else the room holds is judged by comparing it with the room they give. */
export function readRoom(room: Uint8Array): readonly SignatureBlob[] {
  const texts: string[] = [];
  for (let at = 0, index = 0; at + TAR_BLOCK <= room.length; index++) {
    const header = decodeTarHeader(room.subarray(at, at + TAR_BLOCK));
    if ('problem' in header || header.name === FILLER) break;
    if (index % 2 === 0) texts.push(Buffer.from(room.subarray(at + TAR_BLOCK, at + TAR_BLOCK + header.size)).toString('utf8'));
    at += TAR_BLOCK + paddedSize(header.size);
  }
  return texts.map((armored) => ({ armored }));
}

function blobMember(blob: MadeBlob): RoomMember {
  return { name: `blobs/sha256/${hexOf(blob.descriptor.digest)}`, content: blob.bytes, descriptor: blob.descriptor };
}
