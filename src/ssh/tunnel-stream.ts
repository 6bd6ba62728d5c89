import { Duplex } from 'node:stream';
import type { Channel } from 'ssh2';

/**
 * A forwarded connection as an ordinary stream. ssh2's channel is not one: it never calls back a write that the other
 * side cut off, and its destroy() drops the error. The socket settings that HTTP and TLS clients touch do nothing here.
 */
export class TunnelStream extends Duplex {
  readonly #channel: Channel;
  #channelClosed = false;
  #pendingWrite: ((error?: Error) => void) | undefined;

  constructor(channel: Channel) {
    super({ allowHalfOpen: false });
    this.#channel = channel;
    if ('resume' in channel.stderr) channel.stderr.resume();
    channel.on('data', (chunk: Buffer) => {
      if (!this.push(chunk)) channel.pause();
    });
    channel.on('end', () => this.push(null));
    channel.on('error', (error: Error) => this.destroy(error));
    channel.on('close', () => {
      this.#onChannelClose();
    });
  }

  setKeepAlive(): this {
    return this;
  }

  setNoDelay(): this {
    return this;
  }

  setTimeout(): this {
    return this;
  }

  ref(): this {
    return this;
  }

  unref(): this {
    return this;
  }

  override _read(): void {
    this.#channel.resume();
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, callback: (error?: Error | null) => void): void {
    if (this.#channelClosed) {
      callback(cutOff());
      return;
    }
    this.#pendingWrite = callback;
    this.#channel.write(chunk, () => {
      if (this.#pendingWrite !== callback) return;
      this.#pendingWrite = undefined;
      callback();
    });
  }

  override _final(callback: (error?: Error | null) => void): void {
    if (!this.#channelClosed) this.#channel.end();
    callback();
  }

  override _destroy(error: Error | null, callback: (error?: Error | null) => void): void {
    if (!this.#channelClosed) this.#channel.destroy();
    callback(error);
  }

  #onChannelClose(): void {
    this.#channelClosed = true;
    const pending = this.#pendingWrite;
    this.#pendingWrite = undefined;
    if (pending !== undefined) pending(cutOff());
    else this.end();
  }
}

function cutOff(): Error {
  return Object.assign(new Error('the connection was closed by the other side'), { code: 'ECONNRESET' });
}
