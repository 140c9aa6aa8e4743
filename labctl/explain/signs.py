"""What entries of logs mean: why it went wrong, what to do; and which say nothing."""

import re
from dataclasses import dataclass
from typing import Final

from labctl.service_logs import Entry


@dataclass(frozen=True)
class Sign:
    """A message that labctl knows.

    Attributes:
        pattern: The message, or an exception of its traceback.
        why: What it means.
        remedy: What to do.
        is_about_room: Whether what the nodes have free belongs to it.
    """

    pattern: str
    why: str
    remedy: str
    is_about_room: bool = False


SIGNS: Final = (
    Sign(
        "Got no allocation candidates from the Placement API",
        "Placement knows no node that is enabled and has that much free, with overcommitment counted in.",
        "Take a smaller flavor, delete servers, or add a node (`labctl node add`); "
        "`labctl doctor` tells of nodes that are down or disabled.",
        is_about_room=True,
    ),
    Sign(
        "Filtering removed all hosts|Filter .* returned 0 hosts",
        "Placement had nodes with room, and the scheduler's filters left none of them: the list says which filter took "
        "the last one.",
        "Ask for what the nodes have (availability zone, server group, image properties), or bring back a node that is "
        "down: `labctl node list`.",
        is_about_room=True,
    ),
    Sign(
        "Failed to bind port|PortBindingFailed",
        "No mechanism driver of neutron connects such a port on that node: its linuxbridge agent is not alive, the "
        "node has no link to the network's physical network, or the port is of a kind (vnic_type) that the lab lacks.",
        "`labctl doctor` says which agents are down (`node-not-ready`); `labctl openstack port show PORT` shows its "
        "kind and `network show NETWORK` its type.",
    ),
    Sign(
        "expected to be .* but detected|is unacceptable|not in a supported format",
        "The image's data is not of the format that Glance was told when it was uploaded.",
        "Look at the file (`qemu-img info FILE`) and upload it again with its true `--disk-format`.",
    ),
    Sign(
        "corrupt image download|checksum|CorruptImageDownload",
        "What Glance has of the image is not what was uploaded.",
        "`labctl doctor` compares all images (`image-checksum`); upload it again.",
    ),
    Sign(
        "network-vif-plugged|VirtualInterfaceCreateException",
        "Neutron did not say in time that the server's port is connected on its node.",
        "The node's linuxbridge agent connects it: `labctl logs NODE-linuxbridge-agent`, and `labctl doctor`.",
    ),
    Sign(
        "No space left on device|not enough (?:disk )?space",
        "A disk is full.",
        "Free some: `labctl prune`, `labctl doctor` (`disk`).",
    ),
    Sign(
        "MessagingTimeout|Timed out waiting for a reply",
        "A service did not answer over the message broker in time: it is down, stuck, or cut off.",
        "`labctl status` and `labctl doctor` say which service is not well.",
    ),
    Sign(
        r"(?i)connection refused|ECONNREFUSED|ConnectFailure|Unable to establish connection|Connection to .* failed",
        "A service that it needs does not listen at that address.",
        "`labctl status` shows what does not run, `labctl doctor` endpoints at another host.",
    ),
    Sign(
        "Quota exceeded|OverQuota|TooManyInstances",
        "The project's quota is used up.",
        "`labctl openstack quota set --RESOURCE N PROJECT`, or delete what nobody needs.",
    ),
    Sign(
        "too small for (?:requested )?image",
        "The image says that it needs more than the flavor gives (min_ram, min_disk, virtual size).",
        "Take a larger flavor, or correct the image: `labctl openstack image set --min-ram MB --min-disk GB IMAGE`.",
    ),
    Sign(
        "libvirtError|Error launching a defined domain|Failed to start libvirt guest",
        "libvirt could not start the guest.",
        "The lines of the node's libvirt and of the guest's own log say why; `labctl logs NODE-libvirt` has more.",
    ),
    Sign(
        "HTTP exception thrown|failed \\(client error\\)",
        "The API refused the request itself; no other service failed.",
        "Ask for something else: the message says what is wrong with it.",
    ),
)
"""In order of how telling they are: the first that fits is the one."""

HARMLESS: Final = tuple(
    re.compile(pattern)
    for pattern in (
        "Truncating password to algorithm specific maximum length",  # of service users; keystone compares what is left
        "is tainted: ",  # nova's guests run as root's processes and may have monitors of their own; always
        "At least one cgroup controller is required",  # guests are in a control group of labctl's, not of libvirt's
        "During sync_power_state the instance has a pending task",
        "Received unexpected event network-vif-",  # neutron tells of ports that nova did not wait for
    )
)
"""Warnings that healthy labs log."""

QUIET: Final = tuple(
    re.compile(pattern)
    for pattern in (
        r'"GET /\S* HTTP/1\.\d" (?:status: )?[23]\d\d ',  # asked how something is, and was answered
        r'"GET /\S*" status: [23]\d\d ',  # placement
        r"^Attempt \d+ to bind port",
        r"^Security group member updated",
        r"^Ignoring supplied device name",
        r"^Nova event matching .*'code': 200",
        r"^Trigger reload_allocations for port",
    )
)
"""What says nothing about a failure."""

TELLING: Final = re.compile(
    "Got no allocation candidates|Filtering removed all hosts|HTTP exception thrown|failed \\(client error\\)"
)
"""What services log as INFO, and is why it failed."""

REFUSED: Final = re.compile(r'"[A-Z]+ /\S*(?: HTTP/1\.\d)?" (?:status: )?[45]\d\d ')
"""A request that an API refused."""


def sign_of(entry: Entry) -> Sign | None:
    """What it means, where labctl knows."""
    said = "\n".join((entry.text, *entry.exceptions))
    return next((sign for sign in SIGNS if re.search(sign.pattern, said)), None)


def is_telling(entry: Entry) -> bool:
    """Whether something went wrong there."""
    return TELLING.search(entry.text) is not None or (entry.is_trouble and not is_quiet(entry))


def is_quiet(entry: Entry) -> bool:
    """Whether it says nothing about why something failed."""
    if entry.is_trouble:
        return any(pattern.search(entry.text) for pattern in HARMLESS)
    return entry.level == "DEBUG" or any(pattern.search(entry.text) for pattern in QUIET)
