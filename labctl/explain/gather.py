"""Asks nova what a server is and what was done with it, reads the logs, and tells the story."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

import docker
from openstack.connection import Connection

from labctl.cloud.connection import connect
from labctl.cloud.nodes.view import fetch_nodes
from labctl.cloud.server_record import ServerRecord, fetch_server
from labctl.engine.containers import ServiceState, service_states
from labctl.engine.inside import guest_log
from labctl.engine.logs import read_since
from labctl.engine.process import CommandFailed
from labctl.errors import CloudCheckFailed, NotFound
from labctl.explain.follow import Subject, about, linked_requests
from labctl.explain.guest import guest_entries
from labctl.explain.server import chosen_action, subject_of, what_nova_says
from labctl.explain.tell import asked_of_placement, events, first_cause, is_about_room
from labctl.lab.file import LabFile
from labctl.lab.state import LabState
from labctl.service_logs import REQUEST_ID, Entry, LoggedLine, entries
from labctl.story import Cause, Event, Story

API_SECONDS = 15.0
"""Whoever asks what is wrong does not want to wait a minute for an API that is dead."""

EVER = datetime.fromtimestamp(1, UTC)
"""Before all logs; the engine's library takes no 0."""

BEFORE = timedelta(seconds=5)
"""How long before its first line a request may have begun."""


@dataclass(frozen=True)
class Looked:
    """Where a lab is looked at.

    Attributes:
        client: The engine.
        lab: The lab.
        states: Its services.
        admin: Its cloud.
    """

    client: docker.DockerClient
    lab: LabFile
    states: Mapping[str, ServiceState]
    admin: Connection

    @property
    def nodes(self) -> dict[str, str]:
        """Service to its node."""
        return {name: one.node for name, one in self.states.items()}

    def lines(self, since: datetime) -> Iterator[LoggedLine]:
        """What all services have logged."""
        names = {one.container: name for name, one in self.states.items()}
        return read_since(self.client, names, since.timestamp())


def explain(client: docker.DockerClient, lab: LabFile, asked: str) -> Story:
    """Tells what happened to a server, or to a request.

    Args:
        client: The engine.
        lab: The lab.
        asked: A server's name or id, a request's id, or a text that has one in it, such as what an API answered.

    Raises:
        NotFound: There is no such server, or nothing was logged about the request.
        CloudCheckFailed: Nova was to be asked for a server, and did not answer.
    """
    admin = connect(LabState(lab.name).clouds_yaml, f"{lab.name}-admin", API_SECONDS)
    looked = Looked(client, lab, service_states(client, lab.name), admin)
    requests = tuple(dict.fromkeys(REQUEST_ID.findall(asked)))
    return explain_requests(looked, requests) if requests else explain_server(looked, asked)


def explain_server(looked: Looked, asked: str) -> Story:
    """Tells what happened to a server: by the action that failed, or else the last one.

    Raises:
        NotFound: There is no such server.
        CloudCheckFailed: Nova did not answer.
    """
    record = fetch_server(looked.admin, asked)
    action = chosen_action(record)
    subject = subject_of(record, action)
    since = subject.begin or EVER
    requests = linked_requests(subject.requests, entries(looked.lines(since)))
    subject = replace(subject, requests=frozenset(requests))
    found = list(about(subject, entries(looked.lines(since))))
    guest, left_out = guest_logs(looked, record, action.hosts if action else ())
    found += about(subject, guest)
    called = f"server {record.name or 'that is deleted'} ({record.id})"
    story = told(looked, called, found, requests)
    return replace(story, record=what_nova_says(record, action), left_out=(*left_out, *story.left_out))


def explain_requests(looked: Looked, asked: tuple[str, ...]) -> Story:
    """Tells what came of requests.

    Raises:
        NotFound: Nothing was logged about them.
    """
    named = [entry for entry in entries(looked.lines(EVER)) if set(asked).intersection(entry.requests)]
    if not named:
        raise NotFound(
            f"No service of the lab {looked.lab.name!r} has logged anything about {', '.join(asked)}.",
            remedy="The logs go back to when the containers were made; those of other labs: `--name LAB`.",
        )
    since = min(entry.at for entry in named) - BEFORE
    requests = linked_requests(asked, entries(looked.lines(since)))
    found = list(about(Subject(frozenset(requests)), entries(looked.lines(since))))
    servers = dict.fromkeys(entry.instance for entry in found if entry.instance)
    story = told(looked, f"request {', '.join(asked)}", found, requests)
    return replace(story, record=tuple(f"about the server {server}" for server in servers))


def told(looked: Looked, subject: str, found: Iterable[Entry], requests: tuple[str, ...]) -> Story:
    """The story, with what the nodes have free where that is what it is about."""
    happened = events(found, looked.nodes)
    cause = first_cause(happened)
    if cause is None or not is_about_room(cause):
        return Story(subject, (), requests, cause, happened)
    try:
        return Story(subject, (), requests, with_room(looked, cause, happened), happened)
    except CloudCheckFailed as error:
        return Story(subject, (), requests, cause, happened, (f"what the nodes have free: {error.what}",))


def with_room(looked: Looked, cause: Cause, happened: tuple[Event, ...]) -> Cause:
    """Adds what was asked for, and what each node says now.

    Raises:
        CloudCheckFailed: An API did not answer.
    """
    nodes = fetch_nodes(looked.admin, looked.lab.nodes)
    evidence = (asked_of_placement(happened), *(f"{node.name} now: {node.room}" for node in nodes))
    return replace(cause, evidence=tuple(line for line in evidence if line))


def guest_logs(looked: Looked, record: ServerRecord, hosts: Iterable[str]) -> tuple[list[Entry], tuple[str, ...]]:
    """What QEMU wrote on the nodes that worked on the server, and what could not be looked at."""
    found: list[Entry] = []
    left_out = []
    for host in hosts:
        service = f"{host}-libvirt"
        if record.domain and service in looked.states:
            try:
                found += guest_entries(service, record.domain, guest_log(looked.states[service].name, record.domain))
            except CommandFailed as error:
                left_out.append(f"the guest's log on {host}: {error.what}")
    return found, tuple(left_out)
