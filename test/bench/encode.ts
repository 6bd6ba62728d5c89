/** Parity of 20 + 4 volumes in memory, on one thread, for that many bytes of data: `encode.ts BYTES` */
import { randomFillSync } from 'node:crypto';
import { cauchy } from '../../src/carry/galois.ts';
import { MatrixKernel } from '../../src/carry/kernel.ts';

const [DATA, PARITY, ROW] = [20, 4, 64 * 1024];
const kernel = new MatrixKernel(DATA, PARITY, ROW);
for (let index = 0; index < DATA; index++) kernel.input(0, index).set(randomFillSync(Buffer.alloc(ROW)));
kernel.use(cauchy(PARITY, DATA));
for (let left = Number(process.argv[2]); left > 0; left -= DATA * ROW) kernel.run(0, ROW);
