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

/** What another thread needs to work in the same memory. */
export interface KernelShare {
  readonly memory: WebAssembly.Memory;
  readonly inputs: number;
  readonly outputs: number;
  readonly rowBytes: number;
  readonly banks: number;
}

/** Multiplies a matrix over GF(2^8) with rows of bytes: outputs[k] = Σ matrix[k][i] × inputs[i]. */
export class MatrixKernel {
  readonly #memory: WebAssembly.Memory;
  readonly #kernels: ReadonlyMap<number, Kernel>;
  readonly #stride: number;
  readonly #rowBytes: number;
  readonly #inputs: number;
  readonly #bankSize: number;
  readonly #banksAt: number;
  /** For `MatrixKernel.of` in other threads. */
  readonly share: KernelShare;
  #plan: readonly Pass[];

  /**
   * @param rowBytes of the longest row; a multiple of 32
   * @param banks sets of rows: one can be filled while another is multiplied
   * @param memory of a kernel of the same measures
   */
  constructor(inputs: number, outputs: number, rowBytes: number, banks = 1, memory?: WebAssembly.Memory) {
    if (rowBytes % KERNEL_STEP !== 0) throw new RangeError('the kernel takes 32 bytes at once');
    this.#inputs = inputs;
    this.#rowBytes = rowBytes;
    this.#stride = rowBytes + SKEW;
    this.#bankSize = (inputs + outputs) * this.#stride;
    this.#banksAt = Math.ceil((inputs * outputs * TABLE_SIZE) / 4096) * 4096;
    const pages = Math.ceil((this.#banksAt + banks * this.#bankSize) / PAGE) + 1;
    this.#memory = memory ?? new WebAssembly.Memory({ initial: pages, maximum: pages, shared: true });
    this.share = { memory: this.#memory, inputs, outputs, rowBytes, banks };
    this.#plan = passes(inputs, outputs);
    const instance = new WebAssembly.Instance(new WebAssembly.Module(kernelModule(pages)), { m: { m: this.#memory } });
    this.#kernels = new Map(KERNEL_WIDTHS.map((width) => [width, instance.exports[`w${String(width)}`] as Kernel]));
  }

  /** The same kernel in another thread; the matrix is the one that was set there, for all outputs. */
  static of({ memory, inputs, outputs, rowBytes, banks }: KernelShare): MatrixKernel {
    return new MatrixKernel(inputs, outputs, rowBytes, banks, memory);
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
    this.#plan = passes(this.#inputs, matrix.length);
    for (const { width, first, tables } of this.#plan) {
      for (let input = 0; input < this.#inputs; input++) {
        for (let output = 0; output < width; output++)
          all.set(nibbleTables(matrix[first + output]?.[input] ?? 0), tables + (input * width + output) * TABLE_SIZE);
      }
    }
  }

  /**
   * @param length bytes of every row that count
   * @param from the first of them, a multiple of 32: threads share a row
   */
  run(bank: number, length: number, from = 0): void {
    const inputs = this.#at(bank, 0) + from;
    for (const { width, first, tables } of this.#plan) {
      const out = this.#at(bank, this.#inputs + first) + from;
      const whole = Math.ceil(length / KERNEL_STEP) * KERNEL_STEP;
      this.#kernels.get(width)?.(out, this.#stride, inputs, this.#stride, this.#inputs, tables, whole);
    }
  }

  #at(bank: number, row: number): number {
    return this.#banksAt + bank * this.#bankSize + row * this.#stride;
  }
}

/** One walk over the inputs, which makes `width` outputs from `first` on; `tables` is where its coefficients lie. */
interface Pass {
  readonly width: number;
  readonly first: number;
  readonly tables: number;
}

function passes(inputs: number, outputs: number): readonly Pass[] {
  const plan: Pass[] = [];
  for (let first = 0; first < outputs;) {
    const width = KERNEL_WIDTHS.find((candidate) => candidate <= outputs - first) ?? 1;
    plan.push({ width, first, tables: first * inputs * TABLE_SIZE });
    first += width;
  }
  return plan;
}

/** Products of one coefficient with 0…15 and with 0, 16, 32 … 240. */
function nibbleTables(coefficient: number): Uint8Array {
  return Uint8Array.from({ length: TABLE_SIZE }, (_, index) => multiply(coefficient, index < 16 ? index : (index - 16) << 4));
}
