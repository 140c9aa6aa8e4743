"""`labctl reset`: the lab is empty again, as it was just after its first `up`.

Where it can, it goes back to the checkpoint of that time, under services that go on. Else everything starts from
nothing but the broker, which goes on, emptied, and the databases from their image.
"""

import docker

from labctl.bringup.drop_ins import refuse_bad_drop_ins
from labctl.bringup.up import BroughtUp, bring_up, check_images, runtime_references
from labctl.catalog.folders import CatalogFolders
from labctl.engine.broker import BROKER, empty_broker
from labctl.engine.containers import service_states
from labctl.engine.lab_lock import lab_lock
from labctl.events import Emit, Note, step
from labctl.files import write_file
from labctl.lab.file import LabFile
from labctl.lab.state import LabState
from labctl.snapshot.checkpoint import find_checkpoint, take_checkpoint
from labctl.snapshot.clear import clear
from labctl.snapshot.put_back import look, obstacle, put_back
from labctl.snapshot.store import checkpoint_volume, remove_halves


def reset(client: docker.DockerClient, folders: CatalogFolders, lab: LabFile, emit: Emit) -> BroughtUp:
    """Makes a lab what it was just after its first `up`: empty; with the addresses, secrets and snapshots that it has.

    Raises:
        BadInput: Images are missing, or a file that the lab reads; nothing was changed.
        BringUpFailed: The lab did not become ready.
    """
    state = LabState(lab.name)
    with lab_lock(client, lab.name, emit):
        references = runtime_references(folders, lab.release, lab.profiles)
        check_images(client, folders, references, lab.profiles)
        refuse_bad_drop_ins(folders, lab, emit)
        remove_halves(client, state)
        checkpoint = find_checkpoint(state)
        there = look(client, state)
        why_not = obstacle(checkpoint, there) if checkpoint else "nothing was kept of its first `up`"
        if checkpoint and there and not why_not:
            write_file(state.being_restored, b"")
            put_back(client, there, state, checkpoint, checkpoint_volume(state), emit)
        else:
            emit(Note(f"Every service starts anew: {why_not}."))
            start_from_nothing(client, state, emit)
        state.being_restored.unlink(missing_ok=True)
    result = bring_up(client, folders, lab, emit)
    if result.is_new:
        take_checkpoint(client, result, emit)
    return result


def start_from_nothing(client: docker.DockerClient, state: LabState, emit: Emit) -> None:
    """Removes what a lab runs and holds, but for a broker that is well: that one is emptied."""
    broker = service_states(client, state.name).get(BROKER)
    if broker and broker.summary == "healthy" and not state.being_restored.exists():
        clear(client, state.name, emit, keep=(broker.container,), volumes=(BROKER,))
        with step(emit, "empty the broker"):
            empty_broker(broker.container)
    else:
        clear(client, state.name, emit)
