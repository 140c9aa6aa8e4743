#!/bin/bash
# Joins kernel and root file system to a bootable disk image, without root rights or loop devices.
#
#   1 MiB          16 MiB                                48 MiB
#   MBR, gap   |   FAT16: syslinux, kernel, initramfs  | ext4: root; grows with the disk at boot, so it comes last
#
# usage: make-disk.sh KERNEL ROOTFS DESTINATION
# KERNEL is what make-initramfs.sh made, with the modules for the root file system in rootfs/.
# Leaves in DESTINATION: guest.qcow2, guest.json.
set -euo pipefail

kernel=$1 rootfs=$2 destination=$3
here=$(dirname "$0")
export E2FSPROGS_FAKE_TIME=$SOURCE_DATE_EPOCH

readonly boot_mib=16 root_mib=48
# Names that do not change from build to build.
readonly disk_id=0x1ab0cafe
readonly root_uuid=1ab00000-0000-4000-8000-000000000001 hash_seed=1ab00000-0000-4000-8000-000000000002

work=$(mktemp -d)
mkdir -p "$destination"

make_boot_partition() {
  local image=$1
  truncate -s "${boot_mib}M" "$image"
  # -h: hidden sectors, that is where the partition starts on the disk.
  mkfs.fat -F 16 -s 2 -h 2048 -n LABBOOT --invariant "$image" > /dev/null
  mcopy -m -i "$image" "$kernel/vmlinuz" "$kernel/initramfs.gz" "$here/syslinux.cfg" ::
  syslinux --install "$image"
}

make_root_partition() {
  local image=$1
  truncate -s "${root_mib}M" "$image"
  # The label is what the initramfs looks for.
  mke2fs -q -t ext4 -b 4096 -m 0 -L lab-root -U "$root_uuid" \
    -E "hash_seed=$hash_seed,root_owner=0:0" -J size=4 -d "$rootfs" "$image"
  # The one time stamp that cannot be set in a tree.
  find "$rootfs" -printf "set_inode_field \"/%P\" ctime @$SOURCE_DATE_EPOCH\n" |
    debugfs -w -f - "$image" > /dev/null 2>&1
}

make_disk() {
  local image=$1
  truncate -s "$((1 + boot_mib + root_mib))M" "$image"
  sfdisk --quiet "$image" << TABLE
label: dos
label-id: $disk_id
start=1MiB, size=${boot_mib}MiB, type=e, bootable
start=$((1 + boot_mib))MiB, type=83
TABLE
  # The first 440 bytes are the boot code; the table follows.
  dd if=/usr/lib/syslinux/mbr/mbr.bin of="$image" bs=440 count=1 conv=notrunc status=none
  dd if="$work/boot" of="$image" bs=1M seek=1 conv=notrunc status=none
  dd if="$work/root" of="$image" bs=1M seek=$((1 + boot_mib)) conv=notrunc status=none
}

cp -a "$kernel/rootfs/lib/modules" "$rootfs/usr/lib/"
find "$kernel" "$rootfs" "$here" -exec touch --no-dereference --date="@$SOURCE_DATE_EPOCH" {} +
make_boot_partition "$work/boot"
make_root_partition "$work/root"
make_disk "$work/disk"
qemu-img convert -f raw -O qcow2 -c "$work/disk" "$destination/guest.qcow2"
cat > "$destination/guest.json" << JSON
{
  "kernel": "$(cat "$kernel/version")",
  "user": "lab",
  "min_ram_mb": 96,
  "properties": {"hw_rng_model": "virtio"},
  "virtual_size_mb": $((1 + boot_mib + root_mib))
}
JSON
touch --date="@$SOURCE_DATE_EPOCH" "$destination"/*
