# The site's network: a bridge without an uplink (namespace dlvsw), one namespace per host and one for the runner.
# Sourced. The gateway address answers nothing: packets for the outside arrive there and are counted (escapes.sh).
add_netns() { # NAME ADDRESS
  local i mac; mac=$(printf '02:4d:4d:%02x:%02x:%02x' "${2#*.*.*.}" 0 1)   # the same after a reset, or others would ask the old one
  ip netns add "$1"
  # A namespace that is gone by name may live on for what still holds it (pods of a host that lost power): it loses its link.
  nsenter --net=/run/netns/dlvsw ip link del "v-$1" 2>/dev/null || true
  # both ends are made where they belong, so that no link of the lab ever shows in the machine's own network. A name
  # that was used a moment ago (power cycle) may take a little to be free again.
  for i in $(seq 50); do
    ip link add eth0 netns "$1" address "$mac" type veth peer name "v-$1" netns dlvsw 2>/dev/null && break; sleep 0.1
  done
  nsenter --net=/run/netns/dlvsw ip link set "v-$1" master dlvbr0 up
  nsenter --net="/run/netns/$1" sh -ec "
    sysctl -qw net.ipv6.conf.all.disable_ipv6=1 net.ipv6.conf.default.disable_ipv6=1 net.ipv4.ip_forward=1
    ip link set lo up; ip addr add $2/24 dev eth0; ip link set eth0 up; ip route add default via $GATEWAY"
}
add_host_net() { # HOST
  add_netns "dlv$1" "${IP[$1]}"; host_routes "dlv$1" "$1"
}
host_routes() { # NETNS HOST: ingress addresses and pod networks of the other nodes
  local o
  for o in $NODES; do
    if [ "$o" = "$2" ]; then nsenter --net="/run/netns/$1" ip addr add "${INGRESS[$o]}/32" dev eth0
    else
      nsenter --net="/run/netns/$1" ip route add "${INGRESS[$o]}" via "${IP[$o]}"
      # on bare hosts the pod network is the network plugin's to route
      [ "$MODE" = bare ] || nsenter --net="/run/netns/$1" ip route add "${POD_CIDR[$o]}" via "${IP[$o]}"
    fi
  done
}
make_net() {
  local h forward=0
  # silent: packets for the outside vanish (timeouts). reject: the gateway says unreachable at once. Sites have either.
  [ "${DELIVER_LAB_GATEWAY:-silent}" = reject ] && forward=1
  ip netns add dlvsw
  nsenter --net=/run/netns/dlvsw sh -ec "
    sysctl -qw net.ipv6.conf.all.disable_ipv6=1 net.ipv6.conf.default.disable_ipv6=1 net.ipv4.ip_forward=$forward
    for t in iptables ip6tables arptables; do sysctl -qw net.bridge.bridge-nf-call-\$t=0 2>/dev/null || true; done
    ip link set lo up; ip link add dlvbr0 type bridge; ip addr add $GATEWAY/24 dev dlvbr0; ip link set dlvbr0 up"
  # In the bridge family, so that it sees every frame that any host sends, wherever that host thinks it goes. A question
  # for a name counts too: the gateway is the hosts' resolver, and there is no resolver there.
  nsenter --net=/run/netns/dlvsw nft -f - <<N
table bridge lab {
  counter escaped { }
  set who { type ipv4_addr . ipv4_addr . inet_proto . inet_service; size 4096; flags dynamic; counter; }
  chain watch {
    type filter hook prerouting priority 0;
    ether type ip ip daddr $GATEWAY th dport 53 goto escape
    ether type ip ip daddr != { 10.77.0.0/24, ${INGRESS[cp1]}, ${INGRESS[w1]}, $POD_NET, $SERVICE_NET, $KUBEKEY_NET, 224.0.0.0/4, 255.255.255.255 } goto escape
    ether type ip6 ip6 daddr != { fe80::/10, ff00::/8 } counter name escaped
  }
  chain escape {
    counter name escaped
    update @who { ip saddr . ip daddr . ip protocol . th dport }
  }
}
N
  add_netns dlvrun "$RUNNER_IP"; host_routes dlvrun runner
  for h in $HOSTS; do add_host_net "$h"; done
}
