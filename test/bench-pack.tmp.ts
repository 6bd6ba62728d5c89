import { packFlow } from '../src/flows/pack.ts';
import { verifyFlow } from '../src/flows/verify.ts';
import { createImageSource } from '../src/registry/image-source.ts';
import { createFileSource } from '../src/store/file-source.ts';
import { SILENT } from '../src/core/report.ts';
import { rmSync } from 'node:fs';
const sources: any[] = [];
const conc = Number(process.argv[2] ?? 4);
rmSync('/tmp/bench/out', {recursive:true, force:true});
const flow = packFlow({ releasePath: '/tmp/bench/suite.yaml', outputFolder: '/tmp/bench/out', concurrency: conc }, {
  images: (r, f) => { const s = createImageSource(r, process.env, f); sources.push(s); return s; }, files: createFileSource(), askPassphrase: async () => { throw new Error() } });
let t = performance.now(); let c = process.cpuUsage();
for (const s of flow.steps) { await s.run(SILENT, new AbortController().signal); const n = performance.now(), d = process.cpuUsage(c); console.log(s.id, ((n - t)/1000).toFixed(2), 's cpu', ((d.user+d.system)/1e6).toFixed(2), 'rss', (process.resourceUsage().maxRSS/1e3).toFixed(0), 'MB'); t = n; c = process.cpuUsage(); }
console.log(flow.result().size);
if (process.argv[3]) { const v = verifyFlow({bundlePath: flow.result().path, trust: [], allowUnsigned: true}); for (const s of v.steps) { await s.run(SILENT, new AbortController().signal); const n = performance.now(); console.log(s.id, ((n - t)/1000).toFixed(2)); t = n; } }
for (const s of sources) await s.close();
