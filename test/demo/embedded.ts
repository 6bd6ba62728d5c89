// The part of the main job that needs neither root nor Linux: registries in memory as source and target, the real CLI
// between them. Started by demo.sh.
import { createHash } from 'node:crypto';
import { cp, mkdir, readFile, readdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { startMemoryRegistry, type MemoryRegistry } from '../lab/harbor/memory-registry.ts';
import { startHarbor } from '../lab/harbor/server.ts';
import { hasCommand } from '../support/has-command.ts';
import { buildImage, noise, type BuiltImage } from '../support/images.ts';
import { heading, lines, say, step } from './narrator.ts';
import { DemoFailure, play, REPOSITORY, type Stage } from './stage.ts';

const PASSWORD = 'Harbor12345';
const SHARED = noise(6_000_000, 'a layer that both images have');
const SOURCES = [
  {
    host: 'docker.io',
    repository: 'library/busybox',
    tag: '1.36',
    image: buildImage({ seed: 'busybox', layers: [SHARED, 2_000_000] }),
  },
  {
    host: 'dockerhub.kubekey.local',
    repository: 'project/gatekeeper',
    tag: 'v362',
    image: buildImage({ seed: 'gatekeeper', layers: [SHARED, 9_000_000] }),
  },
] as const;

await play(async (stage) => {
  heading('deliver: one release, from registry to registry through one file');
  say(
    `The part of the demo without a lab: ${process.env['DELIVER_DEMO_WHY'] ?? 'started by itself'}. Two registries in memory play docker.io and the company’s own, a Harbor front before a third one plays the site’s. What runs between them is the real deliver.`,
  );
  const open: { close(): Promise<void> }[] = [];
  try {
    const sources = await Promise.all(
      SOURCES.map(async ({ repository, tag, image }) => filled(await startMemoryRegistry(), repository, tag, image)),
    );
    const storage = await startMemoryRegistry({ flavour: 'distribution' });
    open.push(...sources, storage);
    const harbor = await startHarbor({
      listen: { host: '127.0.0.1', port: 0 },
      tls: null,
      upstream: storage.url,
      stateFile: null,
      adminPassword: PASSWORD,
      accessLog: null,
    });
    open.unshift(harbor);
    await writeRelease(stage, sources);
    await mainJob(stage, new URL(harbor.url).host, storage);
  } finally {
    for (const one of open) await one.close();
  }
  heading('Left out, for want of a lab');
  say(
    'SSH to hosts and bastions, preflights, containerd’s mirrors on the nodes, Kubernetes and the pods that would run there, the ingress with its nip.io names, the external Redis: so deliver plan, install and status did not run. The images were random bytes. All of that, for real: npm run demo as root on Linux.',
  );
});

async function mainJob(stage: Stage, harbor: string, storage: MemoryRegistry): Promise<void> {
  const signed = hasCommand('ssh-keygen');
  if (signed) {
    step('The packager makes a key', 'On the connected side, once. The site will trust its public half.');
    await stage.show("ssh-keygen -q -t ed25519 -N '' -C release@corp -f release-key");
  }
  step('The packager resolves the release', 'Every tag in the manifest becomes a digest in a lock file beside it.');
  await stage.show('deliver resolve manifests/gatekeeper-suite.yaml');
  const unsigned = 'Unsigned: there is no ssh-keygen here to make a key with.';
  step(
    'The packager puts it all into one file',
    signed ? 'Downloaded straight to its place in the file, each byte checked, signed at the end.' : unsigned,
  );
  await stage.show(`deliver pack manifests/gatekeeper-suite.yaml${signed ? ' --sign-key release-key' : ''}`);
  const name = (await readdir(path.join(stage.folder, 'bundles'))).find((entry) => entry.endsWith('.tar'));
  if (name === undefined) throw new DemoFailure('deliver pack left no bundle in bundles/.');
  step(
    'The carrier takes the file across',
    'A USB disk, a data diode, here a folder: nothing else passes between the two sides.',
  );
  await stage.show(`cp bundles/${name} gateway/`);
  const bundle = `gateway/${name}`;
  const trust = signed ? '--trust release-key.pub' : '--allow-unsigned';
  step('On the other side: is it whole, and from somebody I trust?');
  await stage.show(`deliver verify ${bundle} ${trust}`);
  step('What is in it?');
  await stage.show(`deliver inspect ${bundle}`);
  step('Into the site’s Harbor', 'Projects are made, layers that two images share are sent once, digests stay.');
  const push = `deliver push ${bundle} --to ${harbor} \\\n    --username admin --password-stdin ${trust} < password`;
  await stage.show(push);
  step('The same again: nothing to do');
  const before = storage.requests.length;
  await stage.show(push);
  if (storage.requests.slice(before).some(({ method }) => method !== 'GET' && method !== 'HEAD'))
    throw new DemoFailure('The second push wrote something.');
  step(
    'Proof: both images read back from Harbor by their digest',
    'Not by deliver: plain HTTP requests, every byte hashed here.',
  );
  for (const { host, repository, tag, image } of SOURCES) {
    // The site's Harbor has another name than the release's own host here, so both keep their host in the path.
    const at = `${host}/${repository}`;
    const layers = await readBack(harbor, at, image);
    lines(`✔ ${repository}:${tag}   manifest, config and ${String(layers)} layers are whole`, `    ${image.descriptor.digest}`);
  }
}

function filled(registry: MemoryRegistry, repository: string, tag: string, image: BuiltImage): MemoryRegistry {
  for (const bytes of image.blobs.values()) registry.content.seedBlob(repository, Buffer.from(bytes));
  for (const { descriptor, bytes } of image.manifests)
    registry.content.seedManifest(repository, tag, descriptor.mediaType, Buffer.from(bytes));
  return registry;
}

/** The sample release, with the registries in memory as the mirrors of its source hosts. */
async function writeRelease(stage: Stage, sources: readonly MemoryRegistry[]): Promise<void> {
  await cp(path.join(REPOSITORY, 'manifests'), path.join(stage.folder, 'manifests'), { recursive: true });
  const file = path.join(stage.folder, 'manifests/gatekeeper-suite.yaml');
  const text = await readFile(file, 'utf8');
  await writeFile(
    file,
    SOURCES.reduce((now, { host }, at) => now.replace(`127.0.0.1:5580/${host}`, sources[at]?.host ?? ''), text),
  );
  await mkdir(path.join(stage.folder, 'gateway'));
  await writeFile(path.join(stage.folder, 'password'), PASSWORD, { mode: 0o600 });
}

/** Reads an image from Harbor and compares every byte; returns the number of its layers. */
async function readBack(harbor: string, repository: string, image: BuiltImage): Promise<number> {
  const accept = image.descriptor.mediaType;
  const digests = [...image.blobs.keys()];
  for (const [kind, digest] of [['manifests', image.descriptor.digest], ...digests.map((digest) => ['blobs', digest])] as const) {
    const authorization = `Basic ${Buffer.from(`admin:${PASSWORD}`).toString('base64')}`;
    const answer = await fetch(`http://${harbor}/v2/${repository}/${kind}/${digest}`, {
      headers: { accept, authorization },
      signal: AbortSignal.timeout(30_000),
    });
    const found = `sha256:${createHash('sha256')
      .update(Buffer.from(await answer.arrayBuffer()))
      .digest('hex')}`;
    if (answer.status !== 200 || found !== digest)
      throw new DemoFailure(`Harbor answered ${String(answer.status)} with other bytes for ${repository} ${digest}.`);
  }
  return digests.length - 1;
}
