// The main job of deliver on the lab: a real registry on the connected side, one file, SSH through a bastion, Harbor's
// stand-in, a real Kubernetes. Needs root on Linux. Started by demo.sh.
import { cp, mkdir, readdir, symlink, writeFile } from 'node:fs/promises';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { escapes, harborRequests, kubectl, mark, readLab, siteSecrets, writeSite, type Lab } from '../e2e/support/lab.ts';
import { closeLab, openLab, resetLab } from './lab-life.ts';
import { heading, lines, say, step } from './narrator.ts';
import { DemoFailure, play, REPOSITORY, type Stage } from './stage.ts';

/** Asks again, for 20 s, while an ingress controller does not know the name yet. */
const ASK = 'curl -fsS -m 10 --retry 20 --retry-delay 1 --retry-all-errors';

const KEEP = process.env['DELIVER_DEMO_KEEP'] === '1';

await play(async (stage) => {
  heading('deliver: one release, from the connected side to an air-gapped site');
  say(
    'The lab is five hosts in a network without a way out (a bastion, a registry host, a Kubernetes 1.34 of two nodes, a host with Redis), and a registry beside it that plays the upstream ones.',
  );
  const state = await openLab(stage.signal);
  try {
    const lab = readLab();
    await mainJob(stage, lab);
  } finally {
    if (KEEP) lookAround(stage, readLab());
    else if (state === 'was up') await putBack();
    else await takeDown();
  }
});

async function mainJob(stage: Stage, lab: Lab): Promise<void> {
  await setScene(stage, lab);
  const bundle = await onConnectedSide(stage);
  const operator = { onSite: true, env: siteSecrets(lab) };

  step(
    'The operator checks what arrived',
    'From here on everything runs on the operator’s machine inside the site, which has no way out. The packager’s public key came there once, by another way.',
  );
  await stage.show(`deliver verify ${bundle} --trust release-key.pub`, operator);
  step(
    'The operator looks at what would happen',
    'lab.site.yaml names the hosts, the way through the bastion, Harbor, the cluster and the trusted key. A plan changes nothing. Harbor’s password is in DELIVER_SECRET_HARBOR.',
  );
  await stage.show(`deliver plan ${bundle} --site lab.site.yaml`, operator);
  step(
    'The operator installs',
    'Preflights, mirrors on the nodes, the images into Harbor, the objects into Kubernetes, and a wait until all is healthy.',
  );
  await stage.show(`deliver install ${bundle} --site lab.site.yaml --yes`, operator);
  step('What is on the site now');
  await stage.show('deliver status --site lab.site.yaml', operator);
  await stage.show(
    'kubectl -n project get pods -o \\\n  custom-columns=POD:.metadata.name,NODE:.spec.nodeName,IMAGE:.spec.containers[0].image',
    operator,
  );
  await installAgain(stage, lab, bundle, operator);
  await askTheApp(stage, lab, operator);

  step('Did anything try to leave the site?', 'The site’s switch counts packets that want out, and questions for foreign names.');
  await stage.show(`bash ${path.join(REPOSITORY, 'test/lab/escapes.sh')}`);
  const tried = escapes();
  if (tried !== 0)
    throw new DemoFailure(
      `${String(tried)} packets tried to leave the site.`,
      'bash test/lab/escapes.sh --list, with DELIVER_DEMO_KEEP=1',
    );
  say('0 packets. The whole release came in by one file.');
}

async function setScene(stage: Stage, lab: Lab): Promise<void> {
  await cp(path.join(REPOSITORY, 'manifests'), path.join(stage.folder, 'manifests'), { recursive: true });
  await mkdir(path.join(stage.folder, 'gateway'));
  await symlink(lab.bin.kubectl, path.join(stage.folder, 'bin/kubectl'));
  await mkdir(path.join(stage.folder, 'home/.kube'));
  await cp(lab.kubernetes.kubeconfig, path.join(stage.folder, 'home/.kube/config'));
  const config = [
    'Host ext1',
    `HostName ${lab.redis.address}`,
    'User root',
    `IdentityFile ${lab.ssh.key}`,
    `UserKnownHostsFile ${lab.ssh.knownHosts}`,
  ];
  await writeFile(path.join(stage.folder, 'ssh.config'), `${config.join('\n  ')}\n  LogLevel ERROR\n`);
}

/** Key, lock, bundle, carry; returns the bundle's path behind the gateway. */
async function onConnectedSide(stage: Stage): Promise<string> {
  step('The packager makes a key', 'On the connected side, once. The site will trust its public half.');
  await stage.show("ssh-keygen -q -t ed25519 -N '' -C release@corp -f release-key");
  step(
    'The packager resolves the release',
    'Every tag in the manifest becomes a digest in a lock file beside it. The registry at 127.0.0.1:5580 plays docker.io and the company’s own.',
  );
  await stage.show('deliver resolve manifests/gatekeeper-suite.yaml');
  step(
    'The packager puts it all into one file',
    'Images, manifests and lock, downloaded straight to their place in the file, each byte checked, signed at the end.',
  );
  await stage.show('deliver pack manifests/gatekeeper-suite.yaml --sign-key release-key');
  const bundle = (await readdir(path.join(stage.folder, 'bundles'))).find((name) => name.endsWith('.tar'));
  if (bundle === undefined) throw new DemoFailure('deliver pack left no bundle in bundles/.');
  step(
    'The carrier takes the file across',
    'A USB disk, a data diode, here a folder: nothing else passes between the two sides, and nothing goes back.',
  );
  await stage.show(`cp bundles/${bundle} gateway/`);
  await writeSite(readLab(), stage.folder, { trust: [readFileSync(path.join(stage.folder, 'release-key.pub'), 'utf8').trim()] });
  return `gateway/${bundle}`;
}

interface Operator {
  readonly onSite: boolean;
  readonly env: Readonly<Record<string, string>>;
}

async function installAgain(stage: Stage, lab: Lab, bundle: string, operator: Operator): Promise<void> {
  step('The operator installs once more', 'It is all there: a second install must change nothing.');
  const [versions, requests] = [await resourceVersions(lab), mark(lab)];
  await stage.show(`deliver install ${bundle} --site lab.site.yaml --yes`, operator);
  const written = harborRequests(lab)
    .slice(requests)
    .filter(({ method }) => method !== 'GET' && method !== 'HEAD');
  if (written.length > 0 || (await resourceVersions(lab)) !== versions)
    throw new DemoFailure('The second install changed something.');
  lines('');
  say('Kubernetes and Harbor agree: no object has a new version, no request wrote anything.');
}

/** What Kubernetes counts up with every write, for all that deliver makes. */
async function resourceVersions(lab: Lab): Promise<string> {
  const shown = ['-o', 'jsonpath={range .items[*]}{.kind}/{.metadata.name}={.metadata.resourceVersion} {end}'];
  return `${await kubectl(lab, 'get', 'sts,deploy,svc,ing,cm,secret,endpointslice', '-n', 'project', ...shown)} ${await kubectl(lab, 'get', 'cm', '-n', 'deliver-system', ...shown)}`;
}

async function askTheApp(stage: Stage, lab: Lab, operator: Operator): Promise<void> {
  step(
    'Somebody on the site uses it',
    'Both names go through the ingress controller, one on each address, to port 8000 and port 8080 of the pod; it knows a new name a moment after the pod is ready, so curl may ask again. The pod counts its answers in the Redis outside the cluster.',
  );
  const counts: number[] = [];
  for (const round of [1, 2])
    for (const address of lab.ingress.addresses) {
      const answer = await stage.ask(`${ASK} \\\n  http://gatekeeper.project.${address}.nip.io/`, operator);
      const { count } = JSON.parse(answer) as { count?: number };
      if (count === undefined) throw new DemoFailure(`The answer of round ${String(round)} has no counter in it.`);
      counts.push(count);
    }
  if (counts.some((count, at) => at > 0 && count <= Number(counts[at - 1])))
    throw new DemoFailure(`The counter does not count: ${counts.join(', ')}`);
  const stored = await stage.ask('ssh -F ssh.config ext1 redis-cli get gatekeeper:count', operator);
  if (Number(stored) !== counts.at(-1))
    throw new DemoFailure(`Redis says ${stored.trim()}, the pod said ${String(counts.at(-1))}.`);
}

async function putBack(): Promise<void> {
  heading('The lab was up before and stays up, without the release');
  await resetLab();
}

async function takeDown(): Promise<void> {
  heading('The lab goes down', 'What it took minutes to get stays in its cache. DELIVER_DEMO_KEEP=1 leaves it up.');
  await closeLab();
}

function lookAround(stage: Stage, lab: Lab): void {
  stage.keep = true;
  heading('The lab stays up, have a look around:');
  lines(
    `  export DELIVER_SECRET_HARBOR=$(cat ${lab.harbor.passwordFile})`,
    `  test/lab/run-on-site bin/run.js status --site ${stage.folder}/lab.site.yaml`,
    `  export KUBECONFIG=${lab.kubernetes.kubeconfig}`,
    `  test/lab/run-on-site ${lab.bin.kubectl} get pods -A`,
    `  test/lab/run-on-site ssh -F ${stage.folder}/ssh.config ext1`,
    `The end of it:  bash test/lab/down.sh; rm -r ${stage.folder}`,
  );
}
