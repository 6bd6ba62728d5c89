import type { Duplex } from 'node:stream';
import type { Digest } from '../core/digest.ts';
import type { SiteHost } from '../manifest/site-schema.ts';

export interface RunOptions {
  /** Bytes for the command's standard input. */
  readonly stdin?: string | Uint8Array;
  /** As root through sudo (the password goes through standard input, never argv). */
  readonly sudo?: boolean;
  /** Milliseconds; 60 000 when absent. */
  readonly timeout?: number;
  readonly signal?: AbortSignal;
}

export interface RunResult {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Content that is larger than memory should hold. */
export interface UploadSource {
  readonly digest: Digest;
  /** Bytes. */
  readonly size: number;
  /** The bytes from there to the end; they need not be verified, the host checks the whole. */
  open(from: number, signal?: AbortSignal): AsyncIterable<Uint8Array>;
}

export interface UploadOptions {
  /** 0o644 when absent. */
  readonly mode?: number;
  readonly signal?: AbortSignal;
  /** Called with every few bytes that were handed to the connection, and once with those that were there already. */
  readonly onBytes?: (count: number) => void;
}

/** A port of the host's loopback whose connections come here. */
export interface HostListener {
  readonly port: number;
  /** Takes no more connections and ends those that are open. */
  close(): Promise<void>;
}

/** One open connection to one host. */
export interface HostConnection {
  readonly host: SiteHost;
  /** Runs a POSIX shell command; a non-zero code is not an error here. @throws DeliverError E_SSH, E_SUDO */
  run(command: string, options?: RunOptions): Promise<RunResult>;
  /** Writes a file in one move (temporary name, then rename), parents made; as root when the host uses sudo. */
  writeFile(path: string, content: string | Uint8Array, mode?: number): Promise<void>;
  /** Content of a file, undefined when it is not there. */
  readFile(path: string): Promise<Uint8Array | undefined>;
  /**
   * Writes a large file: as `<path>.part`, its digest checked there, then moved in place; a part that a cut left behind is
   * gone on with. As root when the host uses sudo.
   * @throws DeliverError E_DIGEST, E_HOST, E_SSH, E_SUDO
   */
  upload(path: string, source: UploadSource, options?: UploadOptions): Promise<void>;
  /** A byte stream to host:port as seen from that host. */
  dial(address: string, port: number): Promise<Duplex>;
  /** A port on the host's 127.0.0.1, chosen there, that leads to a server here, until the connection ends. @throws DeliverError E_SSH */
  listen(to: { readonly address: string; readonly port: number }): Promise<HostListener>;
}

/** Opens connections, each host once, through its bastions, and checks host keys. */
export interface HostConnector {
  /** @throws DeliverError E_HOST_KEY, E_SSH_AUTH, E_SSH */
  connect(name: string, signal?: AbortSignal): Promise<HostConnection>;
  close(): Promise<void>;
}

/** Private keys that somebody else keeps and signs with: an ssh-agent. */
export interface KeyAgent {
  /** What signs with the private half of a key (SSH wire format); undefined when it is not there. @throws DeliverError E_SIGN_KEY */
  signerOf(publicKey: Buffer): Promise<((data: Buffer) => Promise<Buffer>) | undefined>;
}

/** A byte stream to an address, directly or through a tunnel. */
export type Dial = (address: string, port: number) => Promise<Duplex>;
