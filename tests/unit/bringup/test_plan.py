"""Plans for labs in all kinds of states, as the text that people read; kept in tests/unit/render/golden/plans/."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from labctl.bringup.plan import Action, Plan, plan_bring_up
from labctl.bringup.seen import Seen
from labctl.bringup.wanted import Wanted, WantedService, in_order
from labctl.engine.containers import ServiceState
from labctl.engine.networks import LabNetwork
from labctl.engine.volumes import LabVolume
from tests.unit.bringup.made_up_engine import IMAGES, STAMPS, as_wanted, called, changed, wanted, without
from tests.unit.render.golden_files import assert_golden

Case = Callable[[], tuple[Wanted, Seen]]
DROP_IN = {"nova": (("overcommit.conf", b"[DEFAULT]\ninitial_cpu_allocation_ratio = 4.0\n"),)}
LAB = wanted()
UP = as_wanted(LAB)


def nothing_there() -> tuple[Wanted, Seen]:
    return LAB, Seen()


def everything_as_wanted() -> tuple[Wanted, Seen]:
    return LAB, UP


def one_drop_in() -> tuple[Wanted, Seen]:
    return wanted(drop_ins=DROP_IN), UP


def one_drop_in_written_and_then_interrupted() -> tuple[Wanted, Seen]:
    lab = wanted(drop_ins=DROP_IN)
    return lab, replace(UP, files=lab.files)


def a_drop_in_that_is_taken_away() -> tuple[Wanted, Seen]:
    return LAB, as_wanted(wanted(drop_ins=DROP_IN))


def one_image() -> tuple[Wanted, Seen]:
    return wanted(images={**IMAGES, "labctl/neutron:test": "new content"}), UP


def an_image_that_was_tagged_anew() -> tuple[Wanted, Seen]:
    """Its id is another one, what it holds is not: a build of another commit."""
    again = changed(UP, called("glance"), image="id-of-another-build")
    return LAB, replace(again, images={**UP.images, "id-of-another-build": IMAGES["labctl/glance:test"]})


def an_image_that_is_gone() -> tuple[Wanted, Seen]:
    return LAB, replace(UP, images={key: value for key, value in UP.images.items() if "glance" not in key})


def image_of_a_job_and_a_service() -> tuple[Wanted, Seen]:
    return wanted(images={**IMAGES, "labctl/keystone:test": "new content"}), UP


def image_of_what_everybody_waits_for() -> tuple[Wanted, Seen]:
    return wanted(images={**IMAGES, "labctl/mariadb:test": "new content"}), UP


def a_killed_container() -> tuple[Wanted, Seen]:
    return LAB, changed(UP, called("glance"), status="exited", health="", exit_code=137)


def a_dead_and_a_missing_container() -> tuple[Wanted, Seen]:
    return LAB, without(changed(UP, called("placement"), status="dead", health=""), called("memcached"))


def a_failed_job() -> tuple[Wanted, Seen]:
    return LAB, changed(UP, called("identity"), exit_code=1)


def newer_images_of_nova_and_the_database() -> tuple[Wanted, Seen]:
    newer = {name: "newer content" for name in IMAGES if "nova" in name or "mariadb" in name}
    return wanted(images={**IMAGES, **newer}), replace(UP, stamps={**STAMPS, "nova": "0"})


def a_migration_that_was_interrupted() -> tuple[Wanted, Seen]:
    """The services are those of the new image already, and ran for a while over a schema that is not theirs."""
    return LAB, replace(changed(UP, called("keystone"), status="exited", health=""), stamps={**STAMPS, "keystone": "0"})


def a_kept_volume_of_which_nothing_is_known() -> tuple[Wanted, Seen]:
    return LAB, replace(without(UP, lambda _: True), stamps={})


def lost_data_of_keystone() -> tuple[Wanted, Seen]:
    lost = without(UP, called("mariadb"))
    return LAB, replace(lost, volumes=tuple(one for one in lost.volumes if not one.name.endswith("_mariadb")))


def unhealthy_paused_and_dying() -> tuple[Wanted, Seen]:
    seen = changed(UP, called("glance"), health="unhealthy")
    seen = changed(seen, called("placement"), status="paused", health="")
    return LAB, changed(seen, called("nova-api"), status="restarting", health="")


def still_starting() -> tuple[Wanted, Seen]:
    return LAB, changed(UP, called("neutron-server", "net-l3-agent"), health="starting")


def half_made_files_only() -> tuple[Wanted, Seen]:
    return LAB, Seen(files=dict(list(LAB.files.items())[:5]))


def half_made_networks_and_volumes() -> tuple[Wanted, Seen]:
    return LAB, Seen(networks=UP.networks[:1], volumes=UP.volumes[:2], files=LAB.files)


def half_made_containers() -> tuple[Wanted, Seen]:
    seen = without(UP, called("nova-scheduler", "node1-nova-compute"))
    seen = changed(seen, called("identity"), status="running", exit_code=None)
    seen = changed(seen, lambda one: one.service.startswith("net-"), status="created", health="")
    # The engine fills a network's id in when a container first starts.
    unborn = {network.name: "" for network in LAB.networks}
    return LAB, changed(seen, called("node1"), status="created", health="", networks=unborn)


def half_replaced_containers() -> tuple[Wanted, Seen]:
    old = replace(next(one for one in UP.containers if one.service == "glance"), definition="old")
    new = replace(old, container="new", name="0123456789ab_fixed-glance", status="created", health="")
    seen = changed(UP, called("keystone"), name="0123456789ab_fixed-keystone", status="exited", exit_code=0, health="")
    return LAB, replace(seen, containers=(new, *(old if one.service == "glance" else one for one in seen.containers)))


def networks_of_an_interrupted_start() -> tuple[Wanted, Seen]:
    mgmt, tunnel, provider = UP.networks
    twin = replace(tunnel, id="id-of-twin")
    odd = replace(provider, key="", id="id-of-odd")
    seen = without(UP, lambda one: one.service.startswith(("net", "node")))
    other = LabNetwork("storage", "labctl-fixed_storage", "id-of-storage", "10.20.3.0/24", "lab-stor")
    return LAB, replace(seen, networks=(mgmt, tunnel, twin, odd, other))


def another_address_range() -> tuple[Wanted, Seen]:
    return wanted(start="10.30.0.0/22"), UP


def a_lost_network() -> tuple[Wanted, Seen]:
    seen = changed(UP, called("net", "node1", "rabbitmq"), status="exited", health="", exit_code=255)
    return LAB, replace(seen, networks=tuple(one for one in UP.networks if one.key != "mgmt"))


def a_container_without_its_interface() -> tuple[Wanted, Seen]:
    return LAB, changed(UP, called("rabbitmq"), networks={"labctl-fixed_mgmt": ""})


def volumes_of_an_interrupted_start() -> tuple[Wanted, Seen]:
    half = {"labctl-fixed_mariadb": False, "labctl-fixed_glance": True}
    seen = without(UP, called("mariadb"))
    volumes = [
        LabVolume(one.name, one.options, is_labelled=False, is_used=half[one.name]) if one.name in half else one
        for one in UP.volumes
    ]
    return LAB, replace(seen, volumes=(*volumes, LabVolume("labctl-fixed_of-an-older-labctl", {})))


def a_node_more() -> tuple[Wanted, Seen]:
    return wanted(nodes=2), UP


def a_node_less() -> tuple[Wanted, Seen]:
    return LAB, as_wanted(wanted(nodes=2))


CASES: tuple[Case, ...] = (
    nothing_there,
    everything_as_wanted,
    one_drop_in,
    one_drop_in_written_and_then_interrupted,
    a_drop_in_that_is_taken_away,
    one_image,
    an_image_that_was_tagged_anew,
    an_image_that_is_gone,
    image_of_a_job_and_a_service,
    image_of_what_everybody_waits_for,
    a_killed_container,
    a_dead_and_a_missing_container,
    a_failed_job,
    lost_data_of_keystone,
    newer_images_of_nova_and_the_database,
    a_migration_that_was_interrupted,
    a_kept_volume_of_which_nothing_is_known,
    unhealthy_paused_and_dying,
    still_starting,
    half_made_files_only,
    half_made_networks_and_volumes,
    half_made_containers,
    half_replaced_containers,
    networks_of_an_interrupted_start,
    another_address_range,
    a_lost_network,
    a_container_without_its_interface,
    volumes_of_an_interrupted_start,
    a_node_more,
    a_node_less,
)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.__name__)
def test_plan(case: Case) -> None:
    plan = plan_bring_up(*case())
    text = "\n".join(f"{step.id:<30} {step}" for step in plan.steps) or "nothing"
    assert_golden(f"plans/{case.__name__}", {"plan.txt": f"{text}\n".encode()})


def test_a_lab_that_is_up_needs_no_step() -> None:
    assert plan_bring_up(LAB, UP) == Plan(())


def test_a_plan_is_the_same_each_time_it_is_made() -> None:
    wanted_now, seen = half_made_containers()
    assert plan_bring_up(wanted_now, seen) == plan_bring_up(wanted_now, seen)


def test_nothing_is_removed_of_what_stays() -> None:
    plan = plan_bring_up(*one_drop_in())
    assert {step.target for step in plan.steps if step.target} == {
        f"id-of-{name}"
        for name in ("nova-api", "nova-conductor", "nova-scheduler", "nova-novncproxy", "node1-nova-compute")
    }


def test_what_is_not_ready_yet_is_waited_for_by_what_starts() -> None:
    seen = changed(UP, called("mariadb"), health="starting")
    plan = plan_bring_up(LAB, without(seen, called("keystone")))
    assert plan.awaited == ("mariadb",)
    assert [step.id for step in plan.steps] == ["create:keystone", "wait:cloud"]


# A chain of made-up services: what the real ones need less of.


def chain(**restarts: bool) -> Wanted:
    """Services a, b, c, each waiting for the one before; those named restart with it."""
    services = {}
    for name, before in (("a", ""), ("b", "a"), ("c", "b")):
        waits = frozenset({before} - {""})
        services[name] = WantedService(
            name, f"lab-{name}", f"def-{name}", f"conf-{name}", "image", "labctl/x:test",
            waits_for=waits, restarts_with=waits if restarts.get(name) else frozenset(),
        )  # fmt: skip
    return Wanted(in_order(services), (), (), {})


def steps(lab: Wanted, seen: Seen) -> list[str]:
    return [step.id for step in plan_bring_up(lab, seen).steps]


def test_a_dependent_restarts_with_what_is_made_anew_only_where_it_asks_to() -> None:
    for restarts, expected in (
        ({}, ["recreate:a"]),
        ({"b": True}, ["recreate:a", "restart:b"]),
        ({"c": True}, ["recreate:a"]),
        ({"b": True, "c": True}, ["recreate:a", "restart:b", "restart:c"]),
    ):
        lab = chain(**restarts)
        seen = changed(as_wanted(lab), called("a"), image="old")
        assert steps(lab, seen) == [*expected, "wait:cloud"], restarts


def test_a_dependent_does_not_restart_with_what_only_starts_again() -> None:
    lab = chain(b=True)
    assert steps(lab, changed(as_wanted(lab), called("a"), status="exited", exit_code=137)) == ["start:a", "wait:cloud"]


def test_whatever_is_in_a_namespace_goes_with_its_owner() -> None:
    lab = chain()
    services = tuple(replace(one, owner="a") if one.name in "bc" else one for one in lab.services)
    lab = replace(lab, services=services)
    up = as_wanted(lab)
    made_anew = changed(up, called("a"), definition="old")
    assert steps(lab, made_anew) == ["recreate:a", "recreate:b", "recreate:c", "wait:cloud"]
    killed = changed(up, called("a"), status="exited", exit_code=137, health="")
    assert steps(lab, killed) == ["start:a", "restart:b", "restart:c", "wait:cloud"]
    both = changed(killed, called("b"), status="exited", exit_code=137, health="")
    assert steps(lab, both) == ["start:a", "start:b", "restart:c", "wait:cloud"]


def test_interrupted_between_taking_away_and_making_the_next_plan_goes_on() -> None:
    lab = chain(b=True)
    seen = changed(as_wanted(lab), called("a"), image="old")
    first = plan_bring_up(lab, seen)
    stopped = {step.subject for step in first.steps if step.target}
    seen = changed(seen, lambda one: one.service in stopped, status="exited", exit_code=0, health="")
    assert steps(lab, seen) == ["recreate:a", "start:b", "wait:cloud"]
    assert steps(lab, without(seen, called("a"))) == ["create:a", "start:b", "wait:cloud"]


@pytest.mark.parametrize(("deaths", "actions"), [(0, []), (1, []), (2, [Action.RESTART]), (9, [Action.RESTART])])
def test_a_service_that_starts_between_two_deaths_is_restarted(deaths: int, actions: list[Action]) -> None:
    plan = plan_bring_up(LAB, changed(UP, called("rabbitmq"), health="starting", deaths=deaths))
    assert [step.action for step in plan.steps if step.subject == "rabbitmq"] == actions


def test_a_circle_is_left_for_compose_to_refuse() -> None:
    a, b, _ = chain().services
    circle = {"a": replace(a, waits_for=frozenset("b")), "b": b}
    assert {one.name for one in in_order(circle)} == {"a", "b"}


@pytest.mark.parametrize("state", ["created", "running", "restarting", "exited", "paused", "dead", "removing"])
def test_every_state_that_the_engine_knows_has_an_answer(state: str) -> None:
    def one(seen: ServiceState) -> bool:
        return seen.service == "glance"

    plan = plan_bring_up(LAB, changed(UP, one, status=state, exit_code=1 if state == "exited" else None))
    found = [step.action for step in plan.steps if step.subject == "glance"]
    assert (
        found
        == {
            "created": [Action.START],
            "running": [],
            "restarting": [Action.RESTART],
            "exited": [Action.START],
            "paused": [Action.RESUME],
            "dead": [Action.RECREATE],
            "removing": [Action.RECREATE],
        }[state]
    )
