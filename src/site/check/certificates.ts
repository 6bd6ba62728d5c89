import { X509Certificate } from 'node:crypto';
import { countText } from '../../core/amounts.ts';
import { check, type Check } from './check.ts';
import type { BuildFacts } from './facts.ts';

const DAY = 86_400_000;

export interface CertificateEnd {
  /** `apiserver.crt`, `admin.conf` */
  readonly name: string;
  readonly days: number;
}

/** Days that the certificates of a control plane still last, the shortest first. Those that can’t be read are left out. */
export function certificateEnds({ cert, kubeconfig }: Pick<BuildFacts, 'cert' | 'kubeconfig'>, now: number): CertificateEnd[] {
  const ends = [
    ...cert.map(({ name, data }) => ({ name, der: data })),
    ...kubeconfig.map(({ name, data }) => ({ name, der: innerOf(data) })),
  ];
  return ends
    .flatMap(({ name, der }) => {
      const end = endOf(der);
      return end === undefined ? [] : [{ name, days: Math.floor((end - now) / DAY) }];
    })
    .toSorted((a, b) => a.days - b.days);
}

/** A control plane whose certificates are over does not answer any more; an upgrade renews them, so few days are no hindrance. */
export function certificateChecks(host: string, facts: BuildFacts, warnBelow: number, now = Date.now()): Check[] {
  const outcome = check('certificates', 'certificates');
  const [first, ...others] = certificateEnds(facts, now);
  if (first === undefined) return [];
  const details = [first, ...others].map(({ name, days }) => `${name}: ${countText(days, 'day')}`);
  const fix = `deliver certs renew --site <site file> (on ${host} by hand: kubeadm certs renew all)`;
  if (first.days < 0)
    return [outcome.fail({ host, found: `${first.name} ended ${countText(-first.days, 'day')} ago`, details, fix })];
  const found = `${countText(first.days, 'day')} left (${first.name})`;
  return [first.days < warnBelow ? outcome.warn({ host, found, details, fix }) : outcome.pass({ host, found, details })];
}

/** The base64 of a kubeconfig holds a PEM text. */
function innerOf(data: string): string {
  const pem = Buffer.from(data, 'base64').toString('latin1');
  return /-----BEGIN CERTIFICATE-----([A-Za-z0-9+/=\s]+)-----END/.exec(pem)?.[1] ?? '';
}

function endOf(base64: string): number | undefined {
  if (base64 === '') return undefined;
  try {
    return new X509Certificate(Buffer.from(base64, 'base64')).validToDate.getTime();
  } catch {
    return undefined;
  }
}
