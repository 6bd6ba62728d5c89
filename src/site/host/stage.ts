import { hexOf } from '../../core/digest.ts';
import { shellQuote } from '../../ssh/shell-quote.ts';
import type { PlannedComponent } from './plan.ts';
import { HOST_SHELL } from './shell.ts';
import type { ArchiveLayout, HostWish } from './wish.ts';

/** Where a blob waits: an archive in deliver's folder, a program beside its place, for a move within one file system. */
export function incomingPath({ blob, layout }: PlannedComponent, { stateFolder }: Pick<HostWish, 'stateFolder'>): string {
  if (layout.kind === 'program') return `${layout.path}.deliver-new`;
  return `${stateFolder}/incoming/${hexOf(blob.digest)}`;
}

/** What unpacked archives are called while they wait beside their place, for a shell to find those of a run that was killed. */
export const STAGE_PREFIX = '.deliver-stage';

/**
 * Shell functions: `fail` with a reason, and `stage BLOB INTO ROOT NAME ONLY STAGE`, which unpacks an archive to `STAGE` and
 * lists what is to be taken of it, hashed, in `STAGE.list` (`<sha256>  ./<path>`), which is there when all of it is.
 */
export const STAGE_TOOLS = String.raw`
nl='
'
fail() { echo "fail=$1"; exit 1; }
said() { tail -n 1 "$err"; }
in_list() { case "$nl$1$nl" in *"$nl$2$nl"*) return 0;; esac; return 1; }
# top_of STAGE ROOT NAME: sets top
top_of() {
  top=$1
  case $2 in '') ;; '*') top=$(echo "$1"/*);; *) top="$1/$2";; esac
  [ -d "$top" ] || fail "$3: the archive is not laid out as expected ($2)"
}
# sums_of: of every file below the working folder
sums_of() {
  if command -v sha256sum >/dev/null 2>&1; then find . -type f -exec sha256sum {} +
  else find . -type f | while IFS= read -r f; do printf '%s  %s\n' "$(sum "$f")" "$f"; done; fi
}
stage() {
  mkdir -p -- "$2"; rm -rf -- "$6" "$6.list"; mkdir -m 700 -- "$6"
  tar -xzof "$1" -C "$6" 2>"$err" || fail "$4 can't be unpacked: $(said)"
  top_of "$6" "$3" "$4"
  (cd "$top" && sums_of) | sort -k 2 | while IFS= read -r l; do
    [ -z "$5" ] || in_list "$5" "${'$'}{l#*  ./}" || continue
    printf '%s\n' "$l"
  done >"$6.part"
  [ -s "$6.part" ] || fail "$4: nothing of the archive is what was expected"
  mv -f -- "$6.part" "$6.list"
}
`;

/** The words after `stage` or `unpack` for an archive. @param run names this run: what another one left is not trusted */
export function stageWords(component: PlannedComponent, layout: ArchiveLayout, wish: HostWish, run: string): string {
  const { into, root = '', only = [] } = layout;
  const folder = `${into}/${STAGE_PREFIX}-${run}-${hexOf(component.blob.digest).slice(0, 12)}`;
  return [incomingPath(component, wish), into, root, component.name, only.join('\n'), folder].map(shellQuote).join(' ');
}

/** Folders that archives are unpacked in. */
export function stageFolders(components: readonly PlannedComponent[]): string[] {
  return [...new Set(components.flatMap(({ layout }) => (layout.kind === 'archive' ? [layout.into] : [])))];
}

/** A script for `RUN_INPUT` that unpacks an archive beside its place, while other blobs are still on their way. */
export function stageScript(component: PlannedComponent, layout: ArchiveLayout, wish: HostWish, run: string): string {
  return [
    HOST_SHELL,
    STAGE_TOOLS,
    'umask 022',
    `err=$(mktemp ${shellQuote(wish.stateFolder)}/said.XXXXXX) || exit 1`,
    `trap 'rm -f "$err"' EXIT`,
    `stage ${stageWords(component, layout, wish, run)}`,
  ].join('\n');
}
