# clean.sh FOLDER GROUP: removes what a lab, or one node of it, left on the machine outside of its containers: guests, found
# by their control group; the group; namespaces and other mounts below the folder; the folder.
set -eu
folder=$1 group=$2

# Where start-libvirtd made it: in the one hierarchy of cgroup v2, or in each of v1 (some names are links to others). Not by
# a walk through all groups: those of other containers vanish meanwhile, and that is find's failure.
if [ -e /sys/fs/cgroup/cgroup.procs ]; then roots=/sys/fs/cgroup; else roots=$(find /sys/fs/cgroup -mindepth 1 -maxdepth 1 -type d); fi
groups=$(for root in $roots; do if [ -d "$root/$group" ]; then find "$root/$group" -depth -type d; fi; done)
processes() { for one in $groups; do cat "$one/cgroup.procs"; done | sort -un; }
# Called `tasks` by cgroup v1. A process whose first thread has ended is in no cgroup.procs, while others still end.
threads() { for one in $groups; do cat "$one/tasks" 2>/dev/null || cat "$one/cgroup.threads"; done; }

guests=$(processes)
if [ -n "$guests" ]; then kill -KILL $guests || [ -z "$(processes)" ]; fi
# A killed process leaves its group when the kernel is done with its memory.
while [ -n "$(threads)" ]; do sleep 0.05; done
for one in $groups; do rmdir "$one"; done

# The latest mount first; one place may be mounted on several times.
awk -v folder="$folder" '$5 == folder || index($5, folder "/") == 1 { print $5 }' /proc/self/mountinfo | tac |
    while read -r mount; do umount "$mount"; done
rm -rf "$folder"

# What is above goes with the last that is in it.
if [ -d "$(dirname "$folder")" ]; then rmdir --ignore-fail-on-non-empty "$(dirname "$folder")"; fi
for one in $groups; do
    case $one in *"/$group") rmdir --ignore-fail-on-non-empty "$(dirname "$one")" ;; esac
done
set -- $guests
echo "$#"
