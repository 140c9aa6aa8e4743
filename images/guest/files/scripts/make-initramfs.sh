#!/bin/bash
# Makes the initramfs: one static busybox, and the drivers that lead to the root disk (they are all modules).
#
# usage: make-initramfs.sh UNPACKED DESTINATION
# Leaves in DESTINATION: vmlinuz, initramfs.gz, version.
set -euo pipefail

unpacked=$1 destination=$2
here=$(dirname "$0")
tree=$(mktemp -d)

mkdir -p "$destination" "$tree"/{bin,dev,modules,newroot,proc,sys}
install -m 755 "$here/initramfs-init" "$tree/init"
install -m 755 "$unpacked/bin/busybox" "$tree/bin/busybox"
# The two that must be found before /proc is there; then busybox finds itself, and runs the other applets.
ln -s busybox "$tree/bin/sh"
ln -s busybox "$tree/bin/mount"

# add_modules GROUP MODULE...: files numbered in load order, so that "for f in GROUP/*" loads them.
add_modules() {
  local group=$1 copies number=100
  shift
  copies=$(mktemp -d)
  mkdir "$tree/modules/$group"
  for module in $(bash "$here/copy-modules.sh" "$unpacked" "$copies" "$@"); do
    cp "$copies/$module" "$tree/modules/$group/$((number++))-$(basename "$module")"
  done
}
# Nova's default disk; and what it may be told to use instead, loaded only if there is no such disk.
add_modules virtio virtio_pci virtio_blk
add_modules scsi virtio_pci virtio_scsi ata_piix sd_mod

find "$tree" -exec touch --no-dereference --date="@$SOURCE_DATE_EPOCH" {} +
# gzip: zstd and lz4 take the same time to boot, and xz needs more memory than a small flavor has.
(cd "$tree" && find . -print0 | LC_ALL=C sort -z | cpio -0 -o -H newc --quiet --reproducible --owner 0:0) |
  gzip -9n > "$destination/initramfs.gz"

cp "$unpacked"/boot/vmlinuz-* "$destination/vmlinuz"
basename "$unpacked"/lib/modules/* > "$destination/version"
