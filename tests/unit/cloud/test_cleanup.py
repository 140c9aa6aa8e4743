import threading
from dataclasses import dataclass, field

import pytest

from labctl.cloud.demo.cleanup import Kind, Ledger, LeftBehind, Made, StillUsed, complain, remove_all
from labctl.errors import CloudCheckFailed
from labctl.events import Event, Note, StepFinished


@dataclass
class FakeCloud:
    """Things by name; a server needs some looks until it is gone, and refusals can be arranged."""

    things: dict[Made, list[str]]
    refusals: dict[Made, BaseException] = field(default_factory=dict)
    removed: list[str] = field(default_factory=list)
    looks_until_gone: int = 2

    def find(self, made: Made) -> tuple[str, ...]:
        left = self.things.get(made, [])
        if made.kind is Kind.SERVER and self.removed and left:
            self.looks_until_gone -= 1
            if self.looks_until_gone <= 0:
                return ()
        return tuple(left)

    def remove(self, made: Made, identifier: str) -> None:
        if made in self.refusals:
            raise self.refusals[made]
        self.removed.append(identifier)
        if made.kind is not Kind.SERVER:
            self.things[made].remove(identifier)


def ledger_of(*made: Made) -> Ledger:
    ledger = Ledger()
    for one in made:
        ledger.intend(one.kind, one.name)
    return ledger


EVERYTHING = tuple(Made(kind, f"demo-1-{kind.title}") for kind in Kind)


def test_the_order_is_that_of_the_dependencies_whatever_was_made_first() -> None:
    cloud = FakeCloud({made: [made.kind.title] for made in EVERYTHING})
    assert remove_all(ledger_of(*reversed(EVERYTHING)), cloud, [].append) == ()
    order = cloud.removed
    for earlier, later in [
        ("server", "network"),
        ("server", "security group"),
        ("server", "image"),
        ("floating ip", "router"),
        ("router", "network"),
        ("router", "provider network"),
    ]:
        assert order.index(earlier) < order.index(later)
    assert len(order) == len(Kind)


def test_several_things_of_one_name_all_go() -> None:
    servers, ips = Made(Kind.SERVER, "demo-1"), Made(Kind.FLOATING_IP, "demo-1-ip")
    cloud = FakeCloud({servers: ["a", "b"], ips: ["c", "d"]})
    ledger = ledger_of(servers, ips, ips)
    assert remove_all(ledger, cloud, [].append) == ()
    assert sorted(cloud.removed) == ["a", "b", "c", "d"]
    assert ledger.in_order() == (servers, ips)


def test_what_was_intended_but_never_made_is_no_failure() -> None:
    cloud = FakeCloud({})
    assert remove_all(ledger_of(*EVERYTHING), cloud, [].append) == ()
    assert cloud.removed == []


def test_nothing_else_is_touched() -> None:
    mine, other = Made(Kind.FLAVOR, "demo-1-nano"), Made(Kind.FLAVOR, "demo-2-nano")
    cloud = FakeCloud({mine: ["mine"], other: ["other"]})
    remove_all(ledger_of(mine), cloud, [].append)
    assert cloud.removed == ["mine"]


def test_one_failure_does_not_stop_the_rest_and_is_named() -> None:
    cloud = FakeCloud({made: [made.kind.title] for made in EVERYTHING})
    network = Made(Kind.NETWORK, "demo-1-network")
    cloud.refusals[network] = CloudCheckFailed("The API refused.", evidence=("HTTP 500",))
    left = remove_all(ledger_of(*EVERYTHING), cloud, [].append)
    assert left == (LeftBehind(network, "The API refused. - HTTP 500"),)
    assert len(cloud.removed) == len(Kind) - 1


def test_a_provider_network_that_others_use_stays_without_complaint() -> None:
    provider = Made(Kind.PROVIDER_NETWORK, "demo-1-provider")
    cloud = FakeCloud({provider: ["p"]}, {provider: StillUsed("ports in use")})
    events: list[Event] = []
    assert remove_all(ledger_of(provider), cloud, events.append) == ()
    (note,) = [event for event in events if isinstance(event, Note)]
    assert "others use it" in note.text


def test_a_provider_network_held_by_own_leftovers_is_left_behind() -> None:
    router, provider = Made(Kind.ROUTER, "r"), Made(Kind.PROVIDER_NETWORK, "p")
    cloud = FakeCloud({router: ["r"], provider: ["p"]}, {router: StillUsed("x"), provider: StillUsed("ports in use")})
    assert [one.made for one in remove_all(ledger_of(router, provider), cloud, [].append)] == [router, provider]


def test_an_image_in_use_is_left_behind() -> None:
    image = Made(Kind.IMAGE, "i")
    cloud = FakeCloud({image: ["i"]}, {image: StillUsed("in use")})
    assert remove_all(ledger_of(image), cloud, [].append) == (LeftBehind(image, "in use"),)


def test_a_second_interrupt_names_what_is_left() -> None:
    router, network = Made(Kind.ROUTER, "demo-1-router"), Made(Kind.NETWORK, "demo-1-net")
    cloud = FakeCloud({router: ["r"], network: ["n"]}, {router: KeyboardInterrupt()})
    events: list[Event] = []
    with pytest.raises(KeyboardInterrupt):
        remove_all(ledger_of(router, network), cloud, events.append)
    (note,) = [event for event in events if isinstance(event, Note)]
    assert note.text == "Not removed: router demo-1-router, network demo-1-net"


def test_the_step_counts() -> None:
    events: list[Event] = []
    remove_all(ledger_of(Made(Kind.FLAVOR, "f")), FakeCloud({}), events.append)
    assert [event.evidence for event in events if isinstance(event, StepFinished)] == ["1 of 1 removed"]


def test_leftovers_are_an_error_of_their_own_only_when_all_else_went_well() -> None:
    left = (LeftBehind(Made(Kind.ROUTER, "demo-1-router"), "HTTP 500"),)
    events: list[Event] = []
    complain((), None, events.append)
    with pytest.raises(CloudCheckFailed) as caught:
        complain(left, None, events.append)
    assert caught.value.evidence == ("router demo-1-router: HTTP 500",)
    assert events == []
    complain(left, CloudCheckFailed("the first"), events.append)
    (note,) = events
    assert isinstance(note, Note)
    assert note.level == "warning"
    assert "demo-1-router" in note.text


def test_the_ledger_takes_notes_from_many_threads() -> None:
    ledger = Ledger()
    threads = [threading.Thread(target=ledger.intend, args=(Kind.FLOATING_IP, f"ip{n % 10}")) for n in range(50)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(ledger.in_order()) == 10
