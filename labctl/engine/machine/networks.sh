# networks.sh: takes away what Neutron made in a node, whose container runs this: namespaces with all that is in them, then
# links that the linuxbridge agent made, by its prefixes (neutron/plugins/ml2/drivers/linuxbridge/agent), and taps.
set -eu
for namespace in /run/netns/*; do
    if [ "$namespace" != /run/netns/node ]; then ip netns delete "${namespace##*/}"; fi
done
links() { in-node ip -oneline link show | awk -F '[ :@]+' '$2 ~ /^(tap|vxlan-|provider0\.|brq)/ { print $2 }'; }
for link in $(links); do
    # Taps of guests go by themselves, as the other end of a pair does.
    in-node ip link delete "$link" 2>/dev/null || ! in-node ip link show dev "$link" >/dev/null 2>&1
done
