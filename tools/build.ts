// `npm run build`: the sources and what they use as files that load fast (docs/decisions/0024), in dist/ or another folder beside src/.
import { cpSync, globSync, renameSync, rmSync } from 'node:fs';
import path from 'node:path';
import { build } from 'rolldown';

process.chdir(path.resolve(import.meta.dirname, '..'));

// All in one folder, two levels below the package like every file of src/: './x-worker.js', './x.wasm' and '../../bin'
// beside `import.meta.url` mean in dist/ what they mean in src/.
const FOLDER = 'cli';
const [target = 'dist'] = process.argv.slice(2);
/** Takes the place of the target when it is whole. */
const FRESH = `${target}.part`;

/** What is loaded by its file name: the start, what oclif looks up, threads. */
const entries = ['src/cli/main.ts', 'src/cli/command-table.ts', 'src/cli/help.ts', ...globSync('src/*/*-worker.ts')];

await build({
  platform: 'node',
  input: Object.fromEntries(entries.map((entry) => [path.basename(entry, '.ts'), entry])),
  // ssh2 looks for its compiled part beside its own files; oclif asks for the others only where it compiles TypeScript.
  external: ['ssh2', 'node-ssh', 'typescript', 'ts-node', 'tsx'],
  // CommonJS modules have these, the modules that they become here have not.
  transform: { define: { __filename: 'import.meta.filename', __dirname: 'import.meta.dirname' } },
  output: {
    dir: FRESH,
    cleanDir: true,
    format: 'esm',
    sourcemap: true,
    // An error's name is its class's.
    keepNames: true,
    entryFileNames: `${FOLDER}/[name].js`,
    chunkFileNames: `${FOLDER}/[name]-[hash].js`,
  },
});
for (const asset of globSync('src/*/*.wasm')) cpSync(asset, path.join(FRESH, FOLDER, path.basename(asset)));
rmSync(target, { recursive: true, force: true });
renameSync(FRESH, target);
// What Node had compiled of the build before (bin/start.js).
if (target === 'dist') rmSync('node_modules/.cache/deliver', { recursive: true, force: true });
