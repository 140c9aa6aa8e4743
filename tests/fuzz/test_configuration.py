"""`labctl doctor --config` with folders of files that anybody may have made."""

import io
import shutil
from functools import cache
from pathlib import Path

import pytest
from hypothesis import strategies as st
from rich.console import Console

from labctl.catalog.configuration import load_options_file
from labctl.catalog.folders import catalog_folders
from labctl.doctor.configuration import gather
from labctl.doctor.examine import examine_configuration
from labctl.errors import BadInput
from labctl.ui.doctor import as_json, show_report
from tests.fuzz.making import NASTY, changed, fuzz
from tests.unit.doctor.recorded_services import WALKTHROUGHS, recorded

FILES = {path.name: path.read_bytes() for path in sorted((WALKTHROUGHS / "vxlan").rglob("*")) if path.is_file()}
JSON = b'[{"Service Type": "image", "Interface": "public", "Region": "x", "URL": "http://controller:9292"}]'
SEEDS = {**FILES, "endpoints.json": JSON}
OPTIONS = (
    *("connection", "transport_url", "auth_url", "auth_type", "auth_section", "memcached_servers", "my_ip", "url"),
    *("www_authenticate_uri", "enabled_backends", "firewall_driver", "metadata_proxy_shared_secret", "username"),
)
VALUES = (*NASTY, "mysql://x:y@h/z,[::1", "rabbit://a:b@c,d:e@[f/", "http://c:5000/v2.0", "$x")
SECTIONS = ("DEFAULT", "keystone_authtoken", "database", "glance_store", "neutron", "x" * 300, "", "DATABASE")

recorded_once = cache(recorded)
load_once = cache(load_options_file)


@st.composite
def ini(draw: st.DrawFn) -> bytes:
    """Sections, options, and what is neither."""
    lines = []
    for _ in range(draw(st.integers(0, 12))):
        value, name = draw(st.sampled_from(VALUES)), draw(st.sampled_from(OPTIONS))
        section = draw(st.sampled_from(SECTIONS))
        lines.append(draw(st.sampled_from([f"[{section}]", f"{name} = {value}", f"  {value}", value, "#"])))
    return "\n".join(lines).encode(errors="surrogatepass")


NAMES = st.sampled_from([*SEEDS, "glance-api.conf.d/x.conf", "nova.conf"])
HOSTS = st.sampled_from(["", "controller/", "compute/", "etc/nova/"])


@fuzz(
    8,
    first=st.sampled_from(list(SEEDS)).flatmap(lambda name: st.tuples(st.just(name), changed([SEEDS[name]]))),
    more=st.lists(st.tuples(HOSTS, NAMES, st.one_of(ini(), ini(), st.binary(max_size=60))), max_size=3),
)
def test_configuration_files(tmp_path: Path, first: tuple[str, bytes], more: list[tuple[str, str, bytes]]) -> None:
    root = tmp_path / "files"
    for host, name, content in [("controller/", *first), *more]:
        path = root / host / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if not path.is_dir():
            path.write_bytes(content)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(gather, "load_options_file", load_once)
        try:
            report = examine_configuration(catalog_folders(), root, recorded_once)
        except BadInput:
            return
        finally:
            shutil.rmtree(root)
    as_json(report)
    stream = io.StringIO()
    show_report(report, Console(file=stream))
    assert "\x1b" not in stream.getvalue()
