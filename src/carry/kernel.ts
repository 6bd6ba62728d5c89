import { multiply, type Matrix } from './galois.ts';
import { KERNEL_STEP, KERNEL_WIDTHS, kernelModule, TABLE_SIZE } from './kernel-module.ts';

const PAGE = 64 * 1024;
/** Keeps the same byte of neighbouring rows out of the same cache set. */
const SKEW = 192;

type Kernel = (
  out: number,
  outStride: number,
  input: number,
  inputStride: number,
  count: number,
  tables: number,
  length: number,
) => void;

/** Multiplies a matrix over GF(2^8) with rows of bytes: outputs[k] = Σ matrix[k][i] × inputs[i]. */
export class MatrixKernel {
  readonly #memory: WebAssembly.Memory;
  readonly #kernels: ReadonlyMap<number, Kernel>;
  readonly #stride: number;
  readonly #rowBytes: number;
  readonly #inputs: number;
  readonly #bankSize: number;
  readonly #banksAt: number;
  #plan: readonly { readonly width: number; readonly first: number; readonly tables: number }[] = [];

  /**
   * @param rowBytes of the longest row; a multiple of 32
   * @param banks sets of rows: one can be filled while another is multiplied
   */
  constructor(inputs: number, outputs: number, rowBytes: number, banks = 1) {
    if (rowBytes % KERNEL_STEP !== 0) throw new RangeError('the kernel takes 32 bytes at once');
    this.#inputs = inputs;
    this.#rowBytes = rowBytes;
    this.#stride = rowBytes + SKEW;
    this.#bankSize = (inputs + outputs) * this.#stride;
    this.#banksAt = Math.ceil((inputs * outputs * TABLE_SIZE) / 4096) * 4096;
    const pages = Math.ceil((this.#banksAt + banks * this.#bankSize) / PAGE) + 1;
    this.#memory = new WebAssembly.Memory({ initial: pages, maximum: pages, shared: true });
    const instance = new WebAssembly.Instance(new WebAssembly.Module(kernelModule(pages)), { m: { m: this.#memory } });
    this.#kernels = new Map(KERNEL_WIDTHS.map((width) => [width, instance.exports[`w${String(width)}`] as Kernel]));
  }

  /** The memory of a row to multiply; what is shorter than the row has to be filled with zeros. */
  input(bank: number, index: number): Uint8Array {
    return new Uint8Array(this.#memory.buffer, this.#at(bank, index), this.#rowBytes);
  }

  /** The memory of a product. */
  output(bank: number, index: number): Uint8Array {
    return this.input(bank, this.#inputs + index);
  }

  /** Sets the matrix: one row per output, one column per input; no more than there is memory for. */
  use(matrix: Matrix): void {
    const all = new Uint8Array(this.#memory.buffer, 0, this.#banksAt);
    const plan: { width: number; first: number; tables: number }[] = [];
    let tables = 0;
    for (let first = 0; first < matrix.length;) {
      const width = KERNEL_WIDTHS.find((candidate) => candidate <= matrix.length - first) ?? 1;
      plan.push({ width, first, tables });
      for (let input = 0; input < this.#inputs; input++) {
        for (let output = first; output < first + width; output++, tables += TABLE_SIZE)
          all.set(nibbleTables(matrix[output]?.[input] ?? 0), tables);
      }
      first += width;
    }
    this.#plan = plan;
  }

  /** @param length bytes of every row that count */
  run(bank: number, length: number): void {
    const inputs = this.#at(bank, 0);
    for (const { width, first, tables } of this.#plan) {
      const out = this.#at(bank, this.#inputs + first);
      const whole = Math.ceil(length / KERNEL_STEP) * KERNEL_STEP;
      this.#kernels.get(width)?.(out, this.#stride, inputs, this.#stride, this.#inputs, tables, whole);
    }
  }

  #at(bank: number, row: number): number {
    return this.#banksAt + bank * this.#bankSize + row * this.#stride;
  }
}

/** Products of one coefficient with 0…15 and with 0, 16, 32 … 240. */
function nibbleTables(coefficient: number): Uint8Array {
  return Uint8Array.from({ length: TABLE_SIZE }, (_, index) => multiply(coefficient, index < 16 ? index : (index - 16) << 4));
}
