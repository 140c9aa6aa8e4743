"""Migrations of a lab's databases: newer images take over a volume that older ones filled.

A file beside the databases, in their volume, says which packages migrated what: it travels with the volume, through
snapshots and `down --keep-data`. It is written before anything else changes, and again after each migration, so that
one that was interrupted is done again; a migration that was done already changes nothing.
"""

import json
from collections.abc import Mapping

import docker

from labctl.bringup.execute import StepEvents
from labctl.bringup.plan import DATABASE, Action, Plan
from labctl.bringup.wanted import Wanted
from labctl.engine import compose
from labctl.engine.containers import SERVICE_LABEL
from labctl.engine.labels import LAB_LABEL
from labctl.engine.process import CommandFailed
from labctl.engine.volume_files import read_file, which_are_there, write_file
from labctl.errors import BringUpFailed
from labctl.lab.state import LabState

SCHEMA_LABEL = "org.labctl.schema."
VERSION_LABEL = "org.labctl.version."
FILE = "labctl-schemas.json"
FILLED = "aria_log_control"
"""A small file that every data folder of MariaDB has."""
FILLING = "labctl-filling"
"""The mark of images/mariadb/start-mariadb: the volume is being filled."""


def stamps_of(labels: Mapping[str, str]) -> dict[str, str]:
    """What the image of the database was made by: image to the stamp of its schema; the server's own is its version."""
    found = {key.removeprefix(SCHEMA_LABEL): value for key, value in labels.items() if key.startswith(SCHEMA_LABEL)}
    version = labels.get(VERSION_LABEL + DATABASE)
    return {DATABASE: version, **found} if version else found


def read_stamps(client: docker.DockerClient, state: LabState, image: str) -> dict[str, str] | None:
    """What a lab's databases were migrated by.

    A volume without the file is that of the image that its container was made from: whoever gives it to another
    container writes the file first. Where there is no container either, nothing is known.

    Args:
        client: The engine.
        state: The lab.
        image: An image to look into the volume from.

    Returns:
        Image to stamp; None where there is no volume, or one that is still to be filled: by the image, as a new one.
    """
    try:
        client.api.inspect_volume(volume(state.project))
    except docker.errors.NotFound:
        return None
    content = read_file(client, state.name, container(state.name), volume(state.project), image, FILE)
    if content is not None:
        return {str(key): str(value) for key, value in json.loads(content).items()}
    try:
        made_of = client.api.inspect_container(container(state.name))["Image"]
        return stamps_of(client.images.get(made_of).labels)
    except docker.errors.NotFound:
        return {} if is_filled(client, state, image) else None


def is_filled(client: docker.DockerClient, state: LabState, image: str) -> bool:
    """Whether the volume holds databases: one that `up` was killed at is empty, or has a part of them."""
    there = which_are_there(client, state.name, container(state.name), volume(state.project), image, (FILLED, FILLING))
    return there == {FILLED}


def write_stamps(client: docker.DockerClient, state: LabState, image: str, stamps: Mapping[str, str]) -> None:
    """Writes what a lab's databases were migrated by."""
    content = json.dumps(stamps, indent=2).encode() + b"\n"
    write_file(client, state.name, container(state.name), volume(state.project), image, FILE, content)


def container(lab: str) -> str:
    """The database's container."""
    return f"{lab}-{DATABASE}"


def volume(project: str) -> str:
    """The database's volume."""
    return f"{project}_{DATABASE}"


def migrate(
    client: docker.DockerClient,
    state: LabState,
    plan: Plan,
    wanted: Wanted,
    stamps: Mapping[str, str],
    steps: StepEvents,
) -> None:
    """Runs the migrations of a plan, in containers of the new images; no service that uses these databases runs.

    Raises:
        BringUpFailed: The database did not start, or a migration failed.
    """
    todo = {step.subject: step for step in plan.of(Action.MIGRATE)}
    if not todo:
        return
    said: list[str] = []
    if compose.start(state.project, state.compose_file, [DATABASE], said.append, wait=True):
        raise BringUpFailed("The database did not start.", evidence=said[-5:], remedy=f"`labctl logs {DATABASE}`.")
    done = dict(stamps)
    for one in wanted.migrations:
        if one.schema in todo:
            with steps.doing(todo[one.schema]):
                for command in one.commands:
                    run(state, one.schema, one.service, command)
                done[one.schema] = one.stamp
                write_stamps(client, state, one.reference, done)


def run(state: LabState, schema: str, service: str, command: tuple[str, ...]) -> None:
    """Runs one command of a migration.

    Raises:
        BringUpFailed: It failed.
    """
    try:
        if service == DATABASE:
            compose.execute(state.project, state.compose_file, service, command)
        else:
            # No service has its label, so that the next `up` removes one that was left by an interruption.
            name = f"migrate-{schema}"
            labels = [f"{LAB_LABEL}={state.name}", f"{SERVICE_LABEL}={name}"]
            compose.run_once(state.project, state.compose_file, service, command, f"{state.name}-{name}", labels)
    except CommandFailed as error:
        raise BringUpFailed(
            f"The databases of {schema} could not be migrated.",
            evidence=error.evidence,
            remedy="`labctl up` tries again. Images that are older than the lab's data cannot take it over: build "
            f"those of before, or make the lab empty: `labctl reset --name {state.name}`.",
        ) from error
