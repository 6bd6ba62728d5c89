# What the lab is made of. The cache is keyed by these: change one here and only that one is built again.
KUBERNETES_VERSION=v1.34.4
ETCD_VERSION=v3.6.5
COREDNS_VERSION=v1.12.1
TRAEFIK_VERSION=v3.6.12
CRANE_VERSION=v0.20.7
REGCTL_VERSION=v0.11.1
MINIO_VERSION=v0.0.0-20260212201848-7aac2a2c5b7c
PAUSE_VERSION=3.10.1
DEBIAN_SUITE=bookworm
BASE_REVISION=2      # raise when the package list in base.sh changes
BARE_REVISION=1
# what a site of bare hosts gets, from the release that a packager makes of it
KUBERNETES_PREVIOUS_VERSION=v1.33.13
ETCD_PREVIOUS_VERSION=v3.5.24
COREDNS_PREVIOUS_VERSION=v1.12.0
CONTAINERD_VERSION=v1.7.28
CONTAINERD_2_VERSION=v2.1.4
RUNC_VERSION=v1.3.0
CNI_PLUGINS_VERSION=v1.7.1
CRICTL_VERSION=v1.34.0
HELM_VERSION=v3.19.0
REGISTRY_VERSION=v3.0.0
FLANNEL_VERSION=v0.26.7
FLANNEL_CNI_VERSION=v1.6.2-flannel1    # the tag of the image; the program in it is the lab's own (flannel-cni/)
LOCAL_PATH_VERSION=v0.0.30
HAPROXY_VERSION=2.6.12
