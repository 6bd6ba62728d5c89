import { createCipheriv, createHash } from 'node:crypto';

/** One image of the corpus: layers by seed and size, bases shared between images. */
export interface CorpusImage {
  readonly name: string;
  readonly layers: readonly { readonly seed: string; readonly size: number }[];
}

const MB = 1_000_000;
const BASES = [40, 60, 80, 100, 120];
/** Sizes of the layers that only one image has, MB. */
const OWN = [1, 2, 3, 5, 8, 10, 12, 15, 20, 25, 30, 40, 50, 60, 70, 80, 100, 120, 200, 400];

/** 20 images on five shared bases: incompressible layers of 1–400 MB; `scale` 1 is about 1.9 GB unique. */
export function corpus(scale = 1): readonly CorpusImage[] {
  return OWN.map((own, index) => ({
    name: `bench/image-${String(index).padStart(2, '0')}`,
    layers: [
      { seed: `base-${String(index % BASES.length)}`, size: Math.round((BASES[index % BASES.length] ?? 1) * MB * scale) },
      { seed: `own-${String(index)}`, size: Math.round(own * MB * scale) },
      { seed: `config-${String(index)}`, size: Math.round((5 + index) * MB * scale) },
    ],
  }));
}

/** Pseudo-random bytes that do not compress: AES-128-CTR over zeros, the same for the same seed. */
export function* layerBytes(seed: string, size: number): Generator<Buffer> {
  const key = createHash('sha256').update(seed).digest().subarray(0, 16);
  const cipher = createCipheriv('aes-128-ctr', key, Buffer.alloc(16));
  const zeros = Buffer.alloc(4 * 1024 * 1024);
  for (let left = size; left > 0; left -= zeros.length)
    yield cipher.update(left < zeros.length ? zeros.subarray(0, left) : zeros);
}
