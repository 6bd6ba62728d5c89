#!/usr/bin/env node
import { start } from './start.js';

await start(new URL('../dist/cli/main.js', import.meta.url));
