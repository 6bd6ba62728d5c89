#!/bin/bash
# Puts a site that is up back to how it was before deliver came, in seconds instead of a new bring-up: no release in the
# cluster, no mirrors on the nodes, an empty Harbor, an empty Redis, services running, counters at zero. For tests.
set -euo pipefail
. "$(dirname "$(readlink -f "$0")")/env.sh"; . "$LAB/registry.sh"; . "$LAB/cluster.sh"
need_root
[ -e /run/netns/dlvrun ] || die "the lab is not up"
for n in $NODES; do on "$n" systemctl start containerd kubelet & done
wait
wait_for 90 "the API server" kubectl get --raw /readyz
others=$(kubectl get ns -o name | grep -vE '/(default|traefik|kube-.*)$' || true)
[ -z "$others" ] || kubectl delete --timeout=100s $others >/dev/null
kubectl delete pv --all --timeout=60s >/dev/null
for n in $NODES; do
  hin "$n" "cat >/run/lab-images
    rm -rf /etc/containerd/certs.d/* /srv/local/pv*; mkdir -p /srv/local/pv{1..8}
    ctr -n k8s.io images ls -q | grep -vxFf /run/lab-images | xargs -r ctr -n k8s.io images rm --sync >/dev/null" <"$RUN/images-$n" &
done
wait
volumes | kubectl apply -f - >/dev/null
on reg1 'systemctl stop harbor-front; systemctl stop docker-registry; find /var/lib/docker-registry -mindepth 1 -delete
  rm -f /var/lib/harbor-front/*; : >/var/log/harbor-front/access.log || true; systemctl start docker-registry harbor-front'
on ext1 'systemctl restart redis-server; redis-cli flushall' >/dev/null
for h in $HOSTS; do hin "$h" 'cat >/etc/hosts' <"$RUN/hosts"; done
if [ -e "$S/upstream/access.log" ]; then : >"$S/upstream/access.log"; fi
wait_for 30 "Harbor" harbor_answers
bash "$LAB/escapes.sh" --reset
