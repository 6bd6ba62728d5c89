# The overlay layer that turns a host into a Kubernetes node that nobody has run kubeadm on yet. Sourced.
make_k8s_layer() {
  local k=$S/layer-k8s b
  rm -rf "$k"; mkdir -p "$k"/usr/bin "$k"/etc/systemd/system/kubelet.service.d "$k"/opt/cni/bin "$k"/etc/containerd/certs.d
  for b in kubeadm kubelet kubectl; do
    ln "$CACHE/bin/kubernetes-$KUBERNETES_VERSION/$b" "$k/usr/bin/" 2>/dev/null || cp "$CACHE/bin/kubernetes-$KUBERNETES_VERSION/$b" "$k/usr/bin/"
  done
  cp -a "$BASE"/usr/lib/cni/* "$k/opt/cni/bin/"
  cat >"$k/etc/systemd/system/kubelet.service" <<'U'
[Unit]
Description=kubelet
After=containerd.service
Wants=containerd.service
[Service]
Environment="KUBELET_KUBECONFIG_ARGS=--bootstrap-kubeconfig=/etc/kubernetes/bootstrap-kubelet.conf --kubeconfig=/etc/kubernetes/kubelet.conf"
Environment="KUBELET_CONFIG_ARGS=--config=/var/lib/kubelet/config.yaml"
EnvironmentFile=-/var/lib/kubelet/kubeadm-flags.env
ExecStart=/usr/bin/kubelet $KUBELET_KUBECONFIG_ARGS $KUBELET_CONFIG_ARGS $KUBELET_KUBEADM_ARGS
Restart=always
StartLimitInterval=0
RestartSec=2
U
  # config_path is set and its folder empty: the mirrors are deliver's to write.
  # restrict_oom_score_adj: some machines lack CAP_SYS_RESOURCE, and runc dies there on the static pods' negative scores.
  cat >"$k/etc/containerd/config.toml" <<T
version = 2
[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "registry.k8s.io/pause:$PAUSE_VERSION"
  restrict_oom_score_adj = true
  [plugins."io.containerd.grpc.v1.cri".cni]
    bin_dir = "/opt/cni/bin"
    conf_dir = "/etc/cni/net.d"
  [plugins."io.containerd.grpc.v1.cri".registry]
    config_path = "/etc/containerd/certs.d"
  [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
    runtime_type = "io.containerd.runc.v2"
T
}
