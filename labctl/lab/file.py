"""The lab file: what one lab is asked to be. `lab.yaml` is read here, checked, and written back in full."""

from collections.abc import Collection, Iterator, Mapping
from ipaddress import IPv4Network, ip_network
from pathlib import Path
from typing import Annotated, Any, Final, Literal

import yaml
from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainSerializer,
    StringConstraints,
    ValidationError,
)

from labctl.errors import BadInput
from labctl.files import is_file, is_folder
from labctl.lab.document import Document, Location, Problem, read_document
from labctl.lab.guests import SHA256, guest_refusal, is_address
from labctl.lab.names import LAB_NAME_ALLOWED, is_lab_name, nearest
from labctl.lab.nodes import NODES_ALLOWED, parse_nodes, shortest
from labctl.lab.reach import Reach

# RFC 1918. `IPv4Network.is_private` is wider: it takes loopback, link-local and documentation ranges as well.
_PRIVATE: Final = tuple(IPv4Network(text) for text in ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16"))

# Keys whose plain scalars are taken as they are written: YAML would read 2024.2 as a float and `on` as a boolean.
_TEXT_KEYS: Final = frozenset({"name", "release", "address_range", "guest", "guest_sha256", "guest_user"})


def _check_version(value: object) -> object:
    if isinstance(value, bool):  # True == 1, and pydantic's literals compare
        raise ValueError
    return value


def _check_text(value: object) -> object:
    """Takes what may be the name of a file, or an address."""
    if isinstance(value, str) and (len(value) > 4000 or not value.isprintable()):
        raise ValueError
    return value


def _check_lab_name(value: object) -> object:
    if isinstance(value, str) and not is_lab_name(value):
        raise ValueError
    return value


def _check_address_range(value: object) -> object:
    """Takes the text of a network; the message of the error, if any, is the network that was probably meant."""
    if value is None:
        return None
    if isinstance(value, str):
        loose = ip_network(value, strict=False)
        if loose.with_prefixlen != value:
            raise ValueError(f"did you mean '{loose.with_prefixlen}'?" if loose.prefixlen == 22 else "")
        value = loose
    if not isinstance(value, IPv4Network) or value.prefixlen != 22:
        raise ValueError
    if not any(value.subnet_of(private) for private in _PRIVATE):
        raise ValueError
    return value


# Three times what twenty nodes took on two cores that had other work: 207 s.
WAIT_SECONDS: Final = 280
WAIT_SECONDS_A_NODE: Final = 20

Version = Annotated[Literal[1], BeforeValidator(_check_version)]

LabName = Annotated[str, BeforeValidator(_check_lab_name)]
"""A lab's name: `labctl.lab.names.is_lab_name` holds."""

ReleaseName = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9._-]*$", max_length=30)]
"""An OpenStack release as the catalog names it; the name of a folder, so nothing that walks out of one."""

UserName = Annotated[str, StringConstraints(pattern=r"^[a-z_][a-z0-9_-]*$", max_length=32)]
"""A Linux user name."""

NodeNames = Annotated[tuple[str, ...], BeforeValidator(parse_nodes), PlainSerializer(shortest)]
"""Compute nodes, in the order of their numbers; in a file their count, or their names."""

FilePath = Annotated[Path, BeforeValidator(_check_text)]

PrivateRange = Annotated[IPv4Network, BeforeValidator(_check_address_range)]
"""A /22 out of RFC 1918."""


class Glance(BaseModel):
    """What the lab file says of Glance.

    Attributes:
        store: Where new images go.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    store: Literal["file", "swift"] = "file"


class LabFile(BaseModel):
    """What a lab is asked to be; the description of a field says what it allows.

    Attributes:
        version: The format of the file.
        name: The lab's name.
        nodes: The compute nodes' names.
        release: The OpenStack release.
        address_range: The /22 that the lab's three networks are cut from; None: labctl finds a free one.
        guest: A guest image: a URL, or an absolute path once a file is loaded; None: the one that labctl builds.
        guest_sha256: The checksum that the guest image must have; None: any.
        guest_user: Who logs in to that guest.
        configuration: Service name to drop-in files and folders, in the order in which they are applied.
        sources: A project, a service or a node's service to the source tree that it runs from instead of its image.
        profiles: The profiles that were asked for; those that these need come on top. `with` in a file.
        glance: Where Glance keeps images.
        images: Where servers' disks come from: copies on each node, or clones in the block store.
        reach: Who reaches the lab besides its own machine.
        network: How servers are connected: to self-service networks behind the network node, or flat, directly to the
            provider network, which DHCP and metadata are served for on every compute node.
        tls: Whether APIs, consoles, messages and storage are encrypted, by certificates of the lab's own authority.
        wait_timeout: How long a bring-up may take, in seconds; None: what `seconds_to_wait` says.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    version: Version = Field(1, description="1")
    name: LabName = Field("lab", description=LAB_NAME_ALLOWED)
    nodes: NodeNames = Field(("node1",), description=NODES_ALLOWED)
    release: ReleaseName = Field("2024.2", description="the name of a release, such as 2024.2")
    address_range: PrivateRange | None = Field(None, description="a private /22, such as 10.20.0.0/22, or null")
    guest: Annotated[str, BeforeValidator(_check_text), StringConstraints(min_length=1)] | None = Field(
        None, description="the path or URL of a guest image, or null"
    )
    guest_sha256: Annotated[str, StringConstraints(pattern=rf"^{SHA256.pattern}$")] | None = Field(
        None, description="the SHA-256 checksum of the guest image, 64 of 0-9 and a-f, or null"
    )
    guest_user: UserName | None = Field(None, description="a user name, such as cirros, or null")
    configuration: dict[str, tuple[FilePath, ...]] = Field(
        default_factory=dict, description="for each service, a list of drop-in files or folders"
    )
    sources: dict[str, FilePath] = Field(
        default_factory=dict, description="for each project or service, the folder of a source tree"
    )
    profiles: tuple[str, ...] = Field((), alias="with", description="a list of profiles, such as [swift]")
    glance: Glance = Field(Glance(), description="{store: file}, or {store: swift}")
    images: Literal["local", "rbd"] = Field("local", description="local, or rbd")
    network: Literal["self-service", "flat"] = Field("self-service", description="self-service, or flat")
    reach: Reach = Field(
        Reach(), description="{local_network: true}, {networks: [kind]} with names of Docker's networks, or both"
    )
    tls: Annotated[bool, Field(strict=True)] = Field(False, description="true, or false")
    wait_timeout: Annotated[int, Field(ge=1, le=86400, strict=True)] | None = Field(
        None, description="seconds, a whole number from 1 to 86400, or null"
    )

    @property
    def seconds_to_wait(self) -> int:
        """How long a bring-up may take: as long as was said, or five minutes for one node and more for more."""
        return self.wait_timeout or WAIT_SECONDS + WAIT_SECONDS_A_NODE * len(self.nodes)


NESTED: Final[Mapping[str, type[BaseModel]]] = {"glance": Glance, "reach": Reach}
"""The keys of the file that hold keys."""

FIELDS: Final = {field.alias or name: field for name, field in LabFile.model_fields.items()}
"""The keys of the file."""


def load_lab_file(path: Path, known_services: Collection[str], *, check_files: bool = True) -> LabFile:
    """Reads and checks a lab file.

    Args:
        path: The file. Relative paths in it are relative to its folder.
        known_services: The names that `configuration` may have.
        check_files: Whether the guest image and the drop-ins must exist; not for the copy of a lab that is up, which
            has to be taken down even where its drop-ins are gone.

    Returns:
        The lab; its drop-in paths, and its guest where that is a path, are absolute.

    Raises:
        BadInput: The file cannot be read, is not YAML, or has mistakes; all of them are in the evidence, one line each:
            file:line:column: key: what is wrong; what is allowed.
    """
    document = read_document(path, _TEXT_KEYS)
    if not isinstance(document.value, Mapping):
        document.problems.append(Problem(document.at(()), "", "the file must hold keys and values"))
        raise _mistakes(document)
    values: dict[str, Any] = dict(document.value)
    try:
        lab = LabFile.model_validate(values)
    except ValidationError as error:
        document.problems.extend(list(_explain(document, error)))
        lab = None
    configuration = values.get("configuration")
    document.problems.extend(_unknown_services(document, configuration, known_services))
    folder = path.parent.resolve()
    if check_files:
        document.problems.extend(_wrong_guest(document, values, folder))
        document.problems.extend(_missing_drop_ins(document, configuration, folder))
        document.problems.extend(_missing_trees(document, values.get("sources"), folder))
    if lab is None or document.problems:
        raise _mistakes(document)
    return _with_absolute_paths(lab, folder)


def dump_lab_file(lab: LabFile) -> str:
    """Writes a lab as YAML with every value spelled out; `load_lab_file` reads it back as the same lab."""
    return yaml.safe_dump(lab.model_dump(mode="json", by_alias=True), sort_keys=False, allow_unicode=True)


def with_values(lab: LabFile, **values: object) -> LabFile:
    """Replaces values of a lab, such as those given by flags, and checks them.

    Args:
        lab: The lab to start from.
        values: Keys of the file and their new values.

    Returns:
        The changed lab.

    Raises:
        BadInput: A value is not allowed.
    """
    try:
        return LabFile.model_validate({**lab.model_dump(by_alias=True), **values})
    except ValidationError as error:
        lines = [f"{_key(item['loc'])}: {_sentence(item)}" for item in error.errors()]
        raise BadInput("The lab cannot be like this", evidence=lines, remedy="Give another value.") from error


def _mistakes(document: Document) -> BadInput:
    lines = [problem.line(document.path) for problem in sorted(document.problems)]
    count = "a mistake" if len(lines) == 1 else f"{len(lines)} mistakes"
    return BadInput(f"{document.path} has {count}", evidence=lines, remedy="Correct the file and try again.")


def _explain(document: Document, error: ValidationError) -> Iterator[Problem]:
    unreadable = {problem.position for problem in document.problems}
    for item in error.errors():
        # A key with a mistake in its own position (an unknown one) is pointed at itself, not at its value.
        at = document.at_key(item["loc"]) if item["type"] == "extra_forbidden" else document.at(item["loc"])
        if at not in unreadable:
            yield Problem(at, _key(item["loc"]), _sentence(item))


def _sentence(item: Mapping[str, Any]) -> str:
    """Says what is wrong with one value, from pydantic's error and the description of the field."""
    location: Location = item["loc"]
    if item["type"] == "extra_forbidden":
        allowed_here = FIELDS if len(location) == 1 else NESTED[str(location[0])].model_fields
        near = nearest(str(location[-1]), allowed_here)
        return "; ".join(filter(None, ("unknown key", near, f"allowed: {', '.join(allowed_here)}")))
    allowed = FIELDS[str(location[0])].description
    hint = str(cause) if isinstance(cause := item.get("ctx", {}).get("error"), ValueError) else ""
    near = hint if hint.startswith("did you mean") else ""
    short = _given(item["input"]).removesuffix("\n").removesuffix("...").strip()
    short = short if len(short) <= 40 else f"{short[:37]}..."
    return "; ".join(filter(None, (f"'{short}' is not allowed", near, f"allowed: {allowed}")))


def _given(value: object) -> str:
    """What was given, as text; Python writes no number of more than 4300 digits."""
    try:
        return value if isinstance(value, str) else yaml.safe_dump(value, default_flow_style=True)
    except ValueError:
        return "this number"


def _unknown_services(document: Document, configuration: object, known: Collection[str]) -> Iterator[Problem]:
    if not isinstance(configuration, Mapping):
        return
    for service in configuration:
        if service not in known:
            near = nearest(service, known)
            text = "; ".join(filter(None, ("unknown service", near, f"allowed: {', '.join(sorted(known))}")))
            location = ("configuration", service)
            yield Problem(document.at_key(location), _key(location), text)


def _wrong_guest(document: Document, values: Mapping[str, object], folder: Path) -> Iterator[Problem]:
    guest, sha256 = values.get("guest"), values.get("guest_sha256")
    if not isinstance(guest, str) or not guest:
        return
    if is_address(guest):
        why = guest_refusal(guest, str(sha256 or ""))
    else:
        why = "" if is_file(folder / guest) else f"no such file: {folder / guest}"
    if why:
        yield Problem(document.at(("guest",)), "guest", why)


def _missing_drop_ins(document: Document, configuration: object, folder: Path) -> Iterator[Problem]:
    if not isinstance(configuration, Mapping):
        return
    for service, paths in configuration.items():
        for index, drop_in in enumerate(paths if isinstance(paths, list) else ()):
            if isinstance(drop_in, str) and not (is_file(folder / drop_in) or is_folder(folder / drop_in)):
                location = ("configuration", service, index)
                yield Problem(document.at(location), _key(location), f"no such file or folder: {folder / drop_in}")


def _missing_trees(document: Document, sources: object, folder: Path) -> Iterator[Problem]:
    for service, path in sources.items() if isinstance(sources, Mapping) else ():
        if isinstance(path, str) and not is_folder(folder / path):
            location = ("sources", service)
            yield Problem(document.at(location), _key(location), f"no such folder: {folder / path}")


def _with_absolute_paths(lab: LabFile, folder: Path) -> LabFile:
    configuration = {name: tuple(folder / path for path in paths) for name, paths in lab.configuration.items()}
    # A file that does not speak of sources stays one: `up --file` then leaves what `dev` has set.
    sources = (
        {"sources": {name: (folder / path).resolve() for name, path in lab.sources.items()}} if lab.sources else {}
    )
    guest = lab.guest if lab.guest is None or is_address(lab.guest) else str(folder / lab.guest)
    return lab.model_copy(update={"configuration": configuration, **sources, "guest": guest})


def _key(location: Location) -> str:
    """Writes a position as people do: `configuration.nova[0]`."""
    parts = (f"[{part}]" if isinstance(part, int) else f".{part}" for part in location)
    return "".join(parts).removeprefix(".")
