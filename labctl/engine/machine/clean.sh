# clean.sh FOLDER GROUP: removes what a lab, or one node of it, left on the machine outside of its containers: guests, found
# by their control group; the group; namespaces and other mounts below the folder; the folder.
set -eu
folder=$1 group=$2

end_guests "$group"

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
