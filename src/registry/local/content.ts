/** Named content that lies still: the members of a tar, or the files of a folder. Read in place, never unpacked. */
export interface LocalContent {
  /** As the release names it, for messages: `docker-archive:./gatekeeper.tar`. */
  readonly where: string;
  /** Every file in it, folders left out; for a folder only what its top has. */
  readonly names: readonly string[];
  /** Bytes, undefined when there is no such file. */
  size(name: string): Promise<number | undefined>;
  /** From `start`, `length` bytes or all that is left. A chunk is good until the next but one is asked for. */
  read(name: string, range?: ContentRange): AsyncIterable<Uint8Array>;
  close(): Promise<void>;
}

export interface ContentRange {
  readonly start?: number;
  readonly length?: number;
  readonly signal?: AbortSignal | undefined;
}

/** A small file as a whole. @throws RangeError past `limit` bytes; undefined when there is none */
export async function readSmall(content: LocalContent, name: string, limit: number): Promise<Buffer | undefined> {
  const size = await content.size(name);
  if (size === undefined) return undefined;
  if (size > limit) throw new RangeError(`${name} has ${String(size)} bytes`);
  const chunks: Buffer[] = [];
  for await (const chunk of content.read(name)) chunks.push(Buffer.from(chunk));
  return Buffer.concat(chunks);
}
