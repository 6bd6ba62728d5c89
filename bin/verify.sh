#!/bin/sh
# Checks a deliver bundle, every byte of it, with nothing of deliver: POSIX sh, tar, coreutils and ssh-keygen (8.9 or later).
#   sh verify.sh BUNDLE.tar KEYS [HOW_MANY]     KEYS: a .pub or allowed_signers file that you trust; HOW_MANY keys must have signed
# Exit code 0: whole and signed; 4: refused; 2: asked wrongly. What it checks: docs/format-signatures.md.
LC_ALL=C; export LC_ALL; set -uf
refuse() { echo "REFUSED: $*" >&2; exit 4; }
{ [ $# -ge 2 ] && [ $# -le 3 ] && [ -f "$1" ] && [ -f "$2" ]; } || { echo "usage: sh verify.sh BUNDLE.tar KEYS [HOW_MANY]" >&2; exit 2; }
case ${3:-1} in 0* | *[!0-9]*) echo "HOW_MANY is a number from 1" >&2; exit 2 ;; esac
b=$1 at=0 big='' t=$(mktemp -d) || exit 2
trap 'rm -rf "$t"' EXIT; trap 'exit 2' HUP INT TERM
total=$(($(wc -c <"$b")))
tar -tf "$b" >/dev/null 2>"$t/tar" || refuse "tar can't read it: $(head -n 1 "$t/tar")" # it also checks the checksum of every header
z64='~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~' z100=$z64'~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~' # tar's zero bytes
part() { tail -c "+$(($1 + 1))" "$b" 2>/dev/null | head -c "$2"; }                       # offset, size
hex() { part "$1" "$2" | od -An -v -tx1 | tr -d ' \n'; }
zero() { [ "$2" -eq 0 ] || [ "$(part "$1" "$2" | tr -d '\000' | wc -c)" -eq 0 ] || refuse "bytes $1 to $(($1 + $2)) should be zero"; }
next() { # reads the header at $at: exactly as deliver writes it, or refused; then name, off(set) and size, and $at is the next one
  h=$(part "$at" 512 | tr '\000\001-\037\176-\377' '~[!*]')
  name=${h%%\~*} pad=$z100
  while [ $((${#name} + ${#pad})) -gt 100 ] && [ -n "$pad" ]; do pad=${pad#?}; done
  f=${h#"$name${pad}0000644~0000000~0000000~"} mode=$f
  [ ${#h} -eq 512 ] && [ "$f" != "$h" ] || refuse "the header at byte $at is not as deliver writes it"
  f=${f#????????????}
  case ${mode%"$f"} in
    [0-7][0-7][0-7][0-7][0-7][0-7][0-7][0-7][0-7][0-7][0-7]\~) size=$((0${mode%\~"$f"})) ;;
    *) big=$(hex $((at + 124)) 12) size=$((0x${big#????????}))
      [ "${big%????????????????}" = 80000000 ] && [ "$size" -gt 8589934591 ] || refuse "the header at byte $at has no proper size" ;;
  esac
  case $f in
    00000000000~[0-7][0-7][0-7][0-7][0-7][0-7]"~ 0${z100}ustar~00${z64}0000000~0000000~$z64${z100}~~~") ;;
    *) refuse "the header of $name at byte $at is not as deliver writes it" ;;
  esac
  off=$((at + 512)) at=$((at + 512 + (size + 511) / 512 * 512))
  [ "$at" -le "$total" ] || refuse "$name ends after the end of the file"
  zero $((off + size)) $((at - off - size))
}
blob() { # the member just read is what its name says
  id=${name#blobs/sha256/}
  [ "$id" != "$name" ] && [ "$(part "$off" "$size" | sha256sum)" = "$id  -" ] || refuse "$name is damaged (byte $off and on)"
}
M='"mediaType":"application/vnd.oci.image.manifest.v1+json"' E=44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a
next; [ "$name $size $(part "$off" "$size")" = 'oci-layout 30 {"imageLayoutVersion":"1.0.0"}' ] || refuse 'oci-layout is not the first member'
next; [ "$name" = index.json ] || refuse 'index.json is not the second member'
index=$off isize=$size
next; blob; root=$id rsize=$size
part "$off" "$size" >"$t/root"
next; blob; lock=$id lsize=$size
next; blob
pins='"artifactType":"application/vnd.deliver.release.v1+json","config":{"digest":"sha256:'$lock'","mediaType":"application/vnd.deliver.lock.v1+json","size":'$lsize'},"layers":[{"digest":"sha256:'$id'","mediaType":"application/vnd.deliver.contents.v1+text","size":'$size'}],'$M',"schemaVersion":2}'
[ "$rsize" -le 65536 ] || refuse 'the release manifest is too long'
case $(tr '\000\n' '\001\001' <"$t/root") in '{"annotations":{'*"},$pins") ;; *) refuse 'the release manifest does not pin this lock and this list' ;; esac
part "$off" "$size" >"$t/list"
next; blob; [ "$id" = $E ] || refuse "$name is in the place of the empty config"
room=$((at + 32768)) n=0 added='' ids=' '
while [ "$at" -lt "$room" ]; do # signatures, each with its manifest, then zeros
  next
  if [ "$name" = deliver.room ]; then
    [ $((off + size)) -eq "$room" ] || refuse 'the room for signatures has another size'
    zero "$off" "$size"; break
  fi
  blob; n=$((n + 1)) sig=$id ssize=$size
  case $ids in *" $id "*) refuse "$name is there twice" ;; esac
  ids="$ids$id "
  part "$off" "$size" >"$t/sig$n"
  a=application/vnd.deliver.signature.sshsig.v1 l=application/octet-stream title=release.sshsig
  case $(head -c 1 "$t/sig$n") in '{') a=application/vnd.dev.sigstore.bundle.v0.3+json l=$a title=release.sigstore.json ;; esac
  next; blob
  m='{"artifactType":"'$a'","config":{"digest":"sha256:'$E'","mediaType":"application/vnd.oci.empty.v1+json","size":2},"layers":[{"annotations":{"org.opencontainers.image.title":"'$title'"},"digest":"sha256:'"$sig"'","mediaType":"'$l'","size":'"$ssize"'}],'"$M"',"schemaVersion":2,"subject":{"digest":"sha256:'"$root"'",'"$M"',"size":'"$rsize"'}}'
  [ "$size" -eq ${#m} ] && [ "$(part "$off" "$size")" = "$m" ] || refuse "$name is not the manifest of the signature before it"
  added="$added,{\"artifactType\":\"$a\",\"digest\":\"sha256:$id\",$M,\"size\":$size}"
done
[ "$at" -eq "$room" ] || refuse 'the room for signatures has another size'
word='[A-Za-z0-9][A-Za-z0-9._-]\{0,99\}'
base=$(expr "$(part "$index" 2048 | tr '\000\n' '\001\001')" : '{\("annotations":{"vnd.deliver.base.name":"'"$word"'","vnd.deliver.base.omitted":"[0-9]\{1,9\}","vnd.deliver.base.root":"sha256:[0-9a-f]\{64\}","vnd.deliver.base.version":"'"$word"'"},\)"manifests":') || base=
omitted=${base#*omitted\":\"} omitted=${omitted%%\"*} missing=0 have=0
case $omitted in 0?*) refuse 'index.json names no proper base' ;; esac
{ read -r kind ref rest length || refuse 'the list of contents is empty'
  [ "$kind" = deliver-contents/v1 ] || refuse "the list of contents is a $kind, which this script does not know"
  while read -r id bytes may; do
    [ "$have" -eq 1 ] || { [ $((at + 1024)) -ge "$total" ] && have=0; } || { next; have=1; }
    if [ "$have" -eq 1 ] && [ "$name $size" = "blobs/sha256/$id $bytes" ]; then blob; have=0
    elif [ -n "$base" ] && [ "$may" = may-be-left-out ]; then missing=$((missing + 1)) # a delta: the site has it from its base
    else refuse "blobs/sha256/$id should be at byte $at"; fi
  done; } <"$t/list"
[ "$have" -eq 0 ] || refuse "$name is not in the list of contents, or in another place there"
[ "$missing" -eq "${omitted:-0}" ] || refuse "$missing blobs are left out, the delta says ${omitted:-0}"
zero "$at" 1024; [ $((at + 1024)) -eq "$total" ] || refuse "the archive should end at byte $((at + 1024)), the file has $total"
first="{$base\"manifests\":[{\"annotations\":{\"org.opencontainers.image.ref.name\":\"$ref\"},\"artifactType\":\"application/vnd.deliver.release.v1+json\",\"digest\":\"sha256:$root\",$M,\"size\":$rsize}"
last="$added],\"mediaType\":\"application/vnd.oci.image.index.v1+json\",\"schemaVersion\":2}"
plain=$((${#first} + length + ${#last} - ${#added}))
[ "$isize" -eq $(((plain + 4096 + 511) / 512 * 512)) ] && [ "$(part "$index" ${#first})" = "$first" ] &&
  [ "$(part $((index + ${#first})) "$length" | sha256sum)" = "$rest  -" ] &&
  [ "$(part $((index + ${#first} + length)) $((isize - ${#first} - length)))" = "$(printf "%-$((isize - ${#first} - length))s" "$last")" ] ||
  refuse 'index.json is not what follows from the list of contents'
while IFS= read -r line || [ -n "$line" ]; do # a .pub file has no name in front
  case $line in ssh-* | ecdsa-* | sk-*) line="signer $line" ;; esac
  printf '%s\n' "$line"
done <"$2" >"$t/keys"
: >"$t/good"; i=0
while [ $i -lt $n ]; do
  i=$((i + 1)) s=$t/sig$i
  case $(head -c 1 "$s") in '{') echo "note: signature $i is cosign's; not checked here" >&2; continue ;; esac
  ssh-keygen -Y check-novalidate -n deliver -s "$s" <"$t/root" >/dev/null 2>&1 || refuse "signature $i is wrong"
  who=$(ssh-keygen -Y find-principals -f "$t/keys" -s "$s" 2>/dev/null | head -n 1) && [ -n "$who" ] || continue
  good=$(ssh-keygen -Y verify -f "$t/keys" -I "$who" -n deliver -s "$s" <"$t/root" 2>/dev/null) && echo "${good##* key }" >>"$t/good"
done
[ "$(sort -u "$t/good" | wc -l)" -ge "${3:-1}" ] || refuse "$n signatures, too few of them by keys in $2"
echo "OK: whole and signed by $(sort -u "$t/good" | tr '\n' ' ')"
[ -z "$base" ] || echo "A delta: $missing blobs are left out that the site must have from its base."
echo "Release manifest sha256:$root"
