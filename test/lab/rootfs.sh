# A Debian root filesystem with the lab's users, sshd settings and the little that systemd in a container needs. Sourced.
make_rootfs() { # TARGET PACKAGES: in TARGET.part; the caller moves it into place when it is whole
  local part=$1.part packages=$2 mirror=
  rm -rf "$part"
  # this machine's own Debian source, so that a private mirror is used where there is one; else debootstrap's default
  if [ -e /etc/debian_version ] && grep -q '^ID=debian' /etc/os-release; then
    mirror=$({ awk '/^URIs:/{print $2}' /etc/apt/sources.list.d/*.sources; awk '/^deb /{print $2}' /etc/apt/sources.list; } 2>/dev/null | grep -m1 debian || true)
  fi
  # In a mount namespace of its own: what it mounts goes with it when it is killed, and the next `rm` meets no mount.
  # debootstrap's own log names the packages; only its last lines matter when it fails
  timeout 900 unshare -m --propagation private debootstrap --variant=minbase --include="$packages" "$DEBIAN_SUITE" "$part" ${mirror:+"$mirror"} >"$CACHE/base.log" 2>&1 ||
    { tail -5 "$CACHE/base.log" >&2; die "debootstrap failed, all of its log: $CACHE/base.log"; }

  # Two kinds of operator: `ops` has a key and sudo without questions, `opspw` has a password and sudo that asks for it.
  chroot "$part" sh -ec '
    useradd -m -s /bin/bash ops; useradd -m -s /bin/bash opspw; echo "opspw:'"$OPSPW_PASSWORD"'" | chpasswd
    printf "ops ALL=(ALL) NOPASSWD:ALL\nopspw ALL=(ALL) ALL\n" > /etc/sudoers.d/lab; chmod 440 /etc/sudoers.d/lab'
  printf 'HostKey /etc/ssh/ssh_host_ed25519_key\nUseDNS no\n' >"$part/etc/ssh/sshd_config.d/lab.conf"
  rm -f "$part"/etc/ssh/ssh_host_*                       # every host gets its own
  # each host turns on what it is for (host.sh); nothing is on by itself, and nothing that runs by the clock
  rm -f "$part"/etc/systemd/system/multi-user.target.wants/* "$part"/etc/systemd/system/timers.target.wants/* "$part"/etc/machine-id
  : >"$part/etc/machine-id"
  # cgroup v1 controllers are mounted read-only by nspawn (and "remount,rw" says busy): writable early in boot
  cat >"$part/etc/systemd/system/lab-cgroup-rw.service" <<'U'
[Unit]
DefaultDependencies=no
Before=sysinit.target
[Service]
Type=oneshot
RemainAfterExit=yes
ExecStart=/bin/sh -c 'for m in /sys/fs/cgroup /sys/fs/cgroup/*; do [ -d $m ] && mountpoint -q $m && mount -o remount,bind,rw $m || true; done'
U
  mkdir -p "$part/etc/systemd/system/sysinit.target.wants"
  ln -s ../lab-cgroup-rw.service "$part/etc/systemd/system/sysinit.target.wants/"
  rm -rf "$part"/var/cache/apt/archives/*.deb "$part"/var/lib/apt/lists/*
}
