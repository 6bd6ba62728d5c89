import { generateKeyPairSync } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { Secret } from '../../../../src/core/secret.ts';
import { redactText } from '../../../../src/site/support/redact.ts';

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
    ['every cookie of a header', `Cookie: a=1; sid=${HIDDEN}; b=2`, HIDDEN],
    ['cookies in JSON', `{"headers":{"Set-Cookie":["sid=${HIDDEN}; Path=/"]}}`, HIDDEN],
    ['passwords with an “@” in URLs', `https://admin:pa@ss${HIDDEN}@registry.site/v2/`, HIDDEN],
    ['signatures in URLs', `GET /b/k?X-Amz-Date=1&X-Amz-Signature=${HIDDEN}`, HIDDEN],
    ['accounts of databases', `root:${HIDDEN}@tcp(10.0.0.1:3306)/db`, HIDDEN],
    ['env files', `DB_PASS=${HIDDEN}`, HIDDEN],
    ['env files of all kinds', `SECRET_KEY_BASE=${HIDDEN}`, HIDDEN],
    ['ssh passwords', `sshpass -p '${HIDDEN}' ssh root@w1`, HIDDEN],
    ['accounts on command lines', `curl -k -u admin:${HIDDEN} https://h`, HIDDEN],
    ['passwords of mysql', `mysqldump -uroot -p${HIDDEN} db`, HIDDEN],
    ['passwords of docker login', `docker login -u a -p ${HIDDEN} registry.site`, HIDDEN],
    ['arguments in lists', `["mysqld","--password","${HIDDEN}"]`, HIDDEN],
    ['arguments in YAML', `- --password\n- ${HIDDEN}\n`, HIDDEN],
    ['lists of Secrets', `{"kind":"SecretList","items":[{"data":{"a":"${HIDDEN}"}}]}`, HIDDEN],
    ['Secrets with blocks in them', `kind: Secret\nstringData:\n  a: |\n    b\n\n    c=${HIDDEN}\nmetadata: {}\n`, HIDDEN],
    ['Secrets in one line of YAML', `kind: Secret\ndata: {a: ${HIDDEN}}\n`, HIDDEN],
    ['Secrets with JSON in them', `{"kind":"Secret","data":{"a":"{\\"x\\":\\"${HIDDEN}\\"}"}}`, HIDDEN],
    ['Secrets that Go prints', `&Secret{Data:map[string][]byte{a: [1],},StringData:map[string]string{a: ${HIDDEN},},}`, HIDDEN],
    ['Secrets in events', `Secret "x" is invalid: data[a]: Invalid value: "${HIDDEN}"`, HIDDEN],
    ['passwords as blocks of YAML', `password: |-\n  ${HIDDEN}\nnext: a\n`, HIDDEN],
    ['lists of tokens', `tokens:\n- ${HIDDEN}\nnext: a\n`, HIDDEN],
    ['tokens of code hosts', 'clone with glpat-Abcdefgh12345678 failed', 'Abcdefgh12345678'],
    ['keys of age', 'AGE-SECRET-KEY-1QQPQ0123456789', 'QQPQ0123456789'],
    ['hashes of htpasswd', 'admin:{SHA}fEqNCco3Yq9h5ZUglD3CZJT4lBs=', 'fEqNCco3Yq9h5ZUglD3CZJT4lBs'],
    ['accounts of netrc', `machine h login a password ${HIDDEN}`, HIDDEN],
    ['passwords of keepalived', `  auth_pass ${HIDDEN}`, HIDDEN],
    ['passwords in sentences', `the password for ops is ${HIDDEN}`, HIDDEN],
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
    'tokens:\n- name: a\n  ttl: 1h\n',
    'login failed: the password is incorrect\n',
    'copy docker://registry.site:5000/a/b@sha256:0123456789abcdef to oci:x',
    'docker run -u 1000:1000 -p 8080:80 nginx',
    '{"kind":"ConfigMap","data":{"Corefile":".:53 {\\n errors\\n}"}}',
  ])('%s', (text) => {
    expect(redactText(text)).toEqual({ text, found: new Map() });
  });

  it('JSON stays JSON', () => {
    expect(JSON.parse(redactText('{"password":"geheim","user":"x"}').text)).toEqual({ password: '***', user: 'x' });
  });
});
