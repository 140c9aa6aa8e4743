"""`labctl trace`: the way of a packet, hop by hop, and where it dies."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from labctl.ui.printable import say

if TYPE_CHECKING:
    from labctl.trace.ends import Wanted
    from labctl.trace.run import Trace


def trace(
    server: Annotated[str, typer.Argument(help="The server that the packet comes from: its name or id.")],
    to: Annotated[str, typer.Option("--to", help="Where to: an address, or another server.")] = "",
    proto: Annotated[str, typer.Option("--proto", help="What to send: icmp, tcp:PORT or udp:PORT.")] = "icmp",
    source: Annotated[
        str,
        typer.Option(
            "--from", help="Which of its addresses it comes from; `host` turns it round: from the host to SERVER."
        ),
    ] = "",
    name: Annotated[str | None, typer.Option("--name", help="The lab; needed when there are several.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="As one JSON object.")] = False,
    svg: Annotated[Path | None, typer.Option("--svg", help="Draw the path into this file.")] = None,
    pcap: Annotated[Path | None, typer.Option("--pcap", help="A folder for what each hop saw, for Wireshark.")] = None,
) -> None:
    """Send a packet and watch it at every hop; exit code 12 where it dies, with the hop and the cause."""
    from labctl.errors import PACKET_DIED
    from labctl.trace.ends import Wanted, parse_protocol
    from labctl.trace.report.captures import write_captures
    from labctl.trace.report.json import as_json as trace_as_json
    from labctl.trace.report.text import as_text

    protocol, port = parse_protocol(proto)
    traced = run(name, Wanted(server, to, source, protocol, port))
    say(trace_as_json(traced) if as_json else as_text(traced))
    if svg:
        from labctl.trace.report.picture import as_svg

        svg.write_text(as_svg(traced))
    if pcap:
        write_captures(traced, pcap)
    if traced.cause:
        raise typer.Exit(PACKET_DIED)


def run(name: str | None, wanted: "Wanted") -> "Trace":
    """Traces in the lab that is meant."""
    from labctl.build.naming import naming
    from labctl.cli.lookup import find_lab, lab_file
    from labctl.lab.addresses import AddressPlan
    from labctl.trace.run import Target
    from labctl.trace.run import trace as run_trace

    state = find_lab(name)
    lab = lab_file(state)
    assert lab.address_range  # noqa: S101 - a lab that was brought up has one
    plan = AddressPlan(lab.address_range)
    nodes = tuple(node.name for node in plan.nodes(lab.nodes))
    image = naming(lab.release).reference("neutron-agents")
    return run_trace(Target(state.name, state.clouds_yaml, plan, nodes, image), wanted)
