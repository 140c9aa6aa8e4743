"""A lab of the real catalog as the engine has it when it is as wanted, and ways to change what is seen of it."""

from collections.abc import Callable, Mapping
from dataclasses import replace

from labctl.bringup.prepare import Prepared
from labctl.bringup.seen import Seen
from labctl.bringup.wanted import Wanted, read_wanted
from labctl.engine.containers import ServiceState
from labctl.engine.networks import LabNetwork
from labctl.engine.volumes import LabVolume
from labctl.lab.file import LabFile
from tests.unit.render.fixed_lab import REFERENCES, make_plan, make_secrets, render

IMAGES = {reference: f"content-of-{name}" for name, reference in REFERENCES.items()}
"""Reference to what the image holds."""

STAMPS = dict.fromkeys(("mariadb", "keystone", "glance", "placement", "neutron", "nova"), "1")
"""Image to what its schema was migrated by."""


def wanted(nodes: int = 1, images: Mapping[str, str] = IMAGES, **more: object) -> Wanted:
    """A lab; its secrets say which secret they are."""
    plan = make_plan(nodes=nodes, **more)
    rendered = render(plan)
    prepared = Prepared(LabFile(name=plan.name, nodes=nodes), plan, make_secrets(plan), rendered)
    return read_wanted(rendered["compose.yaml"], prepared.files, images, STAMPS)


def as_wanted(lab: Wanted) -> Seen:
    """What is seen of a lab that is up."""
    names = {network.key: network.name for network in lab.networks}
    containers = tuple(
        ServiceState(
            service=one.name,
            container=f"id-of-{one.name}",
            status="exited" if one.is_job else "running",
            health="" if one.is_job else "healthy",
            exit_code=0 if one.is_job else None,
            since="",
            definition=one.definition,
            image=f"id-of-{one.image}",
            name=one.container,
            configuration=one.configuration,
            networks={names[key]: f"id-of-{key}" for key in one.networks},
        )
        for one in lab.services
    )
    networks = tuple(LabNetwork(one.key, one.name, f"id-of-{one.key}", one.subnet, one.bridge) for one in lab.networks)
    volumes = tuple(LabVolume(one.name, one.options) for one in lab.volumes)
    images = {f"id-of-{one.image}": one.image for one in lab.services}
    return Seen(containers, networks, volumes, images, lab.files, STAMPS)


def changed(seen: Seen, services: Callable[[ServiceState], bool], **values: object) -> Seen:
    """What is seen, with some containers otherwise."""
    return replace(
        seen,
        containers=tuple(
            replace(one, **values) if services(one) else one  # type: ignore[arg-type]
            for one in seen.containers
        ),
    )


def without(seen: Seen, services: Callable[[ServiceState], bool]) -> Seen:
    """What is seen, without some containers."""
    return replace(seen, containers=tuple(one for one in seen.containers if not services(one)))


def called(*names: str) -> Callable[[ServiceState], bool]:
    """The services of some names."""
    return lambda one: one.service in names
