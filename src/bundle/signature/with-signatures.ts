import { z } from 'zod';
import { canonicalJson, type Json } from '../../core/canonical-json.ts';
import { DeliverError } from '../../core/errors.ts';
import { paddedSize, TAR_BLOCK } from '../../core/tar-header.ts';
import { plain } from '../artifact.ts';
import type { BundlePlan, PlannedMember } from '../plan.ts';
import { ROOM_SIZE, signatureRoom, type SignatureBlob } from './signature-room.ts';

/** The room of a bundle lies between the empty config and the content. */
const ROOM_OWNERS = new Set(['signature', 'room for signatures']);
const Index = z.looseObject({ manifests: z.array(z.looseObject({ digest: z.string() })) });

/**
 * The plan of the same bundle with other signatures: only index.json and the room differ, and neither changes its size.
 * @throws DeliverError E_BUNDLE when they do not fit
 */
export function withSignatures(plan: BundlePlan, signatures: readonly SignatureBlob[]): BundlePlan {
  const room = signatureRoom(plan.root, signatures);
  const from = plan.members.findIndex(isRoom);
  const start = plan.members[from]?.headerOffset;
  if (start === undefined) throw new DeliverError('E_BUG', { what: 'The plan of a bundle has no room for signatures.' });
  let at = start;
  const placed = room.members.map(({ name, content, descriptor }): PlannedMember => {
    const headerOffset = at;
    at += TAR_BLOCK + paddedSize(content.length);
    const owners = [descriptor === undefined ? 'room for signatures' : 'signature'];
    const pins = descriptor === undefined ? {} : { digest: descriptor.digest, mediaType: descriptor.mediaType };
    return { name, headerOffset, offset: headerOffset + TAR_BLOCK, size: content.length, content, owners, ...pins };
  });
  if (at !== start + ROOM_SIZE) throw new DeliverError('E_BUG', { what: 'The room for signatures is not filled exactly.' });
  const gone = new Set(plan.members.filter(isRoom).map(({ name }) => name));
  const added = room.manifests.map((manifest) => ({ ...plain(manifest), artifactType: manifest.artifactType }));
  const members = [...plan.members.slice(0, from), ...placed, ...plan.members.slice(from).filter((member) => !isRoom(member))];
  return {
    ...plan,
    signatures,
    members: members.map((member) => (member.name === 'index.json' ? reindexed(member, gone, added) : member)),
  };
}

function isRoom({ owners }: PlannedMember): boolean {
  return ROOM_OWNERS.has(owners[0] ?? '');
}

/** index.json with other signatures at its end, filled with spaces to the size that it has. */
function reindexed(member: PlannedMember, gone: ReadonlySet<string>, added: readonly object[]): PlannedMember {
  const index = Index.parse(JSON.parse(Buffer.from(member.content ?? []).toString('utf8')));
  const kept = index.manifests.filter(({ digest }) => !gone.has(`blobs/${digest.replace(':', '/')}`));
  const text = Buffer.from(canonicalJson({ ...index, manifests: [...kept, ...added] } as Json), 'utf8');
  if (text.length > member.size) {
    throw new DeliverError('E_BUNDLE', {
      what: 'The bundle has no room for another signature.',
      why: 'index.json would outgrow its place.',
    });
  }
  return { ...member, content: Buffer.concat([text, Buffer.alloc(member.size - text.length, ' ')]) };
}
