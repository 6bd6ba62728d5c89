/** A small seeded generator (mulberry32), so that a failing run can be repeated: E2E_SEED=… */
export function seeded(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

/** The seed of this run; a new one each day unless E2E_SEED names it. */
export const SEED = Number(process.env['E2E_SEED'] ?? Math.floor(Date.now() / 86_400_000));
