# What the lab is made of. The cache is keyed by these: change one here and only that one is built again.
KUBERNETES_VERSION=v1.34.4
ETCD_VERSION=v3.6.5
COREDNS_VERSION=v1.12.1
TRAEFIK_VERSION=v3.6.12
CRANE_VERSION=v0.20.7
REGCTL_VERSION=v0.11.1
ORAS_VERSION=v1.2.3
TOXIPROXY_VERSION=v2.5.0
MINIO_VERSION=v0.0.0-20260212201848-7aac2a2c5b7c
PAUSE_VERSION=3.10.1
DEBIAN_SUITE=bookworm
BASE_REVISION=1      # raise when the package list in base.sh changes
