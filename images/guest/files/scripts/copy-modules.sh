#!/bin/bash
# Copies kernel modules, and the modules that they depend on, out of an unpacked kernel package.
#
# usage: copy-modules.sh UNPACKED DESTINATION MODULE...
# Prints the copied files, relative to DESTINATION, in the order in which they have to be loaded.
set -euo pipefail

unpacked=$1 destination=$2
shift 2
version=$(basename "$unpacked"/lib/modules/*)
modules=lib/modules/$version

depmod -b "$unpacked" "$version"
mkdir -p "$destination/$modules"

# "insmod PATH" for a module, "builtin NAME" for what the kernel has anyway.
modprobe -d "$unpacked" -S "$version" --show-depends -a "$@" |
  awk '$1 == "insmod" && !seen[$2]++ { print $2 }' |
  while read -r source; do
    module=${source#"$unpacked"/}
    install -D -m 644 "$source" "$destination/$module"
    # Debug data, type data and (as a side effect) the signature: checking one takes longer than loading the module.
    strip --strip-debug --remove-section=.BTF "$destination/$module"
    echo "$module"
  done

cp "$unpacked/$modules"/modules.{builtin,builtin.modinfo,order} "$destination/$modules/"
depmod -b "$destination" "$version"
# The binary indexes are for kmod; busybox reads the text files.
rm "$destination/$modules"/modules.*.bin
