const UNITS: Readonly<Record<string, number>> = {
  '': 1,
  m: 1e-3,
  k: 1e3,
  M: 1e6,
  G: 1e9,
  T: 1e12,
  P: 1e15,
  E: 1e18,
  Ki: 2 ** 10,
  Mi: 2 ** 20,
  Gi: 2 ** 30,
  Ti: 2 ** 40,
  Pi: 2 ** 50,
  Ei: 2 ** 60,
};

/** Bytes of a Kubernetes quantity that a schema has checked: `100Gi`. */
export function bytesOfQuantity(quantity: string): number {
  const { number = '0', unit = '' } = /^(?<number>[\d.]+)(?<unit>[A-Za-z]*)$/.exec(quantity)?.groups ?? {};
  return Math.floor(Number(number) * (UNITS[unit] ?? 1));
}
