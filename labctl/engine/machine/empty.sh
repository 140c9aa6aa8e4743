# empty.sh FOLDER GROUP: ends the guests of a lab, and takes away what its libvirts, which do not run, knew of them.
set -eu
folder=$1 group=$2

end_guests "$group"
awk -v folder="$folder/" 'index($5, folder) == 1 && $5 ~ /^[^ ]*\/libvirt\// { print $5 }' /proc/self/mountinfo | tac |
    while read -r mount; do umount "$mount"; done
find "$folder"/*/libvirt -mindepth 1 -delete
set -- $guests
echo "$#"
