# shut.sh SECONDS NODE...: asks the guests of the nodes to shut down, as the power button does (ACPI), and waits for them;
# whoever runs after so many seconds is switched off. Prints how many ran, and how many were switched off.
seconds=$1
shift
trap 'exit 143' TERM INT
virsh_on() { timeout 10 virsh --quiet --connect "qemu+unix:///system?socket=/nodes/$1/libvirt/libvirt-sock" "${@:2}" </dev/null; }
active() { virsh_on "$1" list --uuid | sed '/^$/d'; }
running() { for node; do active "$node"; done | wc -l; }

ran=$(running "$@")
for node; do
    # One that is suspended does not notice the button, and is switched off at the end.
    for guest in $(active "$node"); do virsh_on "$node" shutdown "$guest" >&2 || true; done
done
until [ "$(running "$@")" -eq 0 ] || [ "$SECONDS" -ge "$seconds" ]; do sleep 0.2; done
off=$(running "$@")
for node; do
    # It may have ended by itself meanwhile.
    for guest in $(active "$node"); do virsh_on "$node" destroy "$guest" >&2 || [ -z "$(active "$node" | grep "$guest")" ]; done
done
echo "$ran $off"
