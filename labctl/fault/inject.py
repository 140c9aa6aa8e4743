"""Does the steps of faults, and keeps book: whatever becomes of labctl, what was broken can be mended."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import cached_property

import openstack.exceptions
from openstack.connection import Connection

from labctl.cloud.connection import api_errors
from labctl.engine.process import CommandFailed, run
from labctl.errors import BadInput, CloudCheckFailed, NotFound
from labctl.fault.change import Command, Request, Step, check_node, filled, needs
from labctl.fault.fault import Fault, Where
from labctl.fault.record import Injected, forget, keep, now, read_injected
from labctl.fault.scene import Scene
from labctl.lab.addresses import NETWORK_NODE, Node, Role
from labctl.lab.names import nearest
from labctl.lab.secrets import read_secrets
from labctl.lab.state import LabState

STEP_SECONDS = 120.0
SECRET = "secret:"  # noqa: S105
"""What names of secrets start with in steps: the steps themselves, which are shown and kept, have none."""
GONE = ("No such container", "is not running", "Cannot open network namespace")
"""What docker and ip say of what is not there any more, or has ended: what was in it is gone, too."""


class Tools:
    """What steps are done with.

    Args:
        state: The lab.
        connect: Makes a connection to the cloud as its admin; called when a step first needs it.
    """

    def __init__(self, state: LabState, connect: Callable[[], Connection]) -> None:
        self.state = state
        self._connect = connect

    @cached_property
    def admin(self) -> Connection:
        """The cloud."""
        return self._connect()

    @cached_property
    def secrets(self) -> Mapping[str, str]:
        """The lab's secrets, by the names that steps have for them."""
        return {SECRET + name: value for name, value in read_secrets(self.state.secrets).values.items()}

    def do(self, step: Step, made: Mapping[str, str]) -> dict[str, str]:
        """Does one step.

        Args:
            step: The step.
            made: What earlier ones made.

        Returns:
            What it made: name to id.

        Raises:
            CommandFailed: A program failed.
            CloudCheckFailed: An API refused.
        """
        if isinstance(step, Command):
            command = filled(step, made)
            assert isinstance(command, Command)  # noqa: S101 - filled() leaves the kind as it is
            try:
                run(command.argv, timeout=STEP_SECONDS)
            except CommandFailed as error:
                if not (step.already and step.already in error.completed.stderr):
                    raise
            return {}
        request = filled(step, {**made, **self.secrets} if SECRET in str(step) else made)
        assert isinstance(request, Request)  # noqa: S101 - as above
        return self._ask(request)

    def _ask(self, request: Request) -> dict[str, str]:
        api = getattr(self.admin, request.service)
        sent = {"data": request.data} if request.data else {"json": request.body} if request.body is not None else {}
        headers = {"Content-Type": request.content_type} if request.content_type else {}
        with api_errors(f"answer {request.method} {request.path}"):
            response = api.request(
                request.path, request.method, headers=headers, microversion=request.microversion or None, **sent
            )
            openstack.exceptions.raise_from_response(response)
        if not request.makes:
            return {}
        answer = response.json()
        return {request.makes: str(answer.get(request.makes, answer)["id"])}


def choose_node(fault: Fault, wanted: str | None, nodes: tuple[Node, ...]) -> Node:
    """The node that a fault is made in.

    Raises:
        BadInput: The lab has no such node, or the fault is made elsewhere.
    """
    if wanted is None:
        role = Role.NETWORK if fault.where is Where.NETWORK else Role.COMPUTE
        return next(node for node in nodes if node.role is role)
    node = check_node(wanted, nodes)
    fits = {
        Where.LAB: False,
        Where.NODE: True,
        Where.COMPUTE: node.role is Role.COMPUTE,
        Where.NETWORK: node.name == NETWORK_NODE,
    }
    if not fits[fault.where]:
        where = "no node" if fault.where is Where.LAB else f"a {fault.where}"
        raise BadInput(f"The fault {fault.id} is made in {where}, not in {wanted}.", remedy="Leave out --node.")
    return node


def choose_fault(faults: Iterable[Fault], id: str) -> Fault:
    """The fault of that name.

    Raises:
        NotFound: There is none.
    """
    by_id = {fault.id: fault for fault in faults}
    if id in by_id:
        return by_id[id]
    raise NotFound(f"There is no fault {id!r}.", remedy=nearest(id, by_id) or "`labctl fault list` shows them.")


def inject(tools: Tools, fault: Fault, scene: Scene) -> Iterator[Step]:
    """Breaks a lab; tells each step before it is done. Where one fails, what was done is mended.

    For holders of the lab's lock, as `clear`.

    Raises:
        BadInput: It is broken in that way already.
        LabctlError: A step failed.
    """
    node = "" if fault.where is Where.LAB else scene.node.name
    if any((one.id, one.node) == (fault.id, node) for one in read_injected(tools.state)):
        raise BadInput(f"The lab has the fault {fault.id} already.", remedy=f"`labctl fault clear {fault.id}`")
    change = fault.change(scene)
    to_make = {step.makes: "" for step in change.inject if isinstance(step, Request) and step.makes}
    injected = Injected(id=fault.id, node=node, since=now(), clear=change.clear, made=to_make)
    keep(tools.state, injected)
    try:
        for step in change.inject:
            yield step
            made = tools.do(step, injected.made)
            if made:
                injected = injected.model_copy(update={"made": {**injected.made, **made}})
                keep(tools.state, injected)
    except BaseException:
        mend(tools, injected)
        forget(tools.state, injected)
        raise


def clear(tools: Tools, wanted: str | None, node: str | None, faults: Iterable[Fault]) -> Iterator[Injected]:
    """Mends what was broken, the latest first; tells each fault when it is gone.

    Args:
        tools: What it is done with.
        wanted: The fault; all that there are where none is named.
        node: Of that node only.
        faults: All faults, for their names.

    Raises:
        NotFound: There is no fault of that name.
        LabctlError: A step failed; the fault stays in the book.
    """
    if wanted is not None:
        choose_fault(faults, wanted)
    for injected in reversed(read_injected(tools.state)):
        if wanted in (None, injected.id) and node in (None, injected.node):
            mend(tools, injected)
            forget(tools.state, injected)
            yield injected


def mend(tools: Tools, injected: Injected) -> None:
    """Does the steps that mend a fault; those of things that were never made have nothing to do."""
    never_made = {name for name, id in injected.made.items() if not id}
    for step in injected.clear:
        if not needs(step, never_made):
            mend_step(tools, step, injected.made)


def mend_step(tools: Tools, step: Step, made: Mapping[str, str]) -> None:
    """Does one of them; what is gone meanwhile, with a container or from the cloud, is mended.

    Raises:
        LabctlError: The step failed.
    """
    try:
        tools.do(step, made)
    except CommandFailed as error:
        if not any(words in error.completed.stderr for words in GONE):
            raise
    except CloudCheckFailed as error:
        if not isinstance(error.__cause__, openstack.exceptions.NotFoundException):
            raise
