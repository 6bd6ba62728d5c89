import { readdirSync, readFileSync } from 'node:fs';

/** Milliseconds between two looks. */
const EVERY = 50;

export interface ArgvReport {
  readonly looks: number;
  /** The first words of all command lines that were seen: proves that the hosts' processes were among them. */
  readonly programs: ReadonlySet<string>;
  /** Command lines with something secret in them. */
  readonly leaks: readonly string[];
}

/**
 * Looks at the command line of every process, again and again until it is stopped, as `ps -eo args` on each host and at the
 * operator's machine would: processes of the lab's hosts are also processes of this machine.
 */
export function watchArgv(secret: readonly (string | RegExp)[]): () => ArgvReport {
  const programs = new Set<string>();
  const leaks = new Set<string>();
  let looks = 0;
  const look = (): void => {
    looks++;
    for (const words of commandLines()) {
      programs.add(words.split(' ', 1)[0] ?? '');
      if (secret.some((one) => (typeof one === 'string' ? words.includes(one) : one.test(words)))) leaks.add(words);
    }
  };
  const timer = setInterval(look, EVERY);
  return () => {
    clearInterval(timer);
    return { looks, programs, leaks: [...leaks] };
  };
}

/** What lets a host join a cluster, as kubeadm would take it on its command line. */
export const JOIN_SECRETS = [/(?<![a-z0-9.])[a-z0-9]{6}\.[a-z0-9]{16}(?![a-z0-9.])/, /--certificate-key[ =][0-9a-f]/] as const;

function commandLines(): string[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map((pid) => commandLine(pid))
    .filter((words) => words !== '');
}

function commandLine(pid: string): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'latin1').replaceAll('\0', ' ').trimEnd();
  } catch {
    return ''; // it ended meanwhile
  }
}
