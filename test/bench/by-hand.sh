#!/bin/bash
# The yardstick for bare hosts: the site of the end-to-end tests as someone would make it who knows its hosts by heart. Tuned
# shell on the lab's bare hosts, no checks, no accounts, no second run: files by tar over ssh, containerd, a registry with a
# CA of its own, kubeadm, the sample add-ons and the sample app behind its two addresses.
#   by-hand.sh                  reg1, cp1, w1 → app answering (bare-reset.sh first)
#   by-hand.sh --files HOST...  only programs and containerd, on these
# Prints when each stage was done; BY_HAND_JSON=FILE gets the same as JSON, in seconds.
set -euo pipefail
. "$(dirname "$(readlink -f "$0")")/../lab/env.sh"
need_root
[ "$MODE" = bare ] && [ -e /run/netns/dlvrun ] || die "needs a lab of bare hosts: DELIVER_LAB_MODE=bare bash test/lab/up.sh"
W=$(mktemp -d); trap 'rm -rf "$W"' EXIT
V=$KUBERNETES_PREVIOUS_VERSION; C=$(components_dir)
[ -d "$C" ] || die "the programs are not in the cache: bash test/lab/bare-components.sh"
nodes="cp1 w1"; [ "${1:-}" != --files ] || { shift; nodes=$*; only_files=1; }
started=$(date +%s%N); stages=()
done_at() { local s; s=$(awk -v a="$started" -v b="$(date +%s%N)" 'BEGIN { printf "%.1f", (b - a) / 1e9 }'); printf '%6s s  %s\n' "$s" "$1"; stages+=("\"$1\": $s"); }
all() { local p; for p in "$@"; do wait "$p"; done; }
g=$C/github.com

node_tree() { # what every node gets, as one folder, hard links and no copies
  local t=$W/node p
  mkdir -p "$t"/usr/local/{bin,sbin} "$t"/opt/cni/bin "$t"/etc/{containerd/certs.d,modules-load.d,sysctl.d} "$t"/etc/systemd/system/{kubelet.service.d,multi-user.target.wants}
  for p in kubeadm kubelet kubectl; do cp --reflink=auto "$C/dl.k8s.io/release/$V/bin/linux/amd64/$p" "$t/usr/local/bin/"; done
  tar -xzf "$g/containerd/containerd/releases/download/$CONTAINERD_VERSION/containerd-${CONTAINERD_VERSION#v}-linux-amd64.tar.gz" -C "$t/usr/local"
  cp "$g/opencontainers/runc/releases/download/$RUNC_VERSION/runc.amd64" "$t/usr/local/sbin/runc"
  tar -xzf "$g/containernetworking/plugins/releases/download/$CNI_PLUGINS_VERSION/cni-plugins-linux-amd64-$CNI_PLUGINS_VERSION.tgz" -C "$t/opt/cni/bin"
  tar -xzf "$g/kubernetes-sigs/cri-tools/releases/download/$CRICTL_VERSION/crictl-$CRICTL_VERSION-linux-amd64.tar.gz" -C "$t/usr/local/bin"
  chmod 755 "$t"/usr/local/{bin,sbin}/* "$t"/opt/cni/bin/*
  printf 'overlay\nbr_netfilter\n' >"$t/etc/modules-load.d/by-hand.conf"
  printf 'net.ipv4.ip_forward = 1\nnet.bridge.bridge-nf-call-iptables = 1\n' >"$t/etc/sysctl.d/90-by-hand.conf"
  cat >"$t/etc/systemd/system/containerd.service" <<'U'
[Service]
Type=notify
Delegate=yes
KillMode=process
ExecStart=/usr/local/bin/containerd
Environment=PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
LimitNOFILE=1048576
TasksMax=infinity
Restart=always
[Install]
WantedBy=multi-user.target
U
  cat >"$t/etc/systemd/system/kubelet.service" <<'U'
[Unit]
After=containerd.service
Wants=containerd.service
StartLimitIntervalSec=0
[Service]
EnvironmentFile=-/var/lib/kubelet/kubeadm-flags.env
Environment=PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
ExecStart=/usr/local/bin/kubelet --bootstrap-kubeconfig=/etc/kubernetes/bootstrap-kubelet.conf --kubeconfig=/etc/kubernetes/kubelet.conf --config=/var/lib/kubelet/config.yaml $KUBELET_KUBEADM_ARGS
Restart=always
RestartSec=2
[Install]
WantedBy=multi-user.target
U
  for p in containerd kubelet; do ln -s "../$p.service" "$t/etc/systemd/system/multi-user.target.wants/"; done
  cat >"$t/etc/containerd/config.toml" <<T
version = 2
[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "registry.k8s.io/pause:3.10"
  restrict_oom_score_adj = true
  [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
    runtime_type = "io.containerd.runc.v2"
    [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc.options]
      SystemdCgroup = true
  [plugins."io.containerd.grpc.v1.cri".registry]
    config_path = "/etc/containerd/certs.d"
T
  cp "$W/pki/ca.crt" "$t/etc/containerd/certs.d/by-hand-ca.crt"
  for p in registry.k8s.io docker.io; do mirror "$t" "$p" "/v2/$p"; done
  mirror "$t" "$HARBOR" /v2
}
mirror() { # TREE HOST PATH
  mkdir -p "$1/etc/containerd/certs.d/$2"
  printf 'server = "https://%s"\n[host."https://%s%s"]\n  capabilities = ["pull", "resolve"]\n  override_path = true\n  ca = "/etc/containerd/certs.d/by-hand-ca.crt"\n' \
    "$2" "$HARBOR" "$3" >"$1/etc/containerd/certs.d/$2/hosts.toml"
}
make_ca() {
  local k=(-newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes); mkdir "$W/pki"
  openssl req -x509 "${k[@]}" -days 3650 -keyout "$W/pki/ca.key" -out "$W/pki/ca.crt" -subj '/CN=by hand' -addext basicConstraints=critical,CA:TRUE 2>/dev/null
  openssl req "${k[@]}" -keyout "$W/pki/tls.key" -out "$W/pki/tls.csr" -subj "/CN=$HARBOR" 2>/dev/null
  printf 'subjectAltName=DNS:%s,IP:%s\nextendedKeyUsage=serverAuth\n' "$HARBOR" "${IP[reg1]}" >"$W/pki/ext"
  openssl x509 -req -in "$W/pki/tls.csr" -CA "$W/pki/ca.crt" -CAkey "$W/pki/ca.key" -CAcreateserial -days 825 -extfile "$W/pki/ext" -out "$W/pki/tls.crt" 2>/dev/null
}
registry() {
  local t=$W/reg1
  mkdir -p "$t"/usr/local/bin "$t"/etc/by-hand "$t"/etc/systemd/system
  tar -xzf "$g/distribution/distribution/releases/download/$REGISTRY_VERSION/registry_${REGISTRY_VERSION#v}_linux_amd64.tar.gz" -C "$t/usr/local/bin" registry
  cp "$W"/pki/tls.{crt,key} "$t/etc/by-hand/"
  printf 'version: 0.1\nlog: {level: error, accesslog: {disabled: true}}\nstorage: {filesystem: {rootdirectory: /var/lib/registry}}\nhttp: {addr: ":443", tls: {certificate: /etc/by-hand/tls.crt, key: /etc/by-hand/tls.key}}\n' >"$t/etc/by-hand/registry.yml"
  printf '[Service]\nEnvironment=OTEL_TRACES_EXPORTER=none\nExecStart=/usr/local/bin/registry serve /etc/by-hand/registry.yml\n' >"$t/etc/systemd/system/registry.service"
  tar -C "$t" --owner=0 --group=0 -c . | hin reg1 'tar -C / --no-overwrite-dir -x && systemctl daemon-reload && systemctl start registry'
  wait_for 30 "the registry" run curl -fsS --cacert "$W/pki/ca.crt" "https://${IP[reg1]}/v2/"
}
images() { # "LAYOUT REFERENCE" of everything that the site runs
  local i
  for i in kube-{apiserver,controller-manager,scheduler,proxy}:"$V" pause:3.10 "etcd:${ETCD_PREVIOUS_VERSION#v}-0" "coredns/coredns:$COREDNS_PREVIOUS_VERSION"; do echo "$(bare_images_dir) registry.k8s.io/$i"; done
  for i in library/traefik:"$TRAEFIK_VERSION" flannel/flannel:"$FLANNEL_VERSION" flannel/flannel-cni-plugin:"$FLANNEL_CNI_VERSION" rancher/local-path-provisioner:"$LOCAL_PATH_VERSION"; do echo "$(bare_images_dir) docker.io/$i"; done
  for i in docker.io/library/busybox:1.36 "$HARBOR/project/gatekeeper:v362"; do echo "$(images_dir)/upstream $i"; done
}
push() {
  mkdir "$W/certs"; cp "$W/pki/ca.crt" "$W/certs/"
  images | run xargs -P 6 -L 1 bash -c 'skopeo copy -q --insecure-policy --dest-cert-dir "$0" "oci:$3:$4" "docker://$1/${4#"$2/"}"' "$W/certs" "${IP[reg1]}" "$HARBOR"
}
containerd() { # HOST: programs, names, kernel settings, containerd running
  tar -C "$W/node" --owner=0 --group=0 -c . | hin "$1" "set -e; tar -C / --no-overwrite-dir -x
    grep -q $HARBOR /etc/hosts || echo '${IP[reg1]} $HARBOR' >>/etc/hosts
    swapoff -a; modprobe -a overlay br_netfilter 2>/dev/null || true; sysctl -q -p /etc/sysctl.d/90-by-hand.conf
    systemctl daemon-reload; systemctl start containerd; crictl -r unix:///run/containerd/containerd.sock info >/dev/null 2>&1"
}
k='export KUBECONFIG=/etc/kubernetes/admin.conf;'
init() {
  hin cp1 "cat >/root/kubeadm.yaml; kubeadm init --config /root/kubeadm.yaml >/root/init.log 2>&1 || { tail -20 /root/init.log >&2; exit 1; }" <<C
apiVersion: kubeadm.k8s.io/v1beta4
kind: InitConfiguration
localAPIEndpoint: { advertiseAddress: ${IP[cp1]}, bindPort: 6443 }
nodeRegistration: { criSocket: unix:///run/containerd/containerd.sock, name: cp1, taints: [], kubeletExtraArgs: [{ name: node-ip, value: ${IP[cp1]} }] }
---
apiVersion: kubeadm.k8s.io/v1beta4
kind: ClusterConfiguration
kubernetesVersion: $V
networking: { podSubnet: $POD_NET, serviceSubnet: $SERVICE_NET }
---
apiVersion: kubelet.config.k8s.io/v1beta1
kind: KubeletConfiguration
cgroupDriver: systemd
failCgroupV1: false
---
apiVersion: kubeproxy.config.k8s.io/v1alpha1
kind: KubeProxyConfiguration
mode: iptables
conntrack: { maxPerCore: 0, min: 0 }
C
}
addons() {
  local f
  { cat "$LAB/k8s/coredns.yaml"; for f in flannel local-path traefik; do echo ---; sed "s|\${site.network.pods}|$POD_NET|" "$REPO/manifests/addons/$f.yaml"; done; } |
    hin cp1 "$k kubectl apply --server-side --force-conflicts -f - >/dev/null"
}
join() { local j; j=$(on cp1 kubeadm token create --print-join-command 2>/dev/null); on w1 "$j --node-name w1 >/root/join.log 2>&1 || { tail -20 /root/join.log >&2; exit 1; }"; }
answers() { run curl -fsS -m 2 -o /dev/null "http://$1/" --resolve "$1:80:$2"; }

make_ca; node_tree; done_at "inputs laid out"
if [ -n "${only_files:-}" ]; then
  for h in $nodes; do containerd "$h" & pids="${pids:-} $!"; done; all $pids; done_at "programs and containerd"
else
  (registry; push) & reg=$!
  for h in $nodes; do containerd "$h" & pids="${pids:-} $!"; done; all $pids; done_at "programs and containerd"
  wait $reg;                                  done_at "registry filled"
  init;                                       done_at "kubeadm init"
  addons & add=$!; join; wait $add;           done_at "joined, add-ons applied"
  sed "s/REDIS_IP/${IP[ext1]}/; s/INGRESS_1/${INGRESS[cp1]}/; s/INGRESS_2/${INGRESS[w1]}/" "$REPO/test/bench/by-hand.yaml" | hin cp1 "$k kubectl apply -f - >/dev/null"
  on cp1 "$k kubectl wait --for=condition=Ready node --all --timeout=120s >/dev/null"; done_at "nodes ready"
  for h in cp1 w1; do wait_for 180 "the app" answers "gatekeeper.project.${INGRESS[$h]}.nip.io" "${INGRESS[$h]}"; done
  on cp1 "$k kubectl -n project rollout status deploy/notice --timeout=120s >/dev/null"; done_at "app answering"
fi
[ -z "${BY_HAND_JSON:-}" ] || (IFS=,; printf '{ %s }\n' "${stages[*]}" >"$BY_HAND_JSON")
