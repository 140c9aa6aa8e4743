"""One Compose file out of the catalog's fragments: merged, with what every service has."""

import hashlib
import json
from collections.abc import Iterable, Mapping
from typing import Any

import yaml

from labctl.errors import BadInput
from labctl.lab import limits
from labctl.lab.state import CA_FILE
from labctl.yaml_input import load_own_yaml

Fragment = dict[str, Any]

START_INTERVAL = "300ms"
"""Until the first health check of a service that starts; that one is patient (images/base: health)."""

HEALTH = {"interval": "30s", "timeout": "60s", "retries": 3, "start_period": "180s", "start_interval": START_INTERVAL}
MIGRATIONS = "x-migrations"
"""Of a service: image whose databases it uses to the commands that migrate them."""

OUTLIVES, FORGET = "x-outlives-database", "x-forget"
"""Of a service: whether it goes on while the database is put back; the command that has it forget the one before."""

FILTER = "filter"
"""The service that puts the lab's packet filter in place; whatever has a network waits for it."""
FILTER_STATE = f"{FILTER}:/run/filter:ro"
"""Where it says that it has, and where they look (images/base: behind-filter)."""
AUTHORITY_FILE = "/etc/ssl/lab.pem"
"""Where services find the certificate of the lab's authority, in labs with TLS."""

SECTIONS = ("services", "networks", "volumes")


def parse_fragment(name: str, text: str) -> Fragment:
    """Reads one rendered Compose template.

    Raises:
        BadInput: It is not YAML.
    """
    try:
        return load_own_yaml(text) or {}
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        line = text.splitlines()[mark.line] if mark and mark.line < len(text.splitlines()) else ""
        raise BadInput(f"compose/{name} does not render to YAML: {error.problem}", evidence=[line]) from None


def merge(fragments: Mapping[str, Fragment]) -> Fragment:
    """Puts the fragments' services, networks and volumes together.

    Raises:
        BadInput: Two fragments define the same thing.
    """
    merged: Fragment = {section: {} for section in SECTIONS}
    for name, fragment in fragments.items():
        for section in SECTIONS:
            for key, value in (fragment.get(section) or {}).items():
                if key in merged[section]:
                    raise BadInput(f"compose/{name} defines {section} {key!r}, which another fragment defines too.")
                merged[section][key] = value or {}
    return merged


def complete(
    merged: Fragment,
    *,
    lab: str,
    project: str,
    references: Mapping[str, str],
    user: str,
    owner: str,
    files: Mapping[str, bytes],
) -> Fragment:
    """Adds to every service what all have.

    Args:
        merged: The merged fragments.
        lab: The lab's name.
        project: The Compose project's name.
        references: Image name in the catalog to reference.
        user: `uid:gid` of services that are not privileged.
        owner: Whose the lab is, as its labels say it.
        files: The rendered configuration; a service's label holds the digest of what it mounts, so that Compose makes
            a container anew exactly where its configuration changed.
    """
    labels = {"org.labctl.lab": lab, "org.labctl.owner": owner}
    services = {
        name: complete_service(name, service, labels=labels, lab=lab, references=references, user=user, files=files)
        for name, service in merged["services"].items()
    }
    return {
        "name": project,
        "services": services,
        "networks": {name: {**network, "labels": labels} for name, network in merged["networks"].items()},
        "volumes": {name: {**volume, "labels": labels} for name, volume in merged["volumes"].items()},
    }


def mount_authority(merged: Fragment, files: Mapping[str, bytes]) -> None:
    """Has every service whose definition or configuration names the authority's certificate mount it.

    Args:
        merged: The merged fragments, which are changed.
        files: The rendered configuration, and the certificate.
    """
    for service in merged["services"].values():
        texts = (json.dumps(service).encode(), *(files[path] for path in mounted_files(service, files)))
        if any(AUTHORITY_FILE.encode() in text for text in texts):
            service["volumes"] = [*service.get("volumes", []), f"./{CA_FILE}:{AUTHORITY_FILE}:ro"]


def complete_service(
    name: str,
    service: Fragment,
    *,
    labels: Mapping[str, str],
    lab: str,
    references: Mapping[str, str],
    user: str,
    files: Mapping[str, bytes],
) -> Fragment:
    """One service with name, labels, limits and, unless it is privileged, as little privilege as possible."""
    if service["image"] not in references:
        raise BadInput(f"The service {name!r} runs the image {service['image']!r}, which is not in the catalog.")
    defaults: Fragment = {
        "container_name": f"{lab}-{name}",
        "restart": "unless-stopped",
        "init": True,
        "stop_grace_period": "5s",
        "pull_policy": "never",
        "mem_limit": limits.MEMORY,
        "pids_limit": limits.PROCESSES,
        "logging": {"driver": "json-file", "options": {"max-size": "10m", "max-file": "3"}},
    }
    if (service.get("network_mode") == "host" or "networks" in service) and name != FILTER:
        service = behind_filter(name, service)
    if not service.get("privileged"):
        defaults |= {
            "user": user,
            "read_only": True,
            "cap_drop": ["ALL"],
            "security_opt": ["no-new-privileges:true"],
        }
        service = {**service, "tmpfs": [*service.get("tmpfs", []), "/tmp"]}  # noqa: S108 - the container's own
    labels = {
        **service.get("labels", {}),
        **labels,
        "org.labctl.service": name,
        "org.labctl.configuration": digest(service, files),
    }
    known = {key: value for key, value in service.items() if not key.startswith("x-")}
    completed = {**defaults, **known, "image": references[service["image"]], "labels": labels}
    if "healthcheck" in service:
        completed["healthcheck"] = {**HEALTH, **service["healthcheck"]}
    # What `up` compares with the containers that are there. Compose's own digest cannot be had beforehand: that of
    # a service in another one's namespace depends on the other's container.
    text = json.dumps(completed, sort_keys=True)
    labels["org.labctl.definition"] = hashlib.sha256(text.encode()).hexdigest()[:16]
    # For labctl alone: no container is made otherwise for it.
    completed |= {key: service[key] for key in (MIGRATIONS, OUTLIVES, FORGET) if service.get(key)}
    return completed


def behind_filter(name: str, service: Fragment) -> Fragment:
    """A service in the machine's own network or in one of the lab's, as it waits for the lab's packet filter.

    Those of nodes, which have neither, wait for the node's holder, which has.

    Raises:
        BadInput: What it runs is not a list of words.
    """
    if not isinstance(command := service.get("command"), list):
        raise BadInput(f"The service {name!r} has a network, and its `command` is no list of words.")
    return {
        **service,
        "command": ["behind-filter", *command],
        "volumes": [*service.get("volumes", []), FILTER_STATE],
        "depends_on": {FILTER: {"condition": "service_started"}, **service.get("depends_on", {})},
    }


def digest(service: Fragment, files: Mapping[str, bytes]) -> str:
    """A digest of the rendered files that a service mounts."""
    total = hashlib.sha256()
    for path in sorted(mounted_files(service, files)):
        total.update(path.encode() + b"\0" + files[path])
    return total.hexdigest()[:16]


def mounted_files(service: Fragment, files: Iterable[str]) -> frozenset[str]:
    """The rendered files that a service mounts."""
    volumes = [volume for volume in service.get("volumes", []) if isinstance(volume, str) and volume[0] == "."]
    mounts = [volume.split(":")[0].removeprefix("./") for volume in volumes]
    return frozenset(path for path in files if any(path == mount or path.startswith(f"{mount}/") for mount in mounts))


class _Dumper(getattr(yaml, "CSafeDumper", yaml.SafeDumper)):  # type: ignore[misc]
    """Spells out what is shared instead of anchors: the file is for people."""

    def ignore_aliases(self, data: Any) -> bool:
        return True


def dump(compose: Fragment) -> bytes:
    """The Compose file's text."""
    return yaml.dump(compose, Dumper=_Dumper, sort_keys=False, width=120).encode()
