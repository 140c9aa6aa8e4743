# prepare.sh FOLDER NODE...: the folders that the containers of nodes share. What they mount there must appear in all of them,
# so it has to be on a mount that is shared itself (mount(8), --make-shared), and gone with the next boot: where systemd runs,
# /run is both; elsewhere the folder becomes a file system of its own.
set -eu
folder=$1
shift
# For root alone: who reaches libvirt's sockets or enters a node's namespace is root on the machine.
mkdir -p -m 0700 "$(dirname "$folder")" "$folder"
chmod 0700 "$(dirname "$folder")" "$folder"
case $(findmnt --noheadings --output FSTYPE,PROPAGATION --target "$folder") in
tmpfs*shared*) ;;
*)
    mount -t tmpfs -o mode=700 labctl "$folder"
    mount --make-shared "$folder"
    ;;
esac
for node in "$@"; do mkdir -p "$folder/$node/netns" "$folder/$node/pts" "$folder/$node/libvirt" "$folder/$node/log"; done
