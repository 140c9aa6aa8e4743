"""A plan as people see it."""

from labctl.events import FileDifference, PlanMade, PlannedStep, PlannedStepFinished, PlannedStepStarted
from labctl.ui import Progress
from labctl.ui.plan import plan_text
from tests.unit.ui.test_listeners import shown

RECREATE = PlannedStep("recreate:nova-api", "recreate nova-api", "its configuration changed: etc/nova/nova.conf")
WAIT = PlannedStep("wait:cloud", "wait until the cloud is usable", "its services change")
CHANGE = PlanMade(
    (RECREATE, WAIT),
    (
        FileDifference("etc/node1/nova/x.conf", ("@@ -0,0 +1 @@", "+debug = true")),
        FileDifference("etc/nova/x.conf", ("@@ -0,0 +1 @@", "+debug = true")),
        FileDifference("lab.yaml", ("@@ -1 +1 @@", "-a", "+b")),
    ),
    at=5.0,
)
NEW = PlanMade(
    tuple(PlannedStep(f"create:{name}", f"create {name}", "there is no container") for name in "ab"), (), True
)

TEXT = """\
etc/node1/nova/x.conf:
etc/nova/x.conf:
    @@ -0,0 +1 @@
    +debug = true
lab.yaml:
    @@ -1 +1 @@
    -a
    +b
Plan, 2 steps:
    recreate nova-api — its configuration changed: etc/nova/nova.conf
    wait until the cloud is usable — its services change"""


def test_differences_come_first_and_those_that_are_alike_once() -> None:
    assert plan_text(CHANGE) == TEXT


def test_an_empty_plan_says_so() -> None:
    assert plan_text(PlanMade(())) == "Nothing to do: everything is there, as wanted and ready."


def test_a_new_lab_is_summed_up_unless_every_step_is_asked_for() -> None:
    assert plan_text(NEW) == "Plan: 2 x create."
    assert plan_text(NEW, every_step=True).splitlines()[1:] == [
        "    create a — there is no container",
        "    create b — there is no container",
    ]


def test_listeners_show_the_plan_and_leave_its_progress_to_the_services() -> None:
    story = [
        CHANGE,
        PlannedStepStarted("recreate:nova-api", at=6.0),
        PlannedStepFinished("recreate:nova-api", 1.0, at=7.0),
    ]
    assert shown(Progress.PLAIN, story) == f"{TEXT}\n"
    terminal = shown(Progress.TTY, story)
    assert "recreate nova-api — its configuration changed" in terminal
    assert "recreate:nova-api" not in terminal
    events = shown(Progress.JSON, story).splitlines()
    assert '"event": "planned_step_started", "at": 6.0, "id": "recreate:nova-api"' in events[1]
    assert '"differences": [{"path": "etc/node1/nova/x.conf", "lines": ["@@ -0,0 +1 @@", "+debug = true"]}' in events[0]
