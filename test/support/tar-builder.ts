import { encodeTarHeader, paddedSize, TAR_BLOCK } from '../../src/core/tar-header.ts';

/** One member of a hand-made archive, proper or hostile. */
export interface RawMember {
  readonly name: string;
  readonly content?: Uint8Array;
  /** Type flag, `0` when absent. */
  readonly type?: string;
  readonly linkName?: string;
  /** What the header says; the size of the content when absent. */
  readonly size?: number;
  /** Changes the finished header before its checksum is made again. */
  readonly change?: (header: Buffer) => void;
}

/** Header, content and padding. */
export function tarMember({ name, content = new Uint8Array(), type, linkName, size, change }: RawMember): Buffer {
  const header = Buffer.from(encodeTarHeader('placeholder', size ?? content.byteLength));
  header.fill(0, 0, 100).write(name, 0, 100, 'utf8');
  if (type !== undefined) header.write(type, 156, 'latin1');
  if (linkName !== undefined) header.write(linkName, 157, 'utf8');
  change?.(header);
  const padding = Buffer.alloc(paddedSize(content.byteLength) - content.byteLength);
  return Buffer.concat([withChecksum(header), content, padding]);
}

export function tarOf(members: readonly Uint8Array[], end: Uint8Array = Buffer.alloc(2 * TAR_BLOCK)): Buffer {
  return Buffer.concat([...members, end]);
}

export function withChecksum(header: Buffer): Buffer {
  header.fill(' ', 148, 156);
  const sum = header.reduce((total, byte) => total + byte, 0);
  header.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148, 'latin1');
  return header;
}
