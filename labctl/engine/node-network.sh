# node-network.sh ROUTER...: what the kernel knows of a node's network, in sections; runs in the node's network namespace.
# Routers are those that may be on the node; one that is not there has no section.
set -eu
section() { printf '\n== %s\n' "$1"; }
section links
ip -json -details address show
section ports
bridge -json -details link show
section fdb
bridge -json fdb show
section neighbours
ip -json neighbour show nud permanent
section filter
iptables-save -t filter
section table
nft list table inet labctl-node 2>/dev/null || true
section frames
ebtables-save
for router in "$@"; do
    if [ -e "/run/netns/qrouter-$router" ]; then
        section "router $router"
        ip netns exec "qrouter-$router" sh -euc 'sysctl -n net.ipv4.ip_forward; ip route show default'
    fi
done
