#!/bin/bash
# Lists the Debian packages that the guest's content is from, as labctl asks dpkg-query for them in other images.
#
# usage: list-packages.sh ROOTFS DOWNLOADED
set -euo pipefail

rootfs=$1 downloaded=$2

# Files of the guest that are the same here belong to a package here. dpkg may know a path without its /usr.
owners() {
  (cd "$rootfs" && find usr -type f) | while read -r file; do
    cmp -s "$rootfs/$file" "/$file" || continue
    dpkg-query --search "/$file" 2>/dev/null || dpkg-query --search "/${file#usr/}"
  done | sed -n 's,: /.*,,p' | sort -u
}

format='installed\t${Package}\t${Version}\t${Architecture}\t${source:Package}\t${source:Version}\n'
# syslinux boots it: its loader is on the disk, outside of the file system.
mapfile -t packages < <(owners; echo syslinux; echo syslinux-common)
dpkg-query --show --showformat "$format" "${packages[@]}"
cat "$downloaded"
