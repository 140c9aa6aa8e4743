#!/bin/sh
# boot.sh DATA SOCKET: the first process of a machine in namespaces (machine.py): what a boot does, then the engine.
set -eu
mount --make-rprivate /
mount -t proc proc /proc
# What is below /run is gone with every boot; it is shared, as systemd makes it.
mount -t tmpfs -o mode=755 tmpfs /run
mount --make-shared /run
mkdir -p /run/sys /run/lock
mount -t sysfs sysfs /run/sys
if [ "${CGROUP:-1}" = 2 ]; then
    # The hierarchy of cgroup v2 alone; its controllers stay with v1 where the real machine has those.
    mount -t cgroup2 cgroup2 /run/sys/fs/cgroup
else
    mount --rbind /sys/fs/cgroup /run/sys/fs/cgroup
fi
mount --rbind /run/sys /sys
ip link set lo up
if [ -n "${VOLUMES_SIZE:-}" ]; then
    # The engine binds a data folder that is no mount of its own over itself, without what is mounted below it
    # (moby: daemon_linux.go, setupDaemonRootPropagation).
    mount --bind "$1" "$1"
    mkdir -p "$1/volumes"
    mount -t tmpfs -o "size=$VOLUMES_SIZE" tmpfs "$1/volumes"
fi
rm -f "$2"
exec dockerd --data-root "$1" --exec-root /run/docker --pidfile /run/docker.pid --host "unix://$2"
