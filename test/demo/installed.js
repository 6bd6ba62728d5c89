// Exit 0 when node_modules is what package-lock.json says. Runs on old versions of Node, before anything is installed.
import { readFileSync } from 'node:fs';

const packagesOf = (file) => JSON.parse(readFileSync(new URL(`../../${file}`, import.meta.url), 'utf8')).packages;

function installed() {
  const wanted = packagesOf('package-lock.json');
  const found = packagesOf('node_modules/.package-lock.json');
  return Object.entries(wanted).every(([path, { version, optional }]) => {
    // Optional ones are for other systems, or failed to build: npm leaves them out and that is fine.
    return path === '' || (path in found ? found[path].version === version : optional === true);
  });
}

try {
  process.exitCode = installed() ? 0 : 1;
} catch {
  process.exitCode = 1;
}
