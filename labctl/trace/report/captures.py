"""A trace's captures, for Wireshark: a file for each hop, in the format of libpcap (pcap-savefile(5))."""

import re
import struct
from pathlib import Path

from labctl.files import private_folder
from labctl.trace.run import Trace
from labctl.trace.sightings import Passage

MAGIC_NANOSECONDS = 0xA1B23C4D
SNAPSHOT_LENGTH = 65535
ETHERNET = 1
"""LINKTYPE_ETHERNET."""


def captures(trace: Trace) -> dict[str, bytes]:
    """File name to content, of the hops that see packets."""
    return {file_name(one): pcap(one) for one in trace.passages if one.hop.is_watched and not one.unwatched}


def file_name(passage: Passage) -> str:
    """The hop's number, where it is and its device, such as `01-node1-tap6367439b-d8.pcap`."""
    hop = passage.hop
    where = f"{hop.place}-{hop.device}"
    return f"{passage.number:02}-{re.sub('[^A-Za-z0-9.-]+', '-', where)}.pcap"


def pcap(passage: Passage) -> bytes:
    """What a hop has seen of the probe, its answer and errors, and ARP."""
    data = struct.pack("<IHHiIII", MAGIC_NANOSECONDS, 2, 4, 0, 0, SNAPSHOT_LENGTH, ETHERNET)
    for one in passage.all:
        seconds, rest = divmod(one.at, 1)
        data += struct.pack("<IIII", int(seconds), int(rest * 1e9), len(one.frame), len(one.frame)) + one.frame
    return data


def write_captures(trace: Trace, folder: Path) -> int:
    """Writes the files; returns how many. What else is in the folder stays."""
    private_folder(folder)
    files = captures(trace)
    for name, data in files.items():
        (folder / name).write_bytes(data)
    return len(files)
