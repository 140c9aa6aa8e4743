"""An image is asked once which tests it has."""

from pathlib import Path
from typing import Any

import pytest
from verify_examples import BOOT, LIST

from labctl.catalog.folders import catalog_folders
from labctl.lab.file import LabFile
from labctl.verify.run import VerifyTarget, all_tests
from labctl.verify.run import test_list as as_list


class Container:
    """Tempest, which counts how often it is asked."""

    def __init__(self, answer: str) -> None:
        self.answer = answer
        self.asked = 0

    def list_tests(self) -> str:
        self.asked += 1
        return self.answer


def target(container: Any, listed: Path) -> VerifyTarget:
    lab: Any = None
    return VerifyTarget(lab, "smoke", 2, True, container, catalog_folders(), LabFile(), Path("durations"), listed)


@pytest.mark.parametrize(("tests", "asked"), [((BOOT, LIST), 1), ((), 2)])
def test_what_is_listed_is_remembered_unless_it_is_nothing(tests: tuple[Any, ...], asked: int, tmp_path: Path) -> None:
    container = Container(f"some warning\n{as_list(tests)}")
    for _ in range(2):
        assert all_tests(target(container, tmp_path / "cache/image.list")) == tests
    assert container.asked == asked
