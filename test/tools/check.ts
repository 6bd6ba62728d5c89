// `npm run check`: everything that must be true before a push. The quick checks run together, the tests after them.
// `npm run check -- lint types` runs only those that are named.
import { execa } from 'execa';

interface Check {
  readonly name: string;
  readonly command: readonly [string, ...string[]];
  /** What to run when it fails, where that mends it. */
  readonly mend?: string;
}

const QUICK: readonly Check[] = [
  { name: 'types', command: ['tsc', '-p', 'tsconfig.json'] },
  { name: 'lint', command: ['eslint', '--max-warnings', '0', '.'] },
  { name: 'format', command: ['prettier', '--check', '--log-level', 'warn', '.'], mend: 'npm run format' },
  { name: 'layers', command: ['depcruise', '--config', 'layers.config.ts', 'src', 'bin'] },
  { name: 'dead code', command: ['knip', '--no-progress'] },
];
const TESTS: Check = {
  name: 'tests',
  command: ['vitest', 'run', '--project', 'unit', '--project', 'integration', '--coverage'],
};

const wanted = process.argv.slice(2);
const isWanted = (check: Check): boolean => wanted.length === 0 || wanted.includes(check.name);

async function passes({ name, command: [program, ...args], mend }: Check): Promise<boolean> {
  const began = performance.now();
  const { failed, all } = await execa(program, args, { all: true, reject: false, preferLocal: true, env: { NO_COLOR: '1' } });
  const seconds = ((performance.now() - began) / 1000).toFixed(1);
  console.log(
    `${failed ? '✖' : '✔'} ${name.padEnd(10)} ${seconds.padStart(6)} s${failed && mend !== undefined ? `   mend: ${mend}` : ''}`,
  );
  if (failed || name === TESTS.name) console.log(indented(name === TESTS.name ? fromTheEnd(all, failed) : all));
  return !failed;
}

/** Of a test run only what went wrong, or the totals. */
function fromTheEnd(text: string, failed: boolean): string {
  return text.slice(Math.max(0, text.indexOf(failed ? ' Failed ' : ' Test Files ')));
}

function indented(text: string): string {
  return `${text.trim().replace(/^/gm, '    ')}\n`;
}

const results = await Promise.all(QUICK.filter(isWanted).map(async (check) => ({ check, ok: await passes(check) })));
if (isWanted(TESTS)) results.push({ check: TESTS, ok: await passes(TESTS) });

const failed = results.filter(({ ok }) => !ok).map(({ check }) => check.name);
console.log(failed.length === 0 ? '✔ all checks passed' : `✖ failed: ${failed.join(', ')}`);
process.exitCode = failed.length === 0 ? 0 : 1;
