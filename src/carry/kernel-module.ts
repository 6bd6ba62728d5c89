// The WebAssembly module that multiplies a matrix over GF(2^8) with rows of bytes, put together byte by byte: no native
// toolchain is needed to build deliver, and the bytes are always the same. Opcodes: WebAssembly core specification 2.0.

/** Bytes of one vector, and of one nibble table. */
const LANES = 16;
/** Bytes that one turn of the loop takes of every input: two vectors, so that a table that was loaded serves twice. */
export const KERNEL_STEP = 2 * LANES;
/** How many outputs one pass over the inputs can make; the more, the fewer passes. */
export const KERNEL_WIDTHS = [4, 2, 1] as const;
/** Bytes of tables for one coefficient: products with the low nibble, then with the high one. */
export const TABLE_SIZE = 2 * LANES;

const I32 = 0x7f;
const V128 = 0x7b;
const END = 0x0b;
const ADD = 0x6a;
const SUB = 0x6b;
const LESS = 0x49;
/** Parameters of a kernel, in their order, then its own variables. */
const [OUT, OUT_STRIDE, IN, IN_STRIDE, COUNT, TABLES, LENGTH, POSITION, LEFT, SOURCE, TABLE, TARGET] = Array.from(
  { length: 12 },
  (_, index) => index,
) as [number, number, number, number, number, number, number, number, number, number, number, number];
const PARAMETERS = 7;
const LOW = [12, 13] as const;
const HIGH = [14, 15] as const;
const PRODUCT = 16;
const FIRST_SUM = 17;

/** The module: imports `m.m` (a shared memory), exports `w1`, `w2`, `w4` (out, outStride, in, inStride, count, tables, length). */
export function kernelModule(mostPages: number): Uint8Array {
  const type = [0x60, PARAMETERS, ...Array.from({ length: PARAMETERS }, () => I32), 0];
  const memory = [...name('m'), ...name('m'), 0x02, 0x03, ...unsigned(1), ...unsigned(mostPages)];
  return Uint8Array.from([
    ...[0, 0x61, 0x73, 0x6d, 1, 0, 0, 0],
    ...section(1, [type]),
    ...section(2, [memory]),
    ...section(
      3,
      KERNEL_WIDTHS.map(() => [0]),
    ),
    ...section(
      7,
      KERNEL_WIDTHS.map((width, index) => [...name(`w${String(width)}`), 0, index]),
    ),
    ...section(
      10,
      KERNEL_WIDTHS.map((width) => sized(kernel(width))),
    ),
  ]);
}

/** for POSITION: sums = 0; for every input: sums[k] ^= table[k][nibbles of input]; outputs[k] = sums[k]. */
function kernel(width: number): readonly number[] {
  const outputs = Array.from({ length: width }, (_, index) => index);
  const halves = [0, 1] as const;
  const sum = (output: number, half: number): number => FIRST_SUM + 2 * output + half;
  const integers = TARGET - PARAMETERS + 1;
  const vectors = FIRST_SUM + 2 * width - LOW[0];
  const one = (output: number, half: 0 | 1): readonly number[] => [
    ...[...get(TABLE), ...load(output * TABLE_SIZE), ...get(LOW[half]), ...SWIZZLE],
    ...[...get(TABLE), ...load(output * TABLE_SIZE + LANES), ...get(HIGH[half]), ...SWIZZLE],
    ...[...XOR, ...set(PRODUCT), ...get(sum(output, half)), ...get(PRODUCT), ...XOR, ...set(sum(output, half))],
  ];
  const nibbles = (half: 0 | 1): readonly number[] => [
    ...[...get(SOURCE), ...load(half * LANES), ...tee(HIGH[half]), ...constant(0x0f), ...AND, ...set(LOW[half])],
    ...[...get(HIGH[half]), ...integer(4), ...SHIFT, ...set(HIGH[half])],
  ];
  const inputs = [
    ...halves.flatMap(nibbles),
    ...outputs.flatMap((output) => halves.flatMap((half) => one(output, half))),
    ...[...get(SOURCE), ...get(IN_STRIDE), ADD, ...set(SOURCE)],
    ...[...get(TABLE), ...integer(width * TABLE_SIZE), ADD, ...set(TABLE)],
    ...[...get(LEFT), ...integer(1), SUB, ...tee(LEFT)],
  ];
  const store = (output: number): readonly number[] => [
    ...halves.flatMap((half) => [...get(TARGET), ...get(sum(output, half)), 0xfd, 0x0b, 0, ...unsigned(half * LANES)]),
    ...[...get(TARGET), ...get(OUT_STRIDE), ADD, ...set(TARGET)],
  ];
  const positions = [
    ...outputs.flatMap((output) => halves.flatMap((half) => [...constant(0), ...set(sum(output, half))])),
    ...[...get(COUNT), ...set(LEFT), ...get(TABLES), ...set(TABLE)],
    ...[...get(IN), ...get(POSITION), ADD, ...set(SOURCE)],
    ...loop(inputs),
    ...[...get(OUT), ...get(POSITION), ADD, ...set(TARGET)],
    ...outputs.flatMap(store),
    ...[...get(POSITION), ...integer(KERNEL_STEP), ADD, ...tee(POSITION), ...get(LENGTH), LESS],
  ];
  return [2, ...[integers, I32], ...[vectors, V128], ...loop(positions), END];
}

const SWIZZLE = [0xfd, 0x0e];
const AND = [0xfd, 0x4e];
const XOR = [0xfd, 0x51];
const SHIFT = [0xfd, 0x6d];

/** Runs `body` again as long as it leaves something other than 0. */
function loop(body: readonly number[]): readonly number[] {
  return [0x03, 0x40, ...body, 0x0d, 0, END];
}

function get(variable: number): readonly number[] {
  return [0x20, variable];
}

function set(variable: number): readonly number[] {
  return [0x21, variable];
}

function tee(variable: number): readonly number[] {
  return [0x22, variable];
}

function load(offset: number): readonly number[] {
  return [0xfd, 0x00, 0, ...unsigned(offset)];
}

/** A vector of the same byte 16 times. */
function constant(byte: number): readonly number[] {
  return [0xfd, 0x0c, ...Array.from({ length: LANES }, () => byte)];
}

/** @param value 0 to 8191 */
function integer(value: number): readonly number[] {
  return value < 64 ? [0x41, value] : [0x41, (value & 0x7f) | 0x80, value >> 7];
}

function unsigned(value: number): readonly number[] {
  return value < 128 ? [value] : [(value & 0x7f) | 0x80, ...unsigned(value >>> 7)];
}

function section(id: number, items: readonly (readonly number[])[]): readonly number[] {
  return [id, ...sized([...unsigned(items.length), ...items.flat()])];
}

function sized(bytes: readonly number[]): readonly number[] {
  return [...unsigned(bytes.length), ...bytes];
}

function name(text: string): readonly number[] {
  return sized([...Buffer.from(text)]);
}
