"""What `up` is going to do: a pure function from what is wanted and what is seen to steps, each with its reason.

The order of the steps is that of their execution (`labctl.bringup.execute`):

1. Files are written, and the folders that containers of one node share are made.
2. What is in the way is taken away: containers that are made anew, or that nobody wants, are stopped and removed,
   dependents first; containers that only start anew are stopped; then networks and volumes that are wrong are removed.
3. Where the database's volume has other schemas than the images know, the database is made and started, and the
   migrations run. The services that use it have been stopped.
4. Compose makes and starts what is missing, in the order of `depends_on`. It is told exactly which services, and to
   leave alone what runs.
5. The cloud is waited for.

Nothing is remembered from one `up` to the next: every decision comes from labels and states that the engine keeps. So
an `up` that was killed between any two steps is finished by the next one, which sees what is missing. For this, a step
whose reason would be lost with an earlier step (a job that runs again because its data is gone) removes its container
first, and whatever starts anew with something else is stopped before that is removed.

A plan removes no data: volumes that the lab has no use for stay until `labctl down`. The exceptions hold none: a volume
without the lab's label, which no container uses, was left by an engine that died while it made it; one with driver
options is memory.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from labctl.bringup.seen import Seen
from labctl.bringup.wanted import Wanted, WantedNetwork, WantedService, WantedVolume
from labctl.engine.containers import ServiceState
from labctl.engine.networks import LabNetwork

MOST_NAMES = 4
"""So many files are named in a reason."""


class Action(StrEnum):
    """What a step does; with its subject it is the step's id."""

    WRITE = "write"
    PREPARE = "prepare"
    REMOVE = "remove"
    REMOVE_LEFTOVER = "remove-leftover"
    REMOVE_NETWORK = "remove-network"
    REMOVE_VOLUME = "remove-volume"
    CREATE_NETWORK = "create-network"
    CREATE_VOLUME = "create-volume"
    MIGRATE = "migrate"
    CREATE = "create"
    RECREATE = "recreate"
    RUN_AGAIN = "run-again"
    RESTART = "restart"
    RESUME = "resume"
    START = "start"
    WAIT = "wait"


WORDS = {
    Action.PREPARE: "prepare the {}",
    Action.REMOVE_LEFTOVER: "remove a leftover of {}",
    Action.REMOVE_NETWORK: "remove network {}",
    Action.REMOVE_VOLUME: "remove volume {}",
    Action.CREATE_NETWORK: "create network {}",
    Action.CREATE_VOLUME: "create volume {}",
    Action.MIGRATE: "migrate the databases of {}",
    Action.RUN_AGAIN: "run {} again",
    Action.WAIT: "wait until the {} is usable",
}
"""How a step is said, where it is not the action and its subject."""

DATABASE = "mariadb"
"""The service that has all databases, and its volume."""

MAKES = frozenset({Action.CREATE, Action.RECREATE, Action.RUN_AGAIN})
STARTS = MAKES | {Action.RESTART, Action.START}
"""What Compose does; for a restart, the second half."""


@dataclass(frozen=True)
class Step:
    """One step of a plan.

    Attributes:
        action: What is done.
        subject: To what.
        why: Why.
        target: The engine's id of what is stopped or removed for it; empty where nothing is.
    """

    action: Action
    subject: str
    why: str
    target: str = ""

    @property
    def id(self) -> str:
        """Its name, the same in every plan that has it."""
        return f"{self.action}:{self.subject}"

    @property
    def what(self) -> str:
        """What is done, in words."""
        return WORDS.get(self.action, f"{self.action} {{}}").format(self.subject)

    def __str__(self) -> str:
        return f"{self.what} — {self.why}"


@dataclass(frozen=True)
class Plan:
    """What `up` is going to do.

    Attributes:
        steps: In order; empty where the lab is as wanted.
        awaited: Services that run and are not ready yet: what starts may wait for them.
        is_first: Whether nothing is there yet.
    """

    steps: tuple[Step, ...]
    awaited: tuple[str, ...] = ()
    is_first: bool = False

    def of(self, *actions: Action) -> tuple[Step, ...]:
        """The steps with one of some actions."""
        return tuple(step for step in self.steps if step.action in actions)


def plan_bring_up(wanted: Wanted, seen: Seen) -> Plan:
    """Works out the steps from what is seen to what is wanted."""
    changed = changed_files(wanted.files, seen.files)
    networks, kept = _networks(wanted.networks, seen.networks)
    volumes, new_volumes = _volumes(wanted.volumes, seen)
    current = {one.service: one for one in seen.containers}
    migrations = _migrations(wanted, seen, new_volumes)
    migrating = frozenset(
        one.reference for one in wanted.migrations if one.schema in {each.subject for each in migrations}
    )
    judge = _Judge(wanted, current, seen.images, changed, kept, new_volumes, migrating)
    decided = judge.decide()
    awaited = tuple(
        service.name
        for service in wanted.services
        if service.name not in decided and (one := current.get(service.name)) and not is_ready(service, one)
    )
    removed = _removed(wanted, seen)
    removals = [step for step in (*networks, *volumes) if step.target]
    creations = [step for step in (*networks, *volumes) if not step.target]
    steps = [
        *_files(changed),
        *_machine(wanted, decided),
        *removed,
        *removals,
        *creations,
        *_before(migrations, decided),
    ]
    if (set(steps) - set(_files(changed))) or awaited:
        why = f"{', '.join(awaited)}: not ready yet" if awaited and not decided else "its services change"
        steps.append(Step(Action.WAIT, "cloud", why))
    return Plan(tuple(steps), awaited, is_first=not seen.containers and not seen.files)


def _migrations(wanted: Wanted, seen: Seen, new_volumes: frozenset[str]) -> tuple[Step, ...]:
    """The schemas of the database's volume that are not those that the images know."""
    stamps = seen.stamps
    if stamps is None or DATABASE in new_volumes:
        return ()
    return tuple(
        Step(
            Action.MIGRATE,
            one.schema,
            f"the database's volume has the schema of packages {stamps.get(one.schema, 'unknown')}, "
            f"the image {one.reference} that of {one.stamp}",
        )
        for one in wanted.migrations
        if stamps.get(one.schema) != one.stamp
    )


def _before(migrations: tuple[Step, ...], decided: Mapping[str, Step]) -> tuple[Step, ...]:
    """Puts the migrations between the database, which comes first of all services, and the others."""
    steps = tuple(decided.values())
    at = 1 if steps and steps[0].subject == DATABASE else 0
    return (*steps[:at], *migrations, *steps[at:])


def is_ready(service: WantedService, one: ServiceState) -> bool:
    """Whether nothing more is expected of a service."""
    return one.summary == "done" if service.is_job else one.is_ready


def changed_files(wanted: Mapping[str, bytes], seen: Mapping[str, bytes]) -> tuple[str, ...]:
    """The files that are missing, or hold something else, or do not belong there."""
    return tuple(sorted(name for name in {*wanted, *seen} if wanted.get(name) != seen.get(name)))


def _files(changed: tuple[str, ...]) -> tuple[Step, ...]:
    return (Step(Action.WRITE, "files", f"they differ: {_names(changed)}"),) if changed else ()


def _machine(wanted: Wanted, decided: Mapping[str, Step]) -> tuple[Step, ...]:
    """The step for the folders that the containers of a node share, which a boot of the machine takes away."""
    nodes = {one.node for one in wanted.services if one.node and one.name in decided}
    why = f"the containers of {_names(nodes)} share folders on it"
    return (Step(Action.PREPARE, "machine", why),) if nodes else ()


def _names(names: Iterable[str]) -> str:
    """Names the first few of many."""
    ordered = sorted(names)
    more = len(ordered) - MOST_NAMES
    return ", ".join(ordered[:MOST_NAMES]) + (f" and {more} more" if more > 0 else "")


def _networks(
    wanted: tuple[WantedNetwork, ...], seen: tuple[LabNetwork, ...]
) -> tuple[tuple[Step, ...], Mapping[str, str]]:
    """The steps for networks, and the id of each one that stays, by the engine's name of it."""
    steps: list[Step] = []
    kept: dict[str, str] = {}
    by_name = {network.name: network for network in wanted}
    for one in seen:
        network = by_name.get(one.name)
        wrong = "the lab has no such network any more" if network is None else _wrong(network, one)
        if not wrong and one.name in kept:
            wrong = "there are two of that name: an interrupted start left one"
        if wrong:
            steps.append(Step(Action.REMOVE_NETWORK, network.key if network else one.name, wrong, one.id))
        else:
            kept[one.name] = one.id
    for network in wanted:
        if network.name not in kept:
            steps.append(Step(Action.CREATE_NETWORK, network.key, "there is none"))
    return tuple(steps), kept


def _wrong(network: WantedNetwork, one: LabNetwork) -> str:
    if one.key != network.key:
        return "it lacks the lab's labels: somebody else made it, or an interrupted start"
    if one.subnet != network.subnet:
        return f"its range is {one.subnet or 'not set'}, not {network.subnet}"
    if one.bridge != network.bridge:
        return f"its device is {one.bridge or 'not named'}, not {network.bridge}"
    return ""


def _volumes(wanted: tuple[WantedVolume, ...], seen: Seen) -> tuple[tuple[Step, ...], frozenset[str]]:
    """The steps for volumes, and those that will be empty."""
    steps: list[Step] = []
    new = set()
    by_name = {one.name: one for one in seen.volumes}
    for volume in wanted:
        one = by_name.get(volume.name)
        wrong = ""
        if one and not one.is_labelled and not one.is_used:
            wrong = "it lacks the lab's label, and nothing uses it: an interrupted start left it"
        elif one and volume.options and dict(one.options) != dict(volume.options):
            wrong = "its options are others now"
        if one and wrong:
            steps.append(Step(Action.REMOVE_VOLUME, volume.key, wrong, one.name))
        if wrong or not one:
            new.add(volume.key)
            steps.append(Step(Action.CREATE_VOLUME, volume.key, "there is none"))
    return tuple(steps), frozenset(new)


def _removed(wanted: Wanted, seen: Seen) -> tuple[Step, ...]:
    """The containers that nobody wants."""
    names = {service.name for service in wanted.services}
    current = {one.service: one.container for one in seen.containers}
    steps = []
    for one in seen.containers:
        if one.service not in names:
            steps.append(Step(Action.REMOVE, one.service, "the lab has no such service any more", one.container))
        elif one.container != current[one.service]:
            why = f"{one.name} is one container too many: somebody was interrupted replacing it"
            steps.append(Step(Action.REMOVE_LEFTOVER, one.service, why, one.container))
    return tuple(steps)


@dataclass(frozen=True)
class _Judge:
    """Decides what becomes of each service."""

    wanted: Wanted
    current: Mapping[str, ServiceState]
    images: Mapping[str, str]
    changed: tuple[str, ...]
    kept_networks: Mapping[str, str]
    new_volumes: frozenset[str]
    migrating: frozenset[str]

    def decide(self) -> dict[str, Step]:
        """The steps, by service, in the order of the services: what one depends on is decided before it."""
        decided: dict[str, Step] = {}
        for service in self.wanted.services:
            found = self._judge(service, self.current.get(service.name), decided)
            if found:
                decided[service.name] = found
        return decided

    def _judge(self, service: WantedService, one: ServiceState | None, decided: Mapping[str, Step]) -> Step | None:
        if one is None:
            return Step(Action.CREATE, service.name, "there is no container")
        why = self._obsolete(service, one, decided)
        if why or (service.is_job and (why := self._undone(service, one))):
            return Step(Action.RUN_AGAIN if service.is_job else Action.RECREATE, service.name, why, one.container)
        if service.is_job and one.status == "exited":
            return None
        if one.status == "created":
            return Step(Action.START, service.name, "it was made and never started")
        if one.status == "exited":
            return Step(Action.START, service.name, f"it ended with exit code {one.exit_code}")
        why = _follows(service, decided) or self._bereft(service) or self._migrated(service) or _in_trouble(one)
        if why:
            return Step(Action.RESTART, service.name, why, one.container)
        if one.status == "paused":
            return Step(Action.RESUME, service.name, "somebody paused it", one.container)
        return None

    def _obsolete(self, service: WantedService, one: ServiceState, decided: Mapping[str, Step]) -> str:
        """Why a container cannot go on being used; empty where it can."""
        reasons = [*self._differences(service, one), *self._detached(service, one)]
        if one.status in ("dead", "removing"):
            reasons.append(f"the engine says that it is {one.status}")
        owner = decided.get(service.owner)
        if owner and owner.action in MAKES:
            reasons.append(f"it is in the network namespace of {service.owner}, which is made anew")
        return "; ".join(reasons)

    def _differences(self, service: WantedService, one: ServiceState) -> Iterable[str]:
        if one.configuration != service.configuration:
            files = [path for path in self.changed if service.reads(path)]
            yield f"its configuration changed: {_names(files)}" if files else "its configuration changed before"
        elif one.definition != service.definition:
            yield "its definition in compose.yaml changed"
        if self.images.get(one.image) != service.image:
            yield f"its image {service.reference} is another one now"
        if one.name != service.container:
            yield f"its name is {one.name}: somebody was interrupted replacing it"

    def _detached(self, service: WantedService, one: ServiceState) -> Iterable[str]:
        """What a container is not connected to."""
        for network in self.wanted.networks:
            if network.key in service.networks:
                # The engine fills the id in when the container first starts.
                known = one.networks.get(network.name)
                is_other = known != self.kept_networks.get(network.name) if known else one.status == "running"
                if known is None or is_other:
                    yield f"it is not in the network {network.key}"
        for volume in sorted(service.volumes & self.new_volumes):
            yield f"its volume {volume} is new"

    def _undone(self, job: WantedService, one: ServiceState) -> str:
        """Why a job must run again; empty where it need not."""
        if lost := self._lost_behind(job):
            return f"what it did is lost: {lost}"
        return f"it failed with exit code {one.exit_code}" if one.status == "exited" and one.exit_code else ""

    def _bereft(self, service: WantedService) -> str:
        """Why a service that is well starts anew all the same: what it knows of others is not so any more.

        Tokens, ids and registrations outlive in its memory the database that they came from.
        """
        lost = self._lost_behind(service)
        return f"what it knows is lost: {lost}" if lost else ""

    def _migrated(self, service: WantedService) -> str:
        """Why a service that is well must not run meanwhile."""
        if service.reference in self.migrating and service.name != DATABASE:
            return "its databases are migrated"
        return ""

    def _lost_behind(self, service: WantedService) -> str:
        """The empty volumes of all that a service waits for, in words."""
        by_name = {one.name: one for one in self.wanted.services}
        todo, done = [service.name], set[str]()
        while todo:
            name = todo.pop()
            if name not in done:
                done.add(name)
                todo += by_name[name].waits_for
        lost = sorted({volume for name in done for volume in by_name[name].volumes} & self.new_volumes)
        return f"{', '.join(lost)} is new" if lost else ""


def _follows(service: WantedService, decided: Mapping[str, Step]) -> str:
    """Why a service that is well starts anew all the same: something that it depends on does."""
    if service.owner in decided and decided[service.owner].action in STARTS:
        return f"it is in the network namespace of {service.owner}, which starts anew"
    for name in sorted(service.restarts_with):
        if name in decided and decided[name].action in MAKES | {Action.RESTART}:
            return f"it starts anew with {name}"
    return ""


def _in_trouble(one: ServiceState) -> str:
    if one.is_dying:
        return "it dies again and again"
    return "it runs and is unhealthy" if one.summary == "unhealthy" else ""
