"""One run of the demo: what waits for what, and that nothing stays."""

import os
import threading
import time
from concurrent.futures import Future
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from openstack.connection import Connection

from labctl.cloud.connection import api_errors, connect
from labctl.cloud.demo import checks, network, servers
from labctl.cloud.demo.cleanup import Ledger, complain, remove_all
from labctl.cloud.demo.context import Context
from labctl.cloud.demo.holdings import CloudHoldings
from labctl.cloud.demo.image import image
from labctl.cloud.demo.names import Names
from labctl.cloud.demo.target import DemoResult, DemoTarget, GuestReport, Kept, Ping
from labctl.cloud.demo.tracks import Tracks
from labctl.cloud.ssh import GuestShell, closing_all, new_key
from labctl.errors import BadInput
from labctl.events import Emit, Event, Note, step
from labctl.files import private_folder


@dataclass(frozen=True)
class _Guest:
    server: servers.Server
    addresses: network.Addresses
    shell: GuestShell
    seconds_to_ssh: float
    ping_ms: float


def run_demo(target: DemoTarget, *, ping: Ping, emit: Emit, console_png: Path, keep_in: Path | None) -> DemoResult:
    """Boots a server on every node, sees that it works, and removes all of it.

    Args:
        target: The lab.
        ping: From the host; called from several threads.
        emit: Takes events; called by one thread at a time.
        console_png: Where the picture of the first server's screen goes.
        keep_in: With --keep, the folder for the private key (made, 0700); nothing is removed then, neither after a
            failure. Else None.

    Returns:
        What was seen.

    Raises:
        NotFound: The lab's clouds.yaml is not there.
        CloudCheckFailed: Something did not work, or what was made could not be removed.
        KeyboardInterrupt: Ctrl-C, after the removal.
    """
    began = time.monotonic()
    listener = _one_at_a_time(emit)
    admin, user = connect(target.clouds_yaml, target.admin_cloud), connect(target.clouds_yaml, target.user_cloud)
    names, ledger = Names.new(), Ledger()
    failure: BaseException | None = None
    try:
        with closing_all() as shells, Tracks() as tracks:
            key = new_key(names.run)
            keep = keep_in is not None
            context = Context(target, names, admin, user, key, listener, ledger, tracks.cancelled, keep, ping, began)
            result = _tour(context, tracks, shells, console_png, keep_in)
    except BaseException as error:
        failure = error
        raise
    finally:
        _end(CloudHoldings(admin, user), ledger, listener, failure, keep=keep_in is not None)
    return result


def _end(holdings: CloudHoldings, ledger: Ledger, emit: Emit, failure: BaseException | None, *, keep: bool) -> None:
    if not keep:
        complain(remove_all(ledger, holdings, emit), failure, emit)
    elif failure is not None:
        made = ", ".join(str(one) for one in ledger.in_order()) or "nothing was made"
        emit(Note(f"Kept as asked for (--keep): {made}"))


def _tour(
    context: Context,
    tracks: Tracks,
    shells: list[GuestShell],
    console_png: Path,
    keep_in: Path | None,
) -> DemoResult:
    """The way from an empty cloud to guests that were logged in to."""
    key_file = _write_key(context, keep_in) if keep_in else None
    _authorize(context, tracks)
    requested, addresses = _start_servers(context, tracks)
    active = tracks.join(tracks.start(lambda: servers.wait_active(context, tracks.join(requested).at)))
    ready = [
        tracks.start(partial(_guest, context, tracks, server, addresses[server.id], shells))
        for server in tracks.join(requested).servers
    ]
    first = tracks.join(ready[0])
    picture = tracks.start(lambda: checks.photograph_console(context, first.server, console_png))
    log = tracks.start(lambda: checks.read_console_log(context, first.server))
    guests = [tracks.join(one) for one in ready]
    crossings = tracks.start(lambda: _cross(context, guests))
    url = tracks.join(picture)
    return DemoResult(
        guests=tuple(_report(guest, active) for guest in guests),
        seconds_to_active=active.seconds,
        seconds_to_ssh=min(guest.seconds_to_ssh for guest in guests),
        crossings=tracks.join(crossings),
        console_tail=tracks.join(log),
        console_png=console_png,
        seconds=time.monotonic() - context.began,
        kept=_kept(context, guests, key_file, url) if key_file else None,
    )


def _authorize(context: Context, tracks: Tracks) -> None:
    with step(context.emit, "Log in as admin and as demo") as evidence:

        def login(connection: Connection, who: str) -> None:
            with api_errors(f"log in as {who}"):
                connection.authorize()

        for one in [
            tracks.start(partial(login, context.admin, "admin")),
            tracks.start(partial(login, context.user, "demo")),
        ]:
            tracks.join(one)
        evidence.text = f"keystone at {context.target.gateway_address}"


def _start_servers(
    context: Context, tracks: Tracks
) -> tuple["Future[servers.Requested]", dict[str, "Future[network.Addresses]"]]:
    """Makes everything around the servers side by side, what takes longest first; then asks for the servers.

    The router, of which a server knows nothing, is made while the servers are: it has to be there when the guests ask
    for their metadata, seconds later.
    """
    start, join = tracks.start, tracks.join
    uploaded = start(lambda: image(context))
    private = start(lambda: network.private_network(context))
    provider = start(lambda: network.provider_network(context))
    flavor = start(lambda: servers.flavor(context))
    access = start(lambda: network.security_group(context))
    keypair = start(lambda: servers.keypair(context))
    group = start(lambda: servers.server_group(context))
    router = start(lambda: network.router(context, join(provider), join(private)))
    requested = start(
        lambda: servers.create(
            context,
            servers.Ingredients(
                image=join(uploaded),
                flavor=join(flavor),
                network=join(private).network,
                security_group=join(access),
                keypair=join(keypair),
                server_group=join(group),
            ),
        )
    )

    def address(server: servers.Server) -> network.Addresses:
        join(router)  # neutron refuses a floating IP for a network that no router leads out of
        return network.floating_ip(context, join(provider), server.id, server.name)

    return requested, {server.id: start(partial(address, server)) for server in join(requested).servers}


def _guest(
    context: Context,
    tracks: Tracks,
    server: servers.Server,
    address: "Future[network.Addresses]",
    shells: list[GuestShell],
) -> _Guest:
    addresses = tracks.join(address)
    shell, seconds = checks.log_in(context, server, addresses)
    shells.append(shell)
    pinged = checks.ping_from_host(context, server, addresses)
    checks.read_metadata(context, shell, server)
    return _Guest(server, addresses, shell, seconds, pinged)


def _cross(context: Context, guests: list[_Guest]) -> tuple[str, ...]:
    first, *others = guests
    return tuple(
        checks.ping_neighbour(context, first.shell, first.server, other.server, other.addresses) for other in others
    )


def _report(guest: _Guest, active: servers.Active) -> GuestReport:
    return GuestReport(
        name=guest.server.name,
        node=active.nodes[guest.server.name],
        fixed_ip=guest.addresses.fixed,
        floating_ip=guest.addresses.floating,
        seconds_to_ssh=guest.seconds_to_ssh,
        ping_ms=guest.ping_ms,
    )


def _write_key(context: Context, folder: Path) -> Path:
    path = folder / context.names.run / "id_ed25519"
    try:
        private_folder(path.parent.parent)
        path.parent.mkdir(mode=0o700)
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write(context.key.private)
    except OSError as error:
        raise BadInput(f"The private key cannot be written to {path}.", evidence=(str(error),)) from error
    return path


def _kept(context: Context, guests: list[_Guest], key: Path, console_url: str) -> Kept:
    # The guests of the next lab have the same addresses and other host keys: known_hosts would only get in the way.
    options = f"-i {key} -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null"
    user = context.target.guest.user
    return Kept(
        key=key,
        ssh_commands=tuple(f"ssh {options} {user}@{guest.addresses.floating}" for guest in guests),
        console_url=console_url,
        names=tuple(str(made) for made in context.ledger.in_order()),
    )


def _one_at_a_time(emit: Emit) -> Emit:
    lock = threading.Lock()

    def locked(event: Event) -> None:
        with lock:
            emit(event)

    return locked
