import { createHash } from 'node:crypto';
import type { Segment, MappedPart } from './part-map.ts';
import { writeKnown } from './part-map.ts';
import { PartBuffers } from './part-buffers.ts';
import type { SentContent } from './upload-journal.ts';

/** Brings a part to its place; the memory is used again when it is done. */
export type SendPart = (part: MappedPart, bytes: Buffer, content: SentContent) => Promise<void>;

interface OpenPart {
  readonly buffer: Buffer;
  readonly hashes: string[];
  filled: number;
}

/** Puts parts together from segments that arrive in any order, and sends each as soon as it is whole. */
export class PartAssembler {
  readonly #buffers: PartBuffers;
  readonly #send: SendPart;
  readonly #open = new Map<number, Promise<OpenPart>>();
  readonly #sending = new Set<Promise<void>>();
  #failure: { readonly reason: unknown } | undefined;

  /** @param most parts in memory; two for each blob in flight, and two more, are always enough to go on */
  constructor(partSize: number, most: number, send: SendPart) {
    this.#buffers = new PartBuffers(partSize, most);
    this.#send = send;
  }

  /** Where the bytes of a segment go. */
  async target({ part, offset, size }: Segment): Promise<Buffer> {
    const { buffer } = await this.#part(part);
    return buffer.subarray(offset, offset + size);
  }

  /** The segment is filled; the last of its part sends it, without waiting until it has arrived. */
  async filled({ part, index }: Segment, sha256: string): Promise<void> {
    const open = await this.#part(part);
    open.hashes[index] = sha256;
    open.filled += 1;
    if (open.filled === part.segments) this.#dispatch(part, open);
  }

  /** A part that needs nothing to be fetched. */
  async known(part: MappedPart): Promise<void> {
    this.#dispatch(part, await this.#part(part));
  }

  /** Until every part that is whole has arrived. */
  async settled(): Promise<void> {
    while (this.#sending.size > 0) await Promise.all(this.#sending);
    if (this.#failure !== undefined) throw this.#failure.reason;
  }

  fail(reason: unknown): void {
    this.#failure ??= { reason };
    this.#buffers.fail(reason);
  }

  async #part(part: MappedPart): Promise<OpenPart> {
    if (this.#failure !== undefined) throw this.#failure.reason;
    const open = this.#open.get(part.number) ?? this.#begin(part);
    this.#open.set(part.number, open);
    return open;
  }

  async #begin(part: MappedPart): Promise<OpenPart> {
    const buffer = await this.#buffers.take();
    writeKnown(part, buffer.subarray(0, part.size));
    return { buffer, hashes: [], filled: 0 };
  }

  #dispatch(part: MappedPart, { buffer, hashes }: OpenPart): void {
    this.#open.delete(part.number);
    const bytes = buffer.subarray(0, part.size);
    const sha256 = createHash('sha256').update(bytes).digest('base64');
    const sending = this.#send(part, bytes, { sha256, segments: hashes })
      .then(
        () => {
          this.#buffers.giveBack(buffer);
        },
        (error: unknown) => {
          this.fail(error);
        },
      )
      .finally(() => this.#sending.delete(sending));
    this.#sending.add(sending);
  }
}
