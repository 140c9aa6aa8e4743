"""Options as the real images tell them: labctl's own configuration is right, and a bad drop-in is refused by `up`."""

import os
from pathlib import Path

import pytest

from labctl.bringup.drop_ins import own_files
from labctl.bringup.options import service_options
from labctl.catalog.configuration import configured_services
from labctl.catalog.folders import catalog_folders
from labctl.configuration.check import check_files
from labctl.configuration.values import why_not
from labctl.errors import BadInput
from tests.conftest import RELEASE, Built
from tests.lab.commands import labctl, labelled
from tests.unit.render.fixed_lab import make_plan, render

FOLDERS = catalog_folders()
NAME = "bad-drop-in"
CONFIGURED = ("cinder",)
"""The profiles whose services have options of oslo.config."""
FLAWED = {
    # That of a machine with eight processors; the limit is the number of those that there are.
    ("DEFAULT", "backup_workers"),
    # A number with a point, where the option takes none.
    ("backend_defaults", "u4p_failover_timeout"),
}
"""Options of Cinder whose defaults are not what they take."""


@pytest.mark.parametrize(("virt_type", "image_backend"), [("kvm", "local"), ("qemu", "local"), ("qemu", "rbd")])
@pytest.mark.parametrize("service", configured_services(FOLDERS))
def test_our_own_configuration_is_right(profiles_built: None, service: str, virt_type: str, image_backend: str) -> None:
    registry = service_options(FOLDERS, RELEASE, service)
    plan = make_plan(virt_type=virt_type, profiles=CONFIGURED, image_backend=image_backend)
    files = own_files(render(plan))[service]
    # One at a time: a service reads several of them, and none reads all.
    found = [finding for file in files for finding in check_files([file], registry, files)]
    assert [finding.line for finding in found] == []


@pytest.mark.parametrize("service", configured_services(FOLDERS))
def test_defaults_are_of_their_types(profiles_built: None, service: str) -> None:
    options = service_options(FOLDERS, RELEASE, service).listed.options
    defaults = [(option, option.default) for option in options if isinstance(option.default, str) and not option.multi]
    # `<host>` and `cpu_count()` stand for what is found out on the machine; an empty default means that there is none.
    checked = [(option, default) for option, default in defaults if default and not {*"<("} & {*default}]
    wrong = [(option.section, option.name, why) for option, default in checked if (why := why_not((option,), default))]
    assert [one for one in wrong if one[:2] not in FLAWED] == []
    assert len(checked) > 40


def test_a_bad_drop_in_is_refused_before_anything_is_touched(built: Built, tmp_path: Path) -> None:
    (tmp_path / "nova.conf").write_text("[DEFAULT]\ndebug = true # loud\n")
    file = tmp_path / "lab.yaml"
    file.write_text(f"name: {NAME}\nconfiguration: {{nova: [nova.conf]}}\n")
    state = tmp_path / "state"
    for command in (["up", "--progress", "plain"], ["config", "check"]):
        ran = labctl(*command, "--file", str(file), env={**os.environ, "XDG_STATE_HOME": str(state)})
        assert ran.code == BadInput.exit_code, str(ran)
        assert f"{tmp_path}/nova.conf:2:14: " in ran.err, str(ran)
    assert list(state.glob("labctl/labs/*")) == []
    assert labelled(NAME) == {"containers": [], "networks": [], "volumes": []}
