import { describe, expect, test } from 'vitest';
import { readKubeconfig } from '../../../src/cluster/kubeconfig.ts';

const TOKEN = 'very-secret-token';

function aKubeconfig(more: { cluster?: object; user?: object; context?: object } = {}): string {
  return JSON.stringify({
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [
      { name: 'site', cluster: { server: 'https://10.0.0.1:6443/path/', 'tls-server-name': 'kubernetes', ...more.cluster } },
    ],
    users: [{ name: 'admin', user: { token: TOKEN, ...more.user } }],
    contexts: [{ name: 'site', context: { cluster: 'site', user: 'admin', ...more.context } }],
    'current-context': 'site',
  });
}

describe('a kubeconfig', () => {
  test('says where the API server is, by what name it is trusted, and who asks', async () => {
    const endpoint = await readKubeconfig(aKubeconfig(), {});
    expect(endpoint.server.href).toBe('https://10.0.0.1:6443/path');
    expect(endpoint.tls).toEqual({ servername: 'kubernetes' });
    expect(await endpoint.headers()).toEqual({ Authorization: `Bearer ${TOKEN}` });
  });

  test('with a name and password asks by Basic authentication', async () => {
    const { headers } = await readKubeconfig(aKubeconfig({ user: { token: undefined, username: 'a', password: 'b' } }), {});
    expect(await headers()).toEqual({ Authorization: 'Basic YTpi' });
  });

  test.each([
    ['no YAML', `a: [\n  ${TOKEN}: }`, /line 2/],
    ['something else', 'hello', /not a kubeconfig|no clusters/],
    ['nothing', '', /empty/],
    ['an unknown user', aKubeconfig({ context: { user: 'nobody' } }), /nobody/],
    ['an unknown cluster', aKubeconfig({ context: { cluster: 'nowhere' } }), /nowhere/],
    ['plain http', aKubeconfig({ cluster: { server: 'http://10.0.0.1:8080' } }), /https/],
    ['a proxy', aKubeconfig({ cluster: { 'proxy-url': 'http://proxy:3128' } }), /proxy-url/],
    [
      'a broken certificate',
      aKubeconfig({ user: { 'client-certificate-data': 'eHl6', 'client-key-data': 'eHl6' } }),
      /can’t be read/,
    ],
    ['a file that is not there', aKubeconfig({ user: { 'client-certificate': '/nowhere/cert.pem' } }), /can’t be used/],
  ])('that is %s is refused, without a piece of it in the message', async (_, text, why) => {
    const error: unknown = await readKubeconfig(text, {}).catch((thrown: unknown) => thrown);
    expect(error).toThrowWithCode('E_KUBECONFIG', why);
    expect(JSON.stringify((error as { facts: object }).facts)).not.toContain(TOKEN);
  });

  test('a context that is not there is refused with those that are', async () => {
    await expect(readKubeconfig(aKubeconfig(), { context: 'other' })).rejects.toThrowWithCode('E_KUBECONFIG', 'only: site');
  });
});
