# take.sh NODE...: suspends the guests of the nodes, copies /volumes to /snapshot, lets the guests run again.
# A guest that is suspended has written to its disk all that it had told its kernel's driver to (libvirt stops QEMU, and
# QEMU flushes its disks).
suspended=()
virsh_on() { virsh --quiet --connect "qemu+unix:///system?socket=/nodes/$1/libvirt/libvirt-sock" "${@:2}" </dev/null; }
resume() {
    local guest failed=0
    for guest in "${suspended[@]}"; do virsh_on "${guest%%/*}" resume "${guest##*/}" >/dev/null || failed=1; done
    suspended=()
    return $failed
}
trap resume EXIT
trap 'exit 143' TERM INT
for node; do
    for guest in $(virsh_on "$node" list --uuid --state-running); do
        suspended+=("$node/$guest")
        virsh_on "$node" suspend "$guest" >/dev/null
    done
done
cp --archive --sparse=always --reflink=auto -- /volumes/* /snapshot/ &
wait $!
resume
cd /snapshot
find . -type s -delete
du --block-size=1 --summarize -- *
