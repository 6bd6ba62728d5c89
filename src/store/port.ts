import type { Digest } from '../core/digest.ts';

/** A file that a release names by path or URL. */
export interface FileSource {
  /** Size in bytes and digest of the whole file: read once. */
  measure(location: string, signal?: AbortSignal): Promise<{ readonly digest: Digest; readonly size: number }>;
  /** Its bytes, not yet verified. A chunk is good until the next one is asked for. */
  open(location: string, signal?: AbortSignal): Promise<AsyncIterable<Uint8Array>>;
}

/** An object of a bucket, as a listing or a HEAD tells it. */
export interface StoredObject {
  readonly key: string;
  /** Bytes. */
  readonly size: number;
  /** Changes whenever the object is written anew. */
  readonly etag: string;
  /** When it was written, by the clock of the store. */
  readonly modified: Date;
}

/** What is known of one object that was asked for by name. */
export interface StoredHead extends StoredObject {
  readonly metadata: Readonly<Record<string, string>>;
  /** Base64, of the whole object or `…-N` of its parts' checksums; absent where the store keeps none. */
  readonly sha256?: string;
}

/** One bucket of an object store. Keys are whole, without the bucket's name. @throws DeliverError E_STORE* from every method */
export interface ObjectStore {
  /** `s3://bucket/key` for messages. */
  nameOf(key: string): string;
  head(key: string, signal?: AbortSignal): Promise<StoredHead | undefined>;
  /** A range, or all of it; refused when the object is no longer the one with this etag. A chunk is good until the next is asked for. */
  read(key: string, what: ObjectRange, signal?: AbortSignal): Promise<AsyncIterable<Uint8Array>>;
  /** An object small enough for memory. */
  put(key: string, bytes: Uint8Array, metadata?: Readonly<Record<string, string>>, signal?: AbortSignal): Promise<void>;
  list(prefix: string, signal?: AbortSignal): AsyncIterable<StoredObject>;
  remove(keys: readonly string[], signal?: AbortSignal): Promise<void>;
  readonly uploads: PartialUploads;
}

export interface ObjectRange {
  readonly etag?: string;
  /** Absent: the whole object. */
  readonly offset?: number;
  /** Of the range; without an offset, what the object is expected to have. Small ones are read with less effort. */
  readonly size?: number;
}

/** Objects that are sent in parts and appear when they are completed. */
export interface PartialUploads {
  /** The newest upload of this key that was begun and not ended, with the parts that arrived. */
  find(key: string, signal?: AbortSignal): Promise<{ readonly id: string; readonly parts: readonly SentPart[] } | undefined>;
  /** The parts of an upload that arrived; undefined when it is no longer there. */
  parts(upload: UploadName, signal?: AbortSignal): Promise<readonly SentPart[] | undefined>;
  begin(key: string, metadata: Readonly<Record<string, string>>, signal?: AbortSignal): Promise<BegunUpload>;
  send(upload: UploadName, part: OutgoingPart, signal?: AbortSignal): Promise<SentPart>;
  complete(upload: UploadName, parts: readonly SentPart[], signal?: AbortSignal): Promise<void>;
  abort(upload: UploadName, signal?: AbortSignal): Promise<void>;
}

export interface UploadName {
  readonly key: string;
  readonly id: string;
}

export interface BegunUpload {
  readonly id: string;
  /** Whether the store will say the checksum of the parts' checksums of the whole object. */
  readonly keepsSha256: boolean;
}

export interface OutgoingPart {
  /** From 1. */
  readonly number: number;
  readonly bytes: Uint8Array;
  /** Base64; the store refuses other bytes, where it knows this checksum. */
  readonly sha256: string;
}

export interface SentPart {
  readonly number: number;
  readonly size: number;
  readonly etag: string;
  /** Base64; absent where the store keeps none. */
  readonly sha256?: string;
}
