import type { Report } from '../core/report.ts';

/** Counts what a push does, and tells a report about the bytes. */
export class PushProgress {
  readonly #report: Report;
  #total: number;
  #done = 0;
  #inFlight = 0;
  #pushedBlobs = 0;
  #pushedBytes = 0;
  #mountedBlobs = 0;

  /** @param total bytes that are to be sent */
  constructor(report: Report, total: number) {
    this.#report = report;
    this.#total = total;
  }

  get counts(): { pushedBlobs: number; pushedBytes: number; mountedBlobs: number } {
    return { pushedBlobs: this.#pushedBlobs, pushedBytes: this.#pushedBytes, mountedBlobs: this.#mountedBlobs };
  }

  begun(): void {
    this.#inFlight++;
    this.#tell();
  }

  ended(): void {
    this.#inFlight--;
  }

  /** @param bytes handed to a connection; negative when an upload starts again */
  sent(bytes: number): void {
    this.#done += bytes;
    this.#tell();
  }

  /** More must be sent than was thought. */
  more(bytes: number): void {
    this.#total += bytes;
  }

  pushed(size: number): void {
    this.#pushedBlobs++;
    this.#pushedBytes += size;
  }

  mounted(): void {
    this.#mountedBlobs++;
  }

  #tell(): void {
    const detail = `${String(this.#inFlight)} ${this.#inFlight === 1 ? 'blob' : 'blobs'} in flight`;
    this.#report.progress({ done: this.#done, total: this.#total, unit: 'bytes', detail });
  }
}
