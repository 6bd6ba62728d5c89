#!/usr/bin/env node
// deliver from its sources: Node runs the TypeScript as it is.
import { start } from './start.js';

await start(new URL('../src/cli/main.ts', import.meta.url));
