"""Looks at the machine as root, in the host's PID and network namespaces; prints JSON. Standard library only.

It runs in a privileged container (tests/lab/machine.py), so that tests need neither root nor tools of the machine: `ip`
and `iptables-save` are the image's. What belongs to its own container is left out of all that it prints.
"""

import ipaddress
import json
import os
import re
import shutil
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

PROC = Path("/proc")
HOST = PROC / str(os.getppid())
"""The container's shim: a process in the host's namespaces. Process 1 may be closed even to root."""
GUESTS = re.compile(r"/(labctl/[^/\n]+/[^/\n]+)$", re.MULTILINE)
"""The control group of a node's guests and of the libvirt that started them, which leave their container's."""

CONTAINER_ID = re.compile(r"[0-9a-f]{64}")
RANDOM = re.compile(r"\b[0-9a-f]{12,64}(-init)?\b")
OF_IPTABLES = {"filter", "nat", "mangle", "raw", "security"}
LISTENING, UNCONNECTED = "0A", "07"


def processes():
    """Process ids, in order."""
    return sorted(int(entry.name) for entry in PROC.iterdir() if entry.name.isdigit())


def namespace(pid, kind):
    """The inode of a process's namespace; empty where the process is gone or has none."""
    try:
        return str((PROC / str(pid) / "ns" / kind).readlink()).strip(f"{kind}:[]")
    except OSError:
        return ""


def own_container():
    """This container's id: its /etc/hostname is a mount from the engine's folder of the container."""
    found = re.search(r"/containers/([0-9a-f]{64})/", Path("/proc/self/mountinfo").read_text())
    return found.group(1) if found else "none"


OWN = own_container()


def container_of(pid):
    """The id of the container whose cgroup a process is in, or a node's group; empty where it is in none."""
    with suppress(OSError):
        groups = (PROC / str(pid) / "cgroup").read_text()
        if guests := GUESTS.search(groups):
            return guests.group(1)
        found = CONTAINER_ID.search(groups)
        return found.group() if found and found.group() != OWN else ""
    return ""


def arguments(pid):
    try:
        text = (PROC / str(pid) / "cmdline").read_bytes()
    except OSError:
        return ""
    return text.replace(b"\0", b" ").decode(errors="replace").strip()


def is_dead(pid):
    """It ended, and the machine's process 1 has yet to ask how: some look for such orphans only now and then."""
    with suppress(OSError):
        state, parent = (PROC / str(pid) / "stat").read_text().rpartition(")")[2].split()[:2]
        return state == "Z" and parent == "1"
    return True


def lines_of(*command):
    """The output of a command that must work."""
    ended = subprocess.run(command, capture_output=True, text=True)
    if ended.returncode:
        sys.exit(f"{' '.join(command)}: {ended.stderr}")
    return ended.stdout.splitlines()


# What the machine is: compared before `up` and after `down`.


def interfaces():
    found = []
    for link in json.loads("\n".join(lines_of("ip", "-json", "address"))):
        name = link["ifname"]
        found.append(f"{name} in {link['master']}" if "master" in link else name)
        found += [f"{name} {one['local']}/{one['prefixlen']}" for one in link["addr_info"]]
    return found


def routes():
    found = []
    for family in ("-4", "-6"):
        found += [f"{family} {line}" for line in lines_of("ip", family, "route", "show", "table", "all")]
        found += [f"{family} rule {line}" for line in lines_of("ip", family, "rule")]
    return [re.sub(r" expires \S+| linkdown", "", line).strip() for line in found]


def firewall():
    """All rules, chains that are not the kernel's, and policies that are not ACCEPT; of nft and of legacy iptables.

    An empty table is none of these: looking at a table makes it. Of nft also the tables that are not iptables' own.
    """
    found = [line for line in lines_of("nft", "list", "tables") if line.split()[-1] not in OF_IPTABLES]
    for tool in ("iptables-nft-save", "iptables-legacy-save", "ip6tables-nft-save", "ip6tables-legacy-save"):
        if shutil.which(tool) is None:
            sys.exit(f"the image has no {tool}")
        table = ""
        for line in lines_of(tool):
            if line.startswith("*"):
                table = line[1:]
            elif line.startswith(("-A", ":")) and not re.match(r":\S+ ACCEPT ", line):
                found.append(f"{tool.removesuffix('-save')} {table} {line.split(' [')[0]}")
    return found


def namespaces():
    """Network and PID namespaces with a process in them, and network namespaces with a name."""
    found = {f"{kind} {inode}" for pid in processes() for kind in ("net", "pid") if (inode := namespace(pid, kind))}
    named = HOST / "root/run/netns"
    return [*found, *(f"/run/netns/{entry.name}" for entry in named.iterdir())] if named.is_dir() else list(found)


def mounts():
    """Mounts of the host; ids that are made anew for each container do not count, how many there are does."""
    found = []
    for line in (HOST / "mountinfo").read_text().splitlines():
        fields, _, source = line.partition(" - ")
        root, point = fields.split()[3:5]
        kind, device = source.split()[:2]
        text = f"{point} {kind} {device} {root}"
        text = re.sub(r"overlay2/[^/ ]+", "overlay2/*", text)
        found.append(re.sub(r"\[\d+\]", "[*]", RANDOM.sub("*", text)))
    return found


def listeners():
    """TCP sockets that listen, and UDP sockets on ports that are nobody's choice of the moment."""
    return [
        f"{one['protocol']} {one['address']}:{one['port']}"
        for one in sockets_of("self")
        if one["protocol"].startswith("tcp") or one["port"] < 32768
    ]


def contained():
    """Processes in a PID namespace of their own, in a container's cgroup, or that serve a container.

    Those of containers of others, which the arguments name, are left out: their health checks come and go.
    """
    host = namespace("self", "pid")
    others = {OWN, *sys.argv[2:]}
    found = []
    for pid in processes():
        said, container = arguments(pid), container_of(pid)
        if container in others or others & set(CONTAINER_ID.findall(said)) or pid == os.getpid() or is_dead(pid):
            continue
        serves = re.search(r"containerd-shim|docker-proxy", said)
        if serves or container or namespace(pid, "pid") not in ("", host):
            found.append(RANDOM.sub("*", said)[:120] or f"process {pid}")
    return found


def cgroups():
    """Cgroups that are named after a container, or hold a lab's guests."""
    found, groups = set(), []
    for path, names, _ in os.walk(HOST / "root/sys/fs/cgroup"):
        groups += [path.partition("/cgroup/")[2]] if "/labctl" in path else []
        ours = {name: match.group() for name in names if (match := CONTAINER_ID.search(name))}
        found.update(ours.values())
        names[:] = [name for name in names if name not in ours]
    return ["*" for _ in found - {OWN}] + groups


def machine():
    looks = (interfaces, routes, firewall, namespaces, mounts, listeners, contained, cgroups)
    return {look.__name__: sorted(look()) for look in looks}


# What runs in containers: processes with their rights, memory and sockets.


def address_of(text, wide):
    """An address as /proc/net writes it: 32-bit words in the machine's order (proc(5))."""
    order = 1 if sys.byteorder == "big" else -1
    packed = b"".join(bytes.fromhex(text[index : index + 8])[::order] for index in range(0, len(text), 8))
    return str(ipaddress.IPv6Address(packed) if wide else ipaddress.IPv4Address(packed))


def sockets_of(pid):
    """The listening sockets of the network namespace that a process is in."""
    found = []
    for protocol in ("tcp", "tcp6", "udp", "udp6"):
        with suppress(OSError):
            for line in (PROC / str(pid) / "net" / protocol).read_text().splitlines()[1:]:
                fields = line.split()
                if fields[3] != (LISTENING if protocol.startswith("tcp") else UNCONNECTED):
                    continue
                address, port = fields[1].split(":")
                found.append(
                    {
                        "protocol": protocol,
                        "address": address_of(address, protocol.endswith("6")),
                        "port": int(port, 16),
                        "inode": fields[9],
                    }
                )
    return found


def open_sockets(pid):
    """The inodes of the sockets that a process has open."""
    found = []
    with suppress(OSError):
        for entry in (PROC / str(pid) / "fd").iterdir():
            with suppress(OSError):
                target = str(entry.readlink())
                if target.startswith("socket:["):
                    found.append(target[8:-1])
    return found


def status_of(pid):
    with suppress(OSError):
        text = (PROC / str(pid) / "status").read_text()
        return dict(line.split(":\t", 1) for line in text.splitlines() if ":\t" in line)
    return {}


def pss_of(pid):
    """Proportional set size in KB: shared pages are split among those who share them."""
    with suppress(OSError):
        found = re.search(r"^Pss:\s+(\d+)", (PROC / str(pid) / "smaps_rollup").read_text(), re.MULTILINE)
        return int(found.group(1)) if found else 0
    return 0


def containers():
    """All processes in containers, and the listening sockets of the host's and each of their network namespaces."""
    found, seen = [], {namespace("self", "net"): "self"}
    for pid in processes():
        container, status = container_of(pid), status_of(pid)
        if not container or "Uid" not in status:
            continue
        seen.setdefault(namespace(pid, "net"), pid)
        found.append(
            {
                "pid": pid,
                "container": container,
                "command": arguments(pid) or status["Name"],
                "uids": status["Uid"].split(),
                "capabilities": status["CapEff"].strip(),
                "no_new_privileges": status["NoNewPrivs"].strip(),
                "pss_kb": pss_of(pid),
                "network": namespace(pid, "net"),
                "sockets": open_sockets(pid),
            }
        )
    return {
        "host_network": namespace("self", "net"),
        "processes": found,
        "listening": {inode: sockets_of(pid) for inode, pid in seen.items()},
    }


def all_arguments():
    """The arguments of all processes of the machine, but this one's."""
    return [arguments(pid) for pid in processes() if pid != os.getpid()]


if __name__ == "__main__":
    print(json.dumps({"machine": machine, "containers": containers, "arguments": all_arguments}[sys.argv[1]]()))
