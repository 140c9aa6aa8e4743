#!/bin/bash
# Makes the tree of the root file system: busybox, some real programs with their libraries, and the overlay.
#
# usage: make-rootfs.sh UNPACKED OVERLAY ROOTFS
set -euo pipefail

unpacked=$1 overlay=$2 rootfs=$3

# Programs that are more than their busybox applet, or have none. Test suites such as Tempest call them in ways that the
# applets do not understand.
programs=(
  blkid dbclient doas dropbear dropbearkey lsblk mke2fs mkfs nc.traditional resize2fs
)

make_folders() {
  mkdir -p "$rootfs"/{dev,etc/dropbear,home/lab/.ssh,mnt,opt,proc,root,run,sys,tmp,usr/bin,usr/lib,usr/lib64,usr/local/bin}
  mkdir -p "$rootfs"/var/{lib/guest,log,spool}
  # One folder for all programs: dropbear gives its users /usr/bin:/bin as PATH, and sbin tools must be found as well.
  ln -s usr/bin "$rootfs/bin"
  ln -s usr/bin "$rootfs/sbin"
  ln -s bin "$rootfs/usr/sbin"
  ln -s usr/lib "$rootfs/lib"
  ln -s usr/lib64 "$rootfs/lib64"
  ln -s ../run "$rootfs/var/run"
  ln -s ../tmp "$rootfs/var/tmp"
  ln -s /run/resolv.conf "$rootfs/etc/resolv.conf"
  ln -s /proc/mounts "$rootfs/etc/mtab"
}

install_busybox() {
  # Two of them. /bin/sh is the dynamic one: the shell of the static one runs its own applets before it looks at PATH,
  # so it would never find our nc and the real blkid. For the scripts of the boot that is just right: no program has to
  # be loaded for an applet, which saves more than a second under emulation.
  install -m 755 /bin/busybox "$rootfs/usr/bin/busybox"
  install -m 755 "$unpacked/bin/busybox" "$rootfs/usr/bin/busybox-static"
  local applet
  for applet in $(busybox --list); do
    ln -s busybox "$rootfs/usr/bin/$applet"
  done
  # passwd and su are in the static build only; init just starts sooner.
  for applet in init passwd su; do
    ln -sf busybox-static "$rootfs/usr/bin/$applet"
  done
}

# install_with_libraries FILE...: at the same path in the guest.
install_with_libraries() {
  local file
  for file; do
    install -D -m "$(stat -c %a "$file")" "$file" "$rootfs$file"
    ldd "$file" | sed -n 's,^[^/]*\(/[^ ]*\).*,\1,p'
  done | sort -u | while read -r library; do
    [ -e "$rootfs$library" ] || install -D -m 755 "$library" "$rootfs$library"
  done
}

install_programs() {
  local program paths=()
  for program in "${programs[@]}"; do
    rm -f "$rootfs/usr/bin/$program"
    paths+=("$(command -v "$program")")
  done
  # The modules are what doas, built with PAM, loads by name (see etc/pam.d).
  install_with_libraries /bin/busybox "${paths[@]}" /usr/lib/x86_64-linux-gnu/security/pam_{deny,permit}.so
  local type
  for type in ext2 ext3 ext4; do
    ln -s mke2fs "$rootfs/usr/bin/mkfs.$type"
  done
  ln -s dbclient "$rootfs/usr/bin/ssh"
}

# Modes are not taken from the overlay: they depend on the umask of whoever checked it out.
install_overlay() {
  local file
  (cd "$overlay" && find . -type f) | while read -r file; do
    # An applet's symbolic link must not be followed, but replaced.
    rm -f "$rootfs/$file"
    install -D -m "$(mode_of "$overlay/$file")" "$overlay/$file" "$rootfs/$file"
  done
  chmod 600 "$rootfs/etc/shadow"
  chmod 1777 "$rootfs/tmp"
  chmod 700 "$rootfs/root" "$rootfs/home/lab/.ssh"
  chown -R 1000:1000 "$rootfs/home/lab"
}

mode_of() {
  case $(head -c 2 "$1") in
    '#!') echo 755 ;;
    *) echo 644 ;;
  esac
}

make_folders
install_busybox
install_programs
install_overlay
