"""What counts in the end: the same as oslo.config itself says of the same files."""

from pathlib import Path

from oslo_config import cfg

from labctl.configuration.ini import read_ini
from labctl.configuration.origin import Effective, effective
from labctl.configuration.values import oslo_type
from tests.unit.configuration.recorded_options import ini, recorded

NOVA = recorded("nova")

OWN = """\
[DEFAULT]
debug = false
my_ip = 10.0.0.1
quota_instances = 3
[quota]
instances = 4
[libvirt]
virt_type = kvm
[pci]
alias = {"name": "a"}
"""
DROP_INS = (
    "[LIBVIRT]\nvirt_type = qemu\n[pci]\nalias = {}\n",
    "[DEFAULT]\ndebug = true\ndebug = off\nquota_instances = 5\n[libvirt]\nvirt_type = lxc\n",
)


def write(folder: Path) -> list[Path]:
    paths = []
    for number, text in enumerate((OWN, *DROP_INS)):
        paths.append(folder / f"{number}.conf")
        paths[-1].write_text(text)
    return paths


def find(found: tuple[Effective, ...], section: str, name: str) -> Effective:
    return next(one for one in found if (one.section, one.name) == (section, name))


def test_values_are_those_that_oslo_config_has(tmp_path: Path) -> None:
    paths = write(tmp_path)
    theirs = cfg.ConfigOpts()
    for option in NOVA.listed.options:
        old = [cfg.DeprecatedOpt(name.name, group=name.section) for name in option.deprecated]
        kind = cfg.MultiStrOpt if option.multi else cfg.StrOpt
        theirs.register_opt(
            kind(option.name, deprecated_opts=old), group=None if option.section == "DEFAULT" else option.section
        )
    theirs([arg for path in paths for arg in ("--config-file", str(path))], project="nova")
    given = [one for one in effective([read_ini(path) for path in paths], NOVA) if one.given]
    for one in given:
        group = theirs if one.section == "DEFAULT" else theirs[one.section]
        value = group[one.name]
        assert list(one.values) == (value if isinstance(value, list) else [value]), one
    assert {(one.section, one.name) for one in given} == {
        ("DEFAULT", "debug"),
        ("DEFAULT", "my_ip"),
        ("libvirt", "virt_type"),
        ("pci", "alias"),
        ("quota", "instances"),
    }


def test_it_is_known_where_a_value_is_and_what_it_overrode(tmp_path: Path) -> None:
    own, first, second = write(tmp_path)
    found = effective([read_ini(path) for path in (own, first, second)], NOVA)
    virt_type = find(found, "libvirt", "virt_type")
    assert [(one.value, one.path, one.line) for one in virt_type.given] == [("lxc", second, 6)]
    assert [(one.value, one.path, one.line) for one in virt_type.overridden] == [("qemu", first, 2), ("kvm", own, 8)]
    alias = find(found, "pci", "alias")
    assert [(one.path, one.line) for one in alias.given] == [(own, 10), (first, 4)]
    assert alias.overridden == ()


def test_in_one_file_the_present_name_counts_more_than_an_old_one() -> None:
    found = effective([ini("[quota]\ninstances = 4\n[DEFAULT]\nquota_instances = 3\n")], NOVA)
    assert find(found, "quota", "instances").values == ("4",)


def test_defaults_are_listed_on_request() -> None:
    files = [ini("[DEFAULT]\ndebug = true\nunheard_of = 1\n")]
    assert [one.name for one in effective(files, NOVA)] == ["debug", "unheard_of"]
    assert find(effective(files, NOVA), "DEFAULT", "unheard_of").option is None
    everything = effective(files, NOVA, with_defaults=True)
    assert find(everything, "DEFAULT", "debug").values == ("true",)
    virt_type = find(everything, "libvirt", "virt_type")
    assert (virt_type.given, virt_type.values) == ((), ("kvm",))
    assert next(one.section for one in everything) == "DEFAULT"


def test_every_recorded_type_takes_its_own_default() -> None:
    checked = 0
    for option in NOVA.listed.options:
        defaults = (option.default,) if isinstance(option.default, str) else option.default or ()
        for default in defaults:
            if "$" not in default:
                oslo_type(option.type)(default)
                checked += 1
    assert checked > 10
