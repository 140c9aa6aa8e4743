"""`labctl reset`: the lab is empty again. Everything starts from nothing but the broker, which goes on, emptied."""

import docker

from labctl.bringup.drop_ins import refuse_bad_drop_ins
from labctl.bringup.up import BroughtUp, bring_up, check_images, runtime_references
from labctl.catalog.folders import CatalogFolders
from labctl.engine.broker import empty_broker
from labctl.engine.containers import service_states
from labctl.events import Emit, step
from labctl.lab.file import LabFile
from labctl.lab.state import LabState, locked
from labctl.snapshot.clear import clear

BROKER = "rabbitmq"
"""The service, and the volume that it keeps."""


def reset(client: docker.DockerClient, folders: CatalogFolders, lab: LabFile, emit: Emit) -> BroughtUp:
    """Makes a lab what it was just after its first `up`: empty; with the addresses, secrets and snapshots that it has.

    Raises:
        BadInput: Images are missing, or a file that the lab reads; nothing was changed.
        BringUpFailed: The lab did not become ready.
    """
    with locked(f"lab-{lab.name}"):
        references = runtime_references(folders, lab.release, lab.profiles)
        check_images(client, folders, references, lab.profiles)
        refuse_bad_drop_ins(folders, lab, emit)
        half_restored = LabState(lab.name).being_restored
        broker = service_states(client, lab.name).get(BROKER)
        if broker and broker.summary == "healthy" and not half_restored.exists():
            clear(client, lab.name, emit, keep=(broker.container,), volumes=(BROKER,))
            with step(emit, "empty the broker"):
                empty_broker(broker.container)
        else:
            clear(client, lab.name, emit)
        half_restored.unlink(missing_ok=True)
    return bring_up(client, folders, lab, emit)
