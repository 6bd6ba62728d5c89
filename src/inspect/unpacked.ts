import { constants, createGunzip, createZstdDecompress } from 'node:zlib';
import { bytesText } from '../core/amounts.ts';
import { inflated, PIECE } from './inflate.ts';
import { BadLayer } from './layer-members.ts';

/** When a layer counts as a decompression bomb. */
export interface UnpackLimits {
  /** Unpacked bytes that nobody minds, whatever the ratio. */
  readonly free: number;
  /** Above that, unpacked bytes per packed byte. */
  readonly ratio: number;
  /** Unpacked bytes of one layer, whatever the ratio. */
  readonly most: number;
}

export const UNPACK_LIMITS: UnpackLimits = { free: 512 * 1024 ** 2, ratio: 200, most: 64 * 1024 ** 3 };

/**
 * Of a zstd frame, as a power of two: 32 MiB. The levels up to 19 need 8 MiB; a frame may ask for gigabytes.
 */
const LARGEST_WINDOW = 25;

/** The tar of a layer, out of its compression. @throws BadLayer for a bomb or an unknown compression */
export async function* unpacked(
  packed: AsyncIterable<Uint8Array>,
  mediaType: string,
  limits: UnpackLimits,
): AsyncGenerator<Uint8Array> {
  let before = 0;
  let after = 0;
  const counted = async function* (): AsyncGenerator<Uint8Array> {
    for await (const chunk of packed) {
      before += chunk.byteLength;
      yield chunk;
    }
  };
  for await (const chunk of decompressed(counted(), mediaType)) {
    after += chunk.byteLength;
    if (after > limits.most || (after > limits.free && after > before * limits.ratio))
      throw new BadLayer(`it unpacks ${bytesText(before)} to more than ${bytesText(after)}: a decompression bomb, not read on`);
    yield chunk;
  }
}

async function* decompressed(bytes: AsyncGenerator<Uint8Array>, mediaType: string): AsyncGenerator<Uint8Array> {
  // What lies there counts, not what the media type says: registries have both gzip and plain tars as “tar.gzip”.
  const first = await bytes.next();
  if (first.done === true) return;
  const all = async function* (): AsyncGenerator<Uint8Array> {
    yield first.value;
    yield* bytes;
  };
  const decompressor = decompressorFor(first.value, mediaType);
  yield* decompressor === undefined ? all() : inflated(all(), decompressor);
}

function decompressorFor(head: Uint8Array, mediaType: string) {
  const magic = Buffer.from(head.subarray(0, 4)).toString('hex');
  if (magic.startsWith('1f8b')) return createGunzip({ chunkSize: PIECE });
  if (magic === '28b52ffd' || mediaType.endsWith('zstd'))
    return createZstdDecompress({ chunkSize: PIECE, params: { [constants.ZSTD_d_windowLogMax]: LARGEST_WINDOW } });
  return undefined;
}
