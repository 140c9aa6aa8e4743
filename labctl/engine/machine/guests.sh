# guests.sh: what ends the guests of a lab, or of one node, found by their control group; for the scripts that it is put before.
# end_guests GROUP: kills them and what serves them, removes the groups, and leaves what they were in $guests and $groups.
end_guests() {
    # Where start-libvirtd made it: in the one hierarchy of cgroup v2, or in each of v1 (some names are links to others).
    # Not by a walk through all groups: those of other containers vanish meanwhile, and that is find's failure.
    if [ -e /sys/fs/cgroup/cgroup.procs ]; then roots=/sys/fs/cgroup; else roots=$(find /sys/fs/cgroup -mindepth 1 -maxdepth 1 -type d); fi
    groups=$(for root in $roots; do if [ -d "$root/$1" ]; then find "$root/$1" -depth -type d; fi; done)
    all=$(processes)
    # virtlogd, which writes their consoles, is with them and none of them.
    guests=$(for one in $all; do if grep -q -s '^qemu' "/proc/$one/comm"; then echo "$one"; fi; done)
    if [ -n "$all" ]; then kill -KILL $all || [ -z "$(processes)" ]; fi
    # A killed process leaves its group when the kernel is done with its memory.
    while [ -n "$(threads)" ]; do sleep 0.05; done
    for one in $groups; do rmdir "$one"; done
}
processes() { for one in $groups; do cat "$one/cgroup.procs"; done | sort -un; }
# Called `tasks` by cgroup v1. A process whose first thread has ended is in no cgroup.procs, while others still end.
threads() { for one in $groups; do cat "$one/tasks" 2>/dev/null || cat "$one/cgroup.threads"; done; }
