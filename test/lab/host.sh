# One host of the site: an overlay root filesystem over the shared base, a disk of its own, a real systemd. Sourced.
make_disk() { # IMAGE SIZE MOUNTPOINT: a sparse file as its own filesystem
  mkdir -p "$3"
  truncate -s "$2" "$1"; mkfs.ext4 -q -m 0 -E lazy_itable_init=1,lazy_journal_init=1,nodiscard "$1"
  mount -o loop,discard "$1" "$3"
}
wipe_host() { # HOST: off, and its disks gone; only its address and its keys stay
  local h=$1 d=$S/hosts/$1 m
  [ -d "$d/keys" ] || { mkdir -m 700 "$d/keys"; cp -p "$d"/upper/etc/ssh/ssh_host_ed25519_key* "$d/keys/"; }
  cg_kill "dlv-$h"
  ip netns del "dlv$h" 2>/dev/null || true   # none: it was powered off
  for m in $(awk -v s="$d/" 'index($2, s) == 1 { print $2 }' /proc/self/mounts | sort -r); do umount "$m" 2>/dev/null || umount -l "$m"; done
  rm -rf "${d:?}"/{upper,work} "$d"/*.img
}
prepare_host() { # HOST: what is done once per bring-up; a power cycle keeps all of it, as a real one would
  local h=$1 d=$S/hosts/$1 r=$S/hosts/$1/root lower=$BASE unit units=(ssh) size=1G
  # bare: sshd and a disk, no more; but for the Redis that is outside of everything
  if [ "$MODE" = bare ] && [ "$h" != ext1 ]; then lower=$BARE_BASE; [ "$h" = bastion ] || size=24G
  else case $h in
    cp1 | w1) units+=(containerd kubelet); lower=$S/layer-k8s:$BASE; size=16G ;;
    reg1) units+=(docker-registry) ;;   # and harbor-front, by registry.sh
    ext1) units+=(redis-server) ;;
  esac; fi
  mkdir -p "$d"/{upper,work,root}
  # own filesystem: overlayfs can't carry containerd's snapshots, and the kubelet must not see how full this machine is
  make_disk "$d/disk.img" $size "$d/state"
  if [ "$lower" = "$BARE_BASE" ]; then cp -a "$BARE_BASE/var/lib" "$d/state/varlib"; mkdir -p "$d/state/srv"
  else mkdir -p "$d"/state/{containerd,kubelet,etcd,registry,local}; fi
  # the registry's disk is small and its own, so that a test can fill it without harm to anything else
  [ "$h" != reg1 ] || [ "$MODE" = bare ] || make_disk "$d/registry.img" 2G "$d/state/registry"
  mount -t overlay "dlv-$h" -o "lowerdir=$lower,upperdir=$d/upper,workdir=$d/work" "$r"
  echo "$h" >"$r/etc/hostname"
  cp "$RUN/hosts" "$r/etc/hosts"
  rm -f "$r/etc/resolv.conf"; cp "$RUN/resolv.conf" "$r/etc/resolv.conf"
  tr -d - </proc/sys/kernel/random/uuid >"$r/etc/machine-id"
  local wants=$r/etc/systemd/system/multi-user.target.wants; mkdir -p "$wants"
  for unit in "${units[@]}"; do ln -sf "$([ -e "$r/etc/systemd/system/$unit.service" ] && echo .. || echo /lib/systemd/system)/$unit.service" "$wants/"; done
  if [ ! -d "$d/keys" ]; then   # after a reset they are there, and known_hosts is still right
    mkdir -m 700 "$d/keys"; ssh-keygen -q -t ed25519 -N '' -C "$h" -f "$d/keys/ssh_host_ed25519_key"
    echo "$h,${IP[$h]} $(cut -d' ' -f1,2 "$d/keys/ssh_host_ed25519_key.pub")" >>"$SITE/known_hosts"
  fi
  cp -p "$d"/keys/* "$r/etc/ssh/"
  local home
  for home in root home/ops; do
    mkdir -p -m 700 "$r/$home/.ssh"; cp "$SITE/id_ed25519.pub" "$r/$home/.ssh/authorized_keys"
  done
  chown -R --reference="$r/home/ops" "$r/home/ops/.ssh"
}
boot_host() { # HOST: returns at once; host_up waits
  local h=$1 d=$S/hosts/$1 b binds=()
  # bare: /var/lib and /srv are the host's own disk; what is in them is for deliver to make
  if [ "$MODE" = bare ] && [ "$h" != ext1 ]; then binds+=("--bind=$d/state/varlib:/var/lib" "--bind=$d/state/srv:/srv")
  else for b in containerd:/var/lib/containerd kubelet:/var/lib/kubelet etcd:/var/lib/etcd registry:/var/lib/docker-registry local:/srv/local; do
    binds+=("--bind=$d/state/$b")
  done; fi
  if [ "$h" = reg1 ]; then   # the Harbor front is TypeScript of this repository, run by its Node
    for b in node_modules test/lab/harbor test/fixtures; do binds+=("--bind-ro=$(readlink -f "$REPO/$b"):/opt/deliver-lab/$b"); done
  fi
  (
    cg_enter "dlv-$h"
    # API_VFS_WRITABLE: the kubelet must write below /proc/sys
    export SYSTEMD_NSPAWN_API_VFS_WRITABLE=yes SYSTEMD_NSPAWN_USE_CGNS=1
    exec setsid nsenter --net=/run/netns/dlvsw systemd-nspawn -q -D "$d/root" --machine="dlv-$h" --hostname="$h" --boot \
      --network-namespace-path="/run/netns/dlv$h" --register=no --keep-unit --capability=all --kill-signal=SIGRTMIN+3 \
      --system-call-filter="@keyring bpf @module @clock @raw-io" --bind=/dev/kmsg --resolv-conf=off --timezone=off \
      --console=pipe "${binds[@]}" </dev/null >"$RUN/$h.log" 2>&1
  ) &
}
host_up() { wait_for 60 "sshd on $1 (see $RUN/$1.log)" on "$1" true; }
