# The site's Kubernetes, as kubeadm makes it: cp1 and w1, both of which run pods. Sourced.
# Its own images are put on the nodes by hand: Harbor stays empty until deliver comes.
import_images() { # NODE
  local kind=worker; [ "$1" != cp1 ] || kind=control-plane
  wait_for 30 "containerd on $1" on "$1" ctr version
  hin "$1" ctr -n k8s.io images import - <"$(images_dir)/$kind.tar" >"$RUN/import-$1.log" 2>&1
  # the kubelet's garbage collection must never take what can't be had again
  on "$1" 'ctr -n k8s.io images ls -q | xargs -I{} ctr -n k8s.io images label {} io.cri-containerd.pinned=pinned' >/dev/null
  on "$1" ctr -n k8s.io images ls -q >"$RUN/images-$1"
  # Debian's own plugins, by hand: a bridge per node, and static routes between them (net.sh)
  printf '{"cniVersion":"0.4.0","name":"lab","plugins":[{"type":"bridge","bridge":"cni0","isGateway":true,"ipMasq":true,"hairpinMode":true,"ipam":{"type":"host-local","ranges":[[{"subnet":"%s"}]],"routes":[{"dst":"0.0.0.0/0"}]}},{"type":"portmap","capabilities":{"portMappings":true}}]}' \
    "${POD_CIDR[$1]}" | hin "$1" 'mkdir -p /etc/cni/net.d /srv/local/pv{1..8}; cat >/etc/cni/net.d/10-lab.conflist'
}
init_cluster() {
  local k='export KUBECONFIG=/etc/kubernetes/admin.conf;' join h cidr
  hin cp1 'cat >/root/kubeadm.yaml' <<C
apiVersion: kubeadm.k8s.io/v1beta4
kind: InitConfiguration
localAPIEndpoint: { advertiseAddress: ${IP[cp1]}, bindPort: 6443 }
nodeRegistration:
  criSocket: unix:///run/containerd/containerd.sock
  name: cp1
  taints: []
  kubeletExtraArgs: [{ name: node-ip, value: ${IP[cp1]} }]
---
apiVersion: kubeadm.k8s.io/v1beta4
kind: ClusterConfiguration
kubernetesVersion: $KUBERNETES_VERSION
networking: { podSubnet: $POD_NET, serviceSubnet: $SERVICE_NET, dnsDomain: cluster.local }
---
apiVersion: kubelet.config.k8s.io/v1beta1
kind: KubeletConfiguration
cgroupDriver: cgroupfs
failCgroupV1: false
---
apiVersion: kubeproxy.config.k8s.io/v1alpha1
kind: KubeProxyConfiguration
mode: iptables
conntrack: { maxPerCore: 0, min: 0 }
C
  on cp1 kubeadm init --config /root/kubeadm.yaml >"$RUN/init.log" 2>&1 || { tail -20 "$RUN/init.log" >&2; die "kubeadm init failed"; }
  # before CoreDNS first starts: without a nameserver to forward to, its default configuration crashes
  hin cp1 "$k kubectl apply --server-side --force-conflicts -f -" <"$LAB/k8s/coredns.yaml" >/dev/null
  join=$(on cp1 kubeadm token create --print-join-command 2>/dev/null)
  on w1 "$join --node-name w1" >"$RUN/join.log" 2>&1 || { tail -20 "$RUN/join.log" >&2; die "kubeadm join failed"; }
  for h in $NODES; do
    wait_for 30 "the pod network of $h" on cp1 "$k kubectl get node $h -o jsonpath='{.spec.podCIDR}' | grep -qx ${POD_CIDR[$h]}"
  done
  { sed "s/TRAEFIK_VERSION/$TRAEFIK_VERSION/" "$LAB/k8s/traefik.yaml"; echo ---; volumes; } | hin cp1 "$k kubectl apply -f -" >/dev/null
  on cp1 cat /etc/kubernetes/admin.conf >"$SITE/kubeconfig"; chmod 600 "$SITE/kubeconfig"
}
volumes() { # the class and its volumes: folders on the nodes, as a site without a provisioner has them
  local h i
  cat <<C
apiVersion: storage.k8s.io/v1
kind: StorageClass
metadata: { name: local }
provisioner: kubernetes.io/no-provisioner
volumeBindingMode: WaitForFirstConsumer
C
  for h in $NODES; do for i in 1 2 3 4 5 6 7 8; do cat <<C
---
apiVersion: v1
kind: PersistentVolume
metadata: { name: $h-pv$i }
spec:
  capacity: { storage: 10Gi }
  accessModes: [ReadWriteOnce]
  persistentVolumeReclaimPolicy: Retain
  storageClassName: local
  local: { path: /srv/local/pv$i }
  nodeAffinity: { required: { nodeSelectorTerms: [{ matchExpressions: [{ key: kubernetes.io/hostname, operator: In, values: [$h] }] }] } }
C
  done; done
}
kubectl() { run timeout 120 "$CACHE/bin/kubernetes-$KUBERNETES_VERSION/kubectl" --kubeconfig "$SITE/kubeconfig" "$@"; }
cluster_ready() {
  kubectl wait --for=condition=Ready node --all --timeout=120s
  kubectl -n kube-system rollout status ds/kube-proxy --timeout=120s
  # they started at the same time as kube-proxy, could not reach the API server yet, and would wait half a minute to retry
  kubectl -n kube-system delete pod -l k8s-app=kube-dns --grace-period=0 --force 2>/dev/null
  kubectl -n kube-system rollout status deploy/coredns --timeout=120s
  kubectl -n traefik rollout status ds/traefik --timeout=120s
}
