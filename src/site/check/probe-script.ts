import { shellQuote } from '../../ssh/shell-quote.ts';
import { ASKED_WITH } from './programs.ts';

export interface ProbeQuestions {
  /** Registry as nodes name it, with a port if it has one; nothing is asked about it when absent. */
  readonly registry?: { readonly host: string; readonly plainHttp: boolean };
  /** Ask about containerd and its disk. */
  readonly node: boolean;
  /** More lines of `buildQuestions`. */
  readonly build?: string;
  /** Programs that are needed there besides those that the questions are asked with. */
  readonly programs?: readonly string[];
}

const SHELL = String.raw`
LC_ALL=C; PATH=$PATH:/usr/local/sbin:/usr/local/bin:/usr/sbin:/sbin; export LC_ALL PATH
say() { printf '%s=%s\n' "$1" "$2"; }
has() { command -v "$1" >/dev/null 2>&1; }
`;

// With one of these missing nothing more is asked; then all that is missing is named at once.
const PROGRAMS = String.raw`
whole=yes; for p in $basic; do has "$p" || whole=; done
if [ -z "$whole" ]; then for p in $basic $more; do has "$p" || say lacks "$p"; done; say ended lacking; exit 0; fi
`;

const SHARED = String.raw`
soon() { if has timeout; then timeout 10 "$@"; else "$@"; fi; }
say began "$(date +%s%N)"
say uid "$(id -u)"
say system "$(uname -s)"
say machine "$(uname -m)"
`;

const REGISTRY = String.raw`
if has getent; then
  say resolver getent
  say addresses "$(soon getent ahosts "$name" | awk '{ if (!seen[$1]++) printf "%s ", $1 }')"
fi
if has curl; then
  say http "$(curl -sk --noproxy '*' -o /dev/null -w '%{http_code}' --connect-timeout 5 --max-time 10 "$url"; printf ' %s' $?)"
fi
`;

// containerd's dump can hold registry passwords: only what is asked for leaves the host.
const NODE = String.raw`
at=/var/lib/containerd; while [ ! -d "$at" ]; do at=$(dirname "$at"); done
say disk "$(df -Pk "$at" | awk 'NR == 2 { print $2, $4, $6 }')"
for other in crio k3s rke2; do if has $other; then say other $other; fi; done
if has containerd; then
  say containerd "$(containerd --version | head -n 1)"
  if has systemctl; then
    say active "$(systemctl is-active containerd)"
    case "$(systemctl show -p Environment containerd)" in *_PROXY=*|*_proxy=*) say proxy yes;; esac
  else
    [ ! -S /run/containerd/containerd.sock ] || say active active
  fi
  soon containerd config dump 2>/dev/null | awk '
    /^[ \t]*\[/ { section = $0 }
    /^[ \t]*disabled_plugins[ \t]*=/ && /cri/ { print "criDisabled=yes" }
    /^[ \t]*config_path[ \t]*=/ && section ~ /cri[^]]*\.registry\]/ { sub(/^[^=]*=[ \t]*/, ""); print "configPath=" $0 }
    /^[ \t]*\[.*\.registry\.mirrors\.["\047]/ { print "mirrors=yes" }
  '
fi
`;

/** A POSIX shell script that prints what preflights need to know about a host as `key=value` lines. Changes nothing. */
export function probeScript(questions: ProbeQuestions): string {
  const { registry, node, build, programs = [] } = questions;
  const url = registry === undefined ? '' : `${registry.plainHttp ? 'http' : 'https'}://${registry.host}/v2/`;
  const name = registry?.host.replace(/:\d+$/, '') ?? '';
  return [
    SHELL,
    node ? `basic=${shellQuote(ASKED_WITH.join(' '))}\nmore=${shellQuote(programs.join(' '))}\n${PROGRAMS}` : '',
    SHARED,
    registry === undefined ? '' : `name=${shellQuote(name)}\nurl=${shellQuote(url)}\n${REGISTRY}`,
    node ? NODE : '',
    build ?? '',
    'say ended "$(date +%s%N)"',
  ].join('\n');
}
