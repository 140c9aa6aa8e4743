# Tries, in a network namespace of its own, what the agents of nodes ask of the kernel; prints what it does not have.
try() {
    feature=$1
    shift
    "$@" > /dev/null 2>&1 || echo "$feature"
}
ip link set lo up
try "bridges (bridge)" ip link add bridge0 type bridge
try "VXLAN (vxlan)" ip link add vxlan0 type vxlan id 1 dstport 8472 group 224.0.0.1 dev lo
try "pairs of devices (veth)" ip link add veth0 type veth peer name veth1
try "guests' devices (tun)" ip tuntap add dev tap0 mode tap
try "network namespaces" unshare --net true
try "address translation (iptables nat)" iptables -t nat -A PREROUTING -p tcp -j REDIRECT --to-ports 80
try "rules for the state of connections (xt_conntrack)" iptables -A INPUT -m conntrack --ctstate ESTABLISHED -j ACCEPT
try "rules for ports of bridges (xt_physdev)" iptables -A INPUT -m physdev --physdev-in tap0 -j ACCEPT
try "rules for MAC addresses (xt_mac)" iptables -A INPUT -m mac --mac-source 02:00:00:00:00:01 -j ACCEPT
try "sets of addresses (ip_set)" ipset create set0 hash:net
try "rules for sets of addresses (xt_set)" iptables -A INPUT -m set --match-set set0 src -j ACCEPT
try "rules for frames (ebtables)" ebtables -t nat -A PREROUTING -j ACCEPT
rules="table inet table0 {
    chain in { type filter hook input priority 0; ct state established accept; }
    chain out { type filter hook output priority 0; meta skuid 0 accept; }
    chain pre { type filter hook prerouting priority raw; meta iifkind \"bridge\" ip daddr 192.0.2.0/24 drop; }
}"
try "rules of nftables (nf_tables_inet, nft_ct)" nft -- "$rules"
test -e /proc/sys/net/bridge/bridge-nf-call-iptables || echo "rules for bridged packets (br_netfilter)"
