"""The checkpoint of a lab: what it was just after its databases were made, for `labctl reset` to go back to.

Taken while all services go on: at that time nothing but the database writes into the volumes that are copied, and the
database stands still for the tenths of a second that the copy takes. As with a snapshot, it recovers from that copy as
from a power failure. The broker's volume is not in it: a reset lets the broker go on.
"""

import docker

from labctl.bringup.birth import read_birth
from labctl.bringup.plan import DATABASE
from labctl.bringup.up import BroughtUp
from labctl.engine.broker import BROKER
from labctl.engine.containers import service_states
from labctl.engine.copying import copy_beside, finish_helpers, make_snapshot_volume, remove_volume
from labctl.engine.lab_lock import lab_lock
from labctl.engine.volumes import lab_volumes
from labctl.events import Emit, step
from labctl.files import write_file
from labctl.lab.state import LabState
from labctl.snapshot.create import describe, running_images
from labctl.snapshot.manifest import Manifest, dump_manifest
from labctl.snapshot.store import checkpoint_file, checkpoint_volume, read_manifest

PROCESS = "mariadbd"
"""The process of the database."""


def take_checkpoint(client: docker.DockerClient, made: BroughtUp, emit: Emit) -> None:
    """Keeps what a lab is whose databases have just been made; in place of the checkpoint that it has.

    Raises:
        CommandFailed: The disk is full.
    """
    lab, state = made.lab, LabState(made.lab.name)
    volume = checkpoint_volume(state)
    with lab_lock(client, lab.name, emit), step(emit, "keep the state for `labctl reset`") as evidence:
        checkpoint_file(state).unlink(missing_ok=True)
        remove_volume(client, volume)
        make_snapshot_volume(client, lab.name, volume, "")
        services = service_states(client, lab.name)
        database = services[DATABASE]
        volumes = {key: name for key, name in lab_volumes(client, lab.name).items() if key != BROKER}
        try:
            sizes = copy_beside(database.image, lab.name, volumes, volume, database.container, PROCESS)
        finally:
            finish_helpers(client, lab.name)
        birth = read_birth(client, state, database.image)
        manifest = describe(state, lab, "", running_images(client, state, services), sizes, birth)
        write_file(checkpoint_file(state), dump_manifest(manifest))
        evidence.text = f"{len(sizes)} volumes, {manifest.size // 10**6} MB"


def find_checkpoint(state: LabState) -> Manifest | None:
    """The lab's checkpoint; None where there is none."""
    path = checkpoint_file(state)
    return read_manifest(path) if path.exists() else None
