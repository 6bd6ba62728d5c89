import { generateKeyPairSync } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { Secret } from '../../../src/core/secret.ts';
import { redactText } from '../../../src/site/support-redact.ts';

const PEM = generateKeyPairSync('ed25519').privateKey.export({ format: 'pem', type: 'pkcs8' }).toString();
const KEY = PEM.split('\n')[1] ?? '';
const HIDDEN = 'Hidden-77x';

describe('what leaves a site is free of', () => {
  it.each([
    ['private keys', `a\n${PEM}b`, KEY],
    ['private keys whose beginning is cut off', `${PEM.slice(40)}b`, KEY.slice(20)],
    ['private keys whose end is cut off', `b\n${PEM.slice(0, 80)}`, KEY.slice(0, 40)],
    [
      'private keys inside base64',
      `data ${Buffer.from(PEM).toString('base64')}`,
      Buffer.from(PEM).toString('base64').slice(40, 80),
    ],
    ['the key of a kubeconfig', `    client-key-data: ${HIDDEN.replace(/-/g, '')}==`, 'Hidden77x'],
    ['a Secret in YAML', `kind: Secret\nmetadata:\n  name: a\ndata:\n  x: ${HIDDEN}\n  y: abc\ntype: Opaque\n`, HIDDEN],
    ['a Secret in YAML whose data comes first', `data:\n  x: ${HIDDEN}\nkind: Secret\n`, HIDDEN],
    ['a Secret in JSON', `{"kind":"Secret","data":{"x":"${HIDDEN}"}}`, HIDDEN],
    ['a Secret in JSON inside JSON', `{"a":"{\\"kind\\":\\"Secret\\",\\"stringData\\":{\\"x\\":\\"${HIDDEN}\\"}}"}`, HIDDEN],
    ['Authorization headers', `> Authorization: Bearer ${HIDDEN}`, HIDDEN],
    ['Authorization headers in a dump of them', `map[Authorization:[Basic ${HIDDEN}abc]]`, HIDDEN],
    ['accounts in URLs', `pull https://robot$x:${HIDDEN}@registry.site/v2/ failed`, HIDDEN],
    ['bootstrap tokens', 'found token abcdef.0123456789abcdef in use', '0123456789abcdef'],
    ['join commands', `kubeadm join x:6443 --token abcdef.0123456789abcdef --certificate-key ${'a1'.repeat(32)}`, 'a1a1a1'],
    ['service account tokens', 'got eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJ4eHh4In0.c2lnbmF0dXJl back', 'c2lnbmF0dXJl'],
    ['hashes of passwords', 'root:$6$abcdefgh$0123456789abcdefghijABCDEFGHIJ./0123456789:1', 'ABCDEFGHIJ'],
    ['registry logins', `{"auths":{"r":{"auth":"${HIDDEN}"}}}`, HIDDEN],
    ['registry logins of containerd', `[x.auth]\n  username = "a"\n  password = "${HIDDEN}"`, HIDDEN],
    ['variables of pods', `{"name":"DB_PASSWORD","value":"${HIDDEN}"}`, HIDDEN],
    ['variables of pods in YAML', `- name: API_TOKEN\n  value: ${HIDDEN}`, HIDDEN],
    ['variables of units', `Environment=SMTP_PASSWORD=${HIDDEN}`, HIDDEN],
    ['passwords in logs', `msg="login" password=${HIDDEN} user=x`, HIDDEN],
    ['passwords with spaces in quotes', `"password": "two words ${HIDDEN}"`, HIDDEN],
    ['passwords in JSON inside JSON', `{"msg":"{\\"password\\":\\"${HIDDEN}\\"}"}`, HIDDEN],
    ['passwords on command lines', `ran: mysql --password ${HIDDEN} -u x`, HIDDEN],
  ])('%s', (_, text, hidden) => {
    expect(text).toContain(hidden);
    const clean = redactText(text);
    expect(clean.text).not.toContain(hidden);
    expect([...clean.found.values()].reduce((sum, count) => sum + count, 0)).toBeGreaterThan(0);
  });

  it('every secret of the site, also as Kubernetes, JSON and URLs write it', () => {
    const secret = new Secret('pl"ant €7').reveal();
    const forms = [secret, Buffer.from(secret).toString('base64'), JSON.stringify({ secret }), encodeURIComponent(secret)];
    const { text, found } = redactText(forms.join('\n'));
    for (const form of [secret, Buffer.from(secret).toString('base64'), 'pl\\"ant', 'pl%22ant']) expect(text).not.toContain(form);
    expect(found.get('secret of the site')).toBe(4);
  });
});

describe('what helps is kept', () => {
  it.each([
    'Nov 22 kubelet[1]: E1122 failed to pull image "registry.k8s.io/pause:3.10.1"',
    'authorization:\n  mode: Webhook\n',
    '"password": "${secret.harbor}"',
    'imagePullSecrets:\n- name: deliver-pull-suite\n',
    'https://registry.site.local:5000/v2/ answered 200',
    '{"automountServiceAccountToken":false,"secretName":"tls","token":null}',
    'sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef',
    '-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n',
    '--service-account-key-file=/etc/kubernetes/pki/sa.pub',
    '{"kind":"ConfigMap","data":{"Corefile":".:53 {\\n errors\\n}"}}',
  ])('%s', (text) => {
    expect(redactText(text)).toEqual({ text, found: new Map() });
  });

  it('JSON stays JSON', () => {
    expect(JSON.parse(redactText('{"password":"geheim","user":"x"}').text)).toEqual({ password: '***', user: 'x' });
  });
});
