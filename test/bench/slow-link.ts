import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { freePort } from './registry.ts';

export interface SlowLink {
  /** A new loopback address behind which `upstream` is far away. */
  to(upstream: string): Promise<string>;
  stop(): Promise<void>;
}

/** Milliseconds that every answer comes later. */
export const LATENCY = 30;
/** Megabytes per second of each connection, in both directions. */
export const RATE = 10;

/** Starts toxiproxy: a proxy that makes the way to a server long and narrow. */
export async function startSlowLink(program: string): Promise<SlowLink> {
  const port = String(await freePort());
  const api = `http://127.0.0.1:${port}`;
  const child = spawn(program, ['-port', port], { stdio: 'ignore', env: { ...process.env, LOG_LEVEL: 'fatal' } });
  const ended = once(child, 'exit');
  await answering(`${api}/version`);
  let count = 0;
  return {
    to: async (upstream) => {
      const name = `link-${String(count++)}`;
      const made = await post(`${api}/proxies`, { name, listen: '127.0.0.1:0', upstream, enabled: true });
      const toxic = (type: string, stream: string, attributes: object): Promise<unknown> =>
        post(`${api}/proxies/${name}/toxics`, { name: `${type}-${stream}`, type, stream, attributes });
      await toxic('latency', 'downstream', { latency: LATENCY });
      await toxic('bandwidth', 'downstream', { rate: RATE * 1000 });
      await toxic('bandwidth', 'upstream', { rate: RATE * 1000 });
      return (made as { listen: string }).listen;
    },
    stop: async () => {
      child.kill('SIGKILL');
      await ended;
    },
  };
}

async function answering(url: string): Promise<void> {
  for (let tries = 0; tries < 100; tries++) {
    if ((await fetch(url).catch(() => undefined))?.ok === true) return;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  throw new Error('toxiproxy did not answer within 10 s');
}

async function post(url: string, body: object): Promise<unknown> {
  const answer = await fetch(url, { method: 'POST', body: JSON.stringify(body) });
  if (!answer.ok) throw new Error(`toxiproxy: ${await answer.text()}`);
  return answer.json();
}
