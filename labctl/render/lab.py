"""One lab to files: its configuration, its Compose file, and how clients reach it. Pure."""

import uuid
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field
from ipaddress import IPv4Address
from pathlib import Path
from typing import Any

from labctl.catalog.folders import CatalogFolders
from labctl.catalog.profile import load_profiles
from labctl.errors import BadInput
from labctl.lab.addresses import AddressPlan, Node, broker_port
from labctl.lab.authority import authority_certificate, issue
from labctl.lab.names import node_folders
from labctl.lab.reach import CLOSED, Opening
from labctl.lab.secrets import Secrets, bcrypt_hash, public_ssh_key
from labctl.lab.state import CA_FILE
from labctl.render.compose import (
    AUTHORITY_FILE,
    Fragment,
    complete,
    dump,
    merge,
    mount_authority,
    mounted_files,
    parse_fragment,
)
from labctl.render.ports import Audience, numbers, read_ports
from labctl.render.source import SourceTree, run_from
from labctl.render.templates import templates_of

PER_NODE = "node"
"""The folder of config-templates/ whose templates are rendered once for each node."""

CLIENTS = "client"
"""The folder whose templates are for clients of the lab, and mounted by no service."""

TEMPLATE = ".yaml.j2"

DROP_INS_README = b"Drop-in files that the lab file names; read in this order, after the service's own.\n"
PLACEHOLDER_KEY = "0" * 64


AUTHORITY = "authority.lab"
"""The name of the secret that is the lab's certificate authority."""


@dataclass(frozen=True)
class LabPlan:
    """Everything that decides what a lab's files are.

    Attributes:
        name: The lab's name.
        project: Its Compose project.
        network_prefix: Start of the names of its bridges: at most 10 characters (IFNAMSIZ is 16, with the end).
        addresses: The address plan.
        nodes: The network node and the compute nodes.
        virt_type: kvm or qemu.
        references: Image name in the catalog to reference.
        user: `uid:gid` of services that are not privileged.
        owner: Whose the lab is, as its labels say it.
        drop_ins: Service to (file name, content) of configuration added by the user, in order.
        sources: Service to the source tree that it runs from; the others run what their image holds.
        profiles: The profiles that were asked for; those that these need come on top.
        glance_store: Where Glance puts new images: file or swift.
        image_backend: Where servers' disks come from: local or rbd.
        network: How servers are connected: self-service or flat.
        opening: Who reaches the lab besides its own machine.
        tls: Whether what crosses TCP is encrypted, by certificates of the lab's authority.
        ca_file: Where clients on this machine find the authority's certificate then.
    """

    name: str
    project: str
    network_prefix: str
    addresses: AddressPlan
    nodes: tuple[Node, ...]
    virt_type: str
    references: Mapping[str, str]
    user: str
    owner: str
    drop_ins: Mapping[str, tuple[tuple[str, bytes], ...]] = field(default_factory=dict)
    sources: Mapping[str, SourceTree] = field(default_factory=dict)
    profiles: tuple[str, ...] = ()
    glance_store: str = "file"
    image_backend: str = "local"
    network: str = "self-service"
    opening: Opening = CLOSED
    tls: bool = False
    ca_file: Path = Path(CA_FILE)

    def endpoint(self, port: int, path: str = "") -> str:
        """The address of what clients and nodes reach at a port of the lab."""
        return f"{'https' if self.tls else 'http'}://{self.addresses.gateway}:{port}{path}"

    @property
    def api_address(self) -> IPv4Address:
        """Where APIs listen: at the lab's address, or behind the proxy that ends TLS there."""
        return self.addresses.loopback if self.tls else self.addresses.gateway


@dataclass(frozen=True)
class FromSource:
    """A service that can run from a source tree, as its Compose template says with `x-source`.

    Attributes:
        project: The Python project.
        image: The image that it runs otherwise, and whose environment it keeps.
    """

    project: str
    image: str


def needed_secrets(folders: CatalogFolders, plan: LabPlan) -> frozenset[str]:
    """The names of the secrets that the catalog's templates ask for."""
    asked: set[str] = set()

    def ask(name: str) -> str:
        asked.add(name)
        return PLACEHOLDER_KEY

    _render(folders, plan, ask, lambda name: ask(name))
    return frozenset(asked)


def render_lab(folders: CatalogFolders, plan: LabPlan, secrets: Secrets) -> dict[str, bytes]:
    """Renders a lab's files.

    Args:
        folders: The catalog.
        plan: What the lab is.
        secrets: At least those that `needed_secrets` names.

    Returns:
        Path below the lab's project folder to content: compose.yaml, etc/..., clouds.yaml, admin-openrc, demo-openrc.

    Raises:
        BadInput: A template is wrong.
    """
    return _render(folders, plan, secrets.__getitem__, lambda name: public_ssh_key(secrets[name]))


def render_configuration(folders: CatalogFolders, plan: LabPlan) -> dict[str, bytes]:
    """Renders the configuration of a lab that has no secrets yet: with placeholders in their place."""

    def placeholder(_: str) -> str:
        return PLACEHOLDER_KEY

    values = _values(folders, plan, placeholder, placeholder)
    fragments = compose_fragments(folders, values)
    return configuration(folders, plan, values | _collected(fragments, placeholder), merge(fragments))


def host_ports(
    folders: CatalogFolders, plan: LabPlan, audiences: Collection[Audience] = tuple(Audience)
) -> dict[int, str]:
    """The ports of the lab in the host's own namespace, and whose they are, as the Compose templates say.

    Args:
        folders: The catalog.
        plan: What the lab is.
        audiences: For whom.

    Raises:
        BadInput: A template is wrong.
    """
    fragments = compose_fragments(folders, _values(folders, plan, lambda _: PLACEHOLDER_KEY, lambda name: name))
    return {port.number: port.service for port in read_ports(fragments) if port.audience in audiences}


def from_source(folders: CatalogFolders, plan: LabPlan) -> dict[str, FromSource]:
    """The services of a lab that can run from a source tree."""
    merged = merge(compose_fragments(folders, _values(folders, plan, lambda _: PLACEHOLDER_KEY, lambda name: name)))
    return {
        name: FromSource(service["x-source"], service["image"])
        for name, service in merged["services"].items()
        if "x-source" in service
    }


def _values(
    folders: CatalogFolders, plan: LabPlan, secret: Callable[[str], str], public: Callable[[str], str]
) -> dict[str, Any]:
    """What templates may use."""
    return {
        "profiles": load_profiles(folders).closure(plan.profiles),
        "glance_store": plan.glance_store,
        "image_backend": plan.image_backend,
        "network": plan.network,
        "tls": plan.tls,
        "ca_file": plan.ca_file,
        "authority_file": AUTHORITY_FILE,
        "endpoint": plan.endpoint,
        "api_address": plan.api_address,
        "broker_port": broker_port(tls=plan.tls),
        "lab": plan.name,
        "addresses": plan.addresses,
        "nodes": plan.nodes,
        "node_folders": node_folders(plan.name),
        "virt_type": plan.virt_type,
        "user": plan.user,
        "password": lambda name: secret(f"password.{name}"),
        "bcrypt": bcrypt_hash,
        "fernet": lambda name: secret(f"fernet.{name}"),
        "ceph_secret": lambda name: secret(f"ceph.{name}"),
        "ssh_key": lambda name: secret(f"ssh.{name}"),
        "ssh_public": lambda name: public(f"ssh.{name}"),
        "tls_key": lambda name: secret(f"tls.{name}"),
        "tls_certificate": lambda name, *hosts, key=None: certificate(secret, name, hosts, key or name),
        "authority": lambda: authority(secret),
        "bridge": lambda name, network: bridge(plan, name, network),
        "bridge_device": lambda name: bridge_device(plan, name),
        "reach": plan.opening,
        "uid": plan.user.partition(":")[0],
    }


def certificate(secret: Callable[[str], str], name: str, hosts: Iterable[Any], key: str) -> str:
    """The certificate of that name for some hosts, issued by the lab's authority for the key `tls.KEY`."""
    issuer, private = secret(AUTHORITY), secret(f"tls.{key}")
    return PLACEHOLDER_KEY if PLACEHOLDER_KEY in (issuer, private) else issue(issuer, private, name, map(str, hosts))


def authority(secret: Callable[[str], str]) -> str:
    """The certificate of the lab's authority."""
    found = secret(AUTHORITY)
    return found if found == PLACEHOLDER_KEY else authority_certificate(found)


def _render(
    folders: CatalogFolders, plan: LabPlan, secret: Callable[[str], str], public: Callable[[str], str]
) -> dict[str, bytes]:
    values = _values(folders, plan, secret, public)
    fragments = compose_fragments(folders, values)
    merged = merge(fragments)
    files = configuration(folders, plan, values | _collected(fragments, secret), merged)
    clients = client_files(folders, values)
    if plan.tls:
        files[CA_FILE] = clients[CA_FILE]
        mount_authority(merged, files)
    for service, tree in plan.sources.items():
        files |= tree.files()
        merged["services"][service] = run_from(tree, merged["services"][service])
    compose = complete(
        merged,
        lab=plan.name,
        project=plan.project,
        references=plan.references,
        user=plan.user,
        owner=plan.owner,
        files=files,
    )
    return {"compose.yaml": dump(compose), **files, **clients}


def _collected(fragments: Mapping[str, Fragment], secret: Callable[[str], str]) -> dict[str, Any]:
    """What configuration templates may use besides: what the Compose templates say of databases, ports and so on."""
    return {
        "databases": collect(fragments, "databases"),
        "ports": numbers(read_ports(fragments)),
        "services": [
            {
                **entry,
                "password": secret(f"password.user.{entry['name']}") if entry.get("user", True) else None,
                **({"profile": Path(name).name.removesuffix(TEMPLATE)} if "/" in name else {}),
            }
            for name, fragment in fragments.items()
            for entry in fragment.get("x-labctl", {}).get("catalog", [])
        ],
        "roles": [role for each in fragments.values() for role in each.get("x-labctl", {}).get("roles", [])],
    }


def compose_fragments(folders: CatalogFolders, values: Mapping[str, Any]) -> dict[str, Fragment]:
    """The Compose templates, rendered and read: those of every lab in the order of their names, then the profiles'."""
    templates = templates_of(folders.compose)
    plain = sorted(path.name for path in folders.compose.glob(f"*{TEMPLATE}"))
    chosen = [f"{folders.profiles.name}/{name}{TEMPLATE}" for name in values["profiles"]]
    # A profile may be nothing but a name for others.
    names = [*plain, *(name for name in chosen if (folders.compose / name).exists())]
    return {name: parse_fragment(name, templates.render(name, **values)) for name in names}


def collect(fragments: Mapping[str, Fragment], key: str) -> dict[str, Any]:
    """What the fragments say under `x-labctl: KEY`, together."""
    found: dict[str, Any] = {}
    for fragment in fragments.values():
        found |= fragment.get("x-labctl", {}).get(key, {})
    return found


def bridge_device(plan: LabPlan, name: str) -> str:
    """The device of one of the lab's bridge networks."""
    return f"{plan.network_prefix}-{name[:4]}"


def bridge(plan: LabPlan, name: str, network: Any) -> str:
    """The Compose definition of one of the lab's bridge networks, as one line of YAML."""
    options = f"{{com.docker.network.bridge.name: {bridge_device(plan, name)}}}"
    return (
        f"{{driver: bridge, driver_opts: {options}, ipam: {{config: [{{subnet: {network}, gateway: {network[1]}}}]}}}}"
    )


def configuration(
    folders: CatalogFolders, plan: LabPlan, values: Mapping[str, Any], merged: Fragment
) -> dict[str, bytes]:
    """The services' configuration: etc/SERVICE/FILE for the control plane, etc/NODE/SERVICE/FILE for nodes.

    Only what a service mounts is rendered, so that what the lab has not costs nothing and asks for no secrets. A
    template that comes to nothing makes no file: one that only labs with some profile have, beside what all have.
    """
    templates = templates_of(folders.config_templates)
    wanted: dict[str, tuple[str, dict[str, Any]]] = {}
    for name in template_names(folders.config_templates):
        service, _, rest = name.partition("/")
        target = rest.removesuffix(".j2")
        if service == PER_NODE:
            for node in plan.nodes:
                host_uuid = uuid.uuid5(uuid.NAMESPACE_DNS, f"{node.name}.{plan.name}")
                wanted[f"etc/{node.name}/{target}"] = name, {"node": node, "host_uuid": host_uuid}
        else:
            wanted[f"etc/{service}/{target}"] = name, {}
    read = mounted(merged, wanted)
    files = {
        target: templates.render(name, **more, **values).encode()
        for target, (name, more) in wanted.items()
        if target in read
    }
    files = {target: content for target, content in files.items() if content.strip()}
    files |= drop_in_files(plan, files)
    return {target: files[target] for target in mounted(merged, files)}


def mounted(merged: Fragment, paths: Iterable[str]) -> list[str]:
    """Those of some paths that a service mounts."""
    paths = list(paths)
    found = frozenset().union(*(mounted_files(service, paths) for service in merged["services"].values()))
    return [path for path in paths if path in found]


def client_files(folders: CatalogFolders, values: Mapping[str, Any]) -> dict[str, bytes]:
    """How clients reach the cloud: what config-templates/client/ makes, beside the Compose file.

    As with the services' configuration, a template that comes to nothing makes no file.
    """
    templates = templates_of(folders.config_templates)
    names = [name for name in template_names(folders.config_templates) if name.startswith(f"{CLIENTS}/")]
    files = {
        name.removeprefix(f"{CLIENTS}/").removesuffix(".j2"): templates.render(name, **values).encode()
        for name in names
    }
    return {name: content for name, content in files.items() if content.strip()}


def template_names(folder: Path) -> list[str]:
    """The templates of config-templates/ as SERVICE/FILE.j2; files directly in the folder are for import only."""
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*.j2") if path.parent != folder)


def drop_in_files(plan: LabPlan, files: Iterable[str]) -> dict[str, bytes]:
    """The drop-in folder SERVICE.conf.d of each service that reads oslo.config files, with the user's files in it.

    Raises:
        BadInput: The lab file has drop-ins for a service that takes none.
    """
    homes = {path.rsplit("/", 1)[0] for path in files if path.endswith((".conf", ".ini"))}
    services = {home.rsplit("/", 1)[1] for home in homes}
    for service in plan.drop_ins:
        if service not in services:
            raise BadInput(f"There is no service {service!r} to configure.", remedy=f"One of: {sorted(services)}.")
    found = {}
    for home in homes:
        service = home.rsplit("/", 1)[1]
        folder = f"{home}/{service}.conf.d"
        found[f"{folder}/README"] = DROP_INS_README
        for number, (name, content) in enumerate(plan.drop_ins.get(service, ())):
            found[f"{folder}/{number:02}-{name}"] = content
    return found
