import path from 'node:path';
import { defineConfig } from 'vitest/config';

const setupFiles = ['test/support/matchers.ts'];
/** Where CI wants the figures of this run, as JSON. */
const report = process.env['TEST_REPORT'];

/** What wants the lab of bare hosts. */
const BARE = ['test/e2e/*-bare-*.test.ts', 'test/e2e/9-components.test.ts'];
/** Tests that know a small and a full size (test/support/size.ts). */
const bySize = [
  'bundle-corpus',
  'carry',
  'carry-bombs',
  'carry-corpus',
  'carry-loss',
  'carry-pack',
  'inspect-large',
  'kill-points',
  'kill-points-store',
  's3-kill',
  's3-pack',
  's3-stress',
].map((name) => `test/integration/${name}.test.ts`);

export default defineConfig({
  test: {
    ...(report === undefined ? {} : { reporters: ['default', ['json', { outputFile: report }]] }),
    // Programs that tests start are compiled once.
    env: { NODE_COMPILE_CACHE: path.resolve(import.meta.dirname, 'node_modules/.cache/tests') },
    testTimeout: 60_000,
    hookTimeout: 60_000,
    projects: [
      // In one process per core: they touch nothing that lasts.
      { extends: true, test: { name: 'unit', include: ['test/unit/**/*.test.ts'], setupFiles, isolate: false } },
      { extends: true, test: { name: 'integration', include: ['test/integration/**/*.test.ts'], setupFiles } },
      // The same tests at their full size: asked for by name (`npm run test:long`).
      {
        extends: true,
        test: {
          name: 'long',
          include: bySize,
          setupFiles,
          env: { TEST_SIZE: 'long' },
          testTimeout: 300_000,
          hookTimeout: 300_000,
        },
      },
      // Need root and the lab: asked for by name (`npm run test:e2e`, `npm run test:e2e:bare`), see the scripts in package.json.
      {
        extends: true,
        test: {
          name: 'e2e',
          include: ['test/e2e/**/*.test.ts'],
          exclude: BARE,
          setupFiles,
          testTimeout: 600_000,
          fileParallelism: false,
        },
      },
      {
        extends: true,
        test: { name: 'e2e-bare', include: BARE, setupFiles, testTimeout: 600_000, fileParallelism: false },
      },
    ],
    coverage: {
      provider: 'v8',
      include: ['src/**/*.ts'],
      exclude: ['src/**/port.ts'],
      reporter: ['text-summary', 'html', 'json-summary'],
      thresholds: { lines: 80, functions: 75, branches: 70, statements: 78 },
    },
  },
});
