"""Where faults are made and looked for: by labctl itself, in this process, which is faster than by its commands."""

import json
from dataclasses import dataclass
from typing import Any

import docker

from labctl.catalog.folders import catalog_folders
from labctl.cli.fault import scene_in, tools_of
from labctl.cli.lookup import lab_file
from labctl.cloud.waiting import Pending, wait_until
from labctl.doctor.examine import examine_lab
from labctl.errors import PACKET_DIED
from labctl.fault.fault import Fault
from labctl.fault.faults import ALL
from labctl.fault.inject import clear, inject
from labctl.lab.state import LabState
from tests.lab.commands import labctl

SECONDS = 240.0
LOOK_EVERY = 0.5

Findings = dict[str, tuple[str, ...]]
"""Check to the evidence of all that it found."""


@dataclass
class Bench:
    """A lab that is broken and mended.

    Attributes:
        state: The lab.
        client: The engine.
        known: Findings that were there before, where others work with the lab.
    """

    state: LabState
    client: docker.DockerClient
    known: frozenset[tuple[str, ...]] = frozenset()

    def look(self) -> tuple[Findings, tuple[str, ...]]:
        """What the doctor finds now, and what it could not look at."""
        report = examine_lab(catalog_folders(), self.client, lab_file(self.state))
        said: Findings = {}
        for finding in report.findings:
            if finding.evidence not in self.known:
                said[finding.check] = (*said.get(finding.check, ()), *finding.evidence)
        return said, report.left_out

    def inject(self, fault: Fault) -> str:
        """Makes a fault; returns the node that it was made on."""
        scene = scene_in(self.state.name, fault, None)
        list(inject(tools_of(self.state), fault, scene))
        return scene.node.name

    def clear(self) -> None:
        """Mends all faults."""
        list(clear(tools_of(self.state), None, None, ALL))

    def wait_for(self, check: str) -> tuple[str, ...]:
        """The evidence of a check, as soon as it finds something; what it takes is the lab's own business."""

        def look() -> tuple[str, ...] | Pending:
            said, _ = self.look()
            return said.get(check) or Pending(str(said))

        return wait_until(look, f"{check} to be found", SECONDS, LOOK_EVERY)

    def wait_until_well(self) -> None:
        """Waits until nothing is wrong, nor out of reach."""

        def look() -> bool | Pending:
            said, left_out = self.look()
            return Pending(f"{said} {left_out}") if said or left_out else True

        wait_until(look, "the doctor to find nothing", SECONDS, LOOK_EVERY)

    def trace(self) -> dict[str, Any]:
        """The way of a ping from the host to the server that faults are made for."""
        objects = scene_in(self.state.name, ALL[0], None).objects
        server = objects.server_of(objects.floating_port("node1"))
        ran = labctl("trace", server, "--from", "host", "--name", self.state.name, "--json")
        assert ran.code in (0, PACKET_DIED), str(ran)
        found: dict[str, Any] = json.loads(ran.out)
        return found

    def cause_of_death(self) -> str:
        """The id of what ate the packet; empty where it was answered."""
        cause = self.trace()["cause"]
        return str(cause["id"]) if cause else ""

    def wait_until_reached(self) -> None:
        """Waits until the ping is answered."""
        wait_until(lambda: self.trace()["answered"] or Pending("not answered"), "an answer", SECONDS, LOOK_EVERY)
