/** Where kubeadm and deliver keep things on a node. */
export const CRI_SOCKET = 'unix:///run/containerd/containerd.sock';
export const ADMIN_CONF = '/etc/kubernetes/admin.conf';
export const KUBELET_CONF = '/etc/kubernetes/kubelet.conf';
/** Patches of one host, read by init, join and upgrade. */
export const PATCHES = '/etc/kubernetes/deliver-patches';
export const KUBELET_PATCH = `${PATCHES}/kubeletconfiguration0+merge.yaml`;
/** What deliver began on this host: `{op, state, kubernetes}`. */
export const MARKER = '/var/lib/deliver/kubernetes.json';
/** Memory of the host, gone with the next boot: lock, configuration with a token in it, what kubeadm said. */
export const RUN_FOLDER = '/run/deliver';
