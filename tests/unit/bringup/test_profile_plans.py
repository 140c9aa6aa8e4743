"""What `up` does where a profile comes to a lab that is up, or leaves it."""

from pathlib import Path

import pytest

from labctl.bringup.plan import Action, plan_bring_up
from labctl.bringup.prepare import Prepared
from labctl.bringup.wanted import Wanted, read_wanted
from labctl.lab.file import LabFile
from labctl.lab.secrets import Secrets
from tests.unit.bringup.made_up_engine import IMAGES, STAMPS, as_wanted
from tests.unit.render.fixed_lab import make_plan
from tests.unit.render.made_up_profiles import make_catalog, references, render


@pytest.fixture
def labs(tmp_path: Path) -> tuple[Wanted, Wanted]:
    """A lab without the parrot, and with it."""
    folders = make_catalog(tmp_path)
    images = {**IMAGES, **{reference: reference for reference in references().values()}}

    def lab(*profiles: str) -> Wanted:
        plan = make_plan(nodes=1, profiles=profiles, references=references())
        files = render(folders, plan)
        lab = LabFile.model_validate({"name": plan.name, "with": profiles})
        return read_wanted(files["compose.yaml"], Prepared(lab, plan, Secrets(), files).files, images, STAMPS)

    return lab(), lab("parrot")


def test_a_profile_that_comes_starts_its_services_and_touches_the_database_and_the_catalog(
    labs: tuple[Wanted, Wanted],
) -> None:
    plain, parrot = labs
    assert [step.id for step in plan_bring_up(parrot, as_wanted(plain)).steps] == [
        "write:files",
        "create-volume:perch",
        "recreate:filter",
        "recreate:mariadb",
        "run-again:identity",
        "create:perch",
        "create:parrot-schema",
        "create:parrot",
        "wait:cloud",
    ]


def test_a_profile_that_leaves_takes_its_containers_along_and_leaves_its_volumes(labs: tuple[Wanted, Wanted]) -> None:
    plain, parrot = labs
    plan = plan_bring_up(plain, as_wanted(parrot))
    assert {step.subject for step in plan.of(Action.REMOVE)} == {"perch", "parrot", "parrot-schema"}
    assert [step.id for step in plan.steps if step.action not in (Action.REMOVE, Action.WRITE)] == [
        "recreate:filter",
        "recreate:mariadb",
        "run-again:identity",
        "wait:cloud",
    ]


def test_a_profile_that_is_there_stays(labs: tuple[Wanted, Wanted]) -> None:
    _, parrot = labs
    assert plan_bring_up(parrot, as_wanted(parrot)).steps == ()
