"""Lab files that anybody may have written."""

from contextlib import suppress
from pathlib import Path

from hypothesis import strategies as st

from labctl.errors import BadInput
from labctl.lab.file import FIELDS, LabFile, dump_lab_file, load_lab_file
from tests.fuzz.making import NASTY, check_told, fuzz, yaml_files

SERVICES = ("keystone", "nova", "glance")
SEEDS = (
    dump_lab_file(LabFile(configuration={"nova": (Path("x.conf"),)}, **{"with": ("swift",)})).encode(),
    b"name: x\nnodes: [node1, node3]\nconfiguration: {nova: [x.conf]}\nguest: https://example.org/x.img\n",
    b"a: &a [x, x]\nb: &b [*a, *a]\nname: *a\n<<: *b\n",
)
KEYS = (*FIELDS, "store", "nova", "node1", "<<")


@fuzz(12, content=yaml_files(KEYS, SEEDS, "node1", "swift", 1, "10.0.0.0/22", "2024.2"), check=st.booleans())
def test_lab_files(tmp_path: Path, content: bytes, check: bool) -> None:
    path = tmp_path / "lab.yaml"
    path.write_bytes(content)
    try:
        lab = load_lab_file(path, SERVICES, check_files=check)
    except BadInput as error:
        check_told(error)
        return
    path.write_text(dump_lab_file(lab))
    assert load_lab_file(path, SERVICES, check_files=check) == lab


@fuzz(1, name=st.one_of(st.sampled_from(NASTY), st.text(max_size=300)))
def test_names_of_lab_files(tmp_path: Path, name: str) -> None:
    with suppress(BadInput):
        load_lab_file(Path(name), SERVICES)
    with suppress(BadInput):
        load_lab_file(tmp_path / name, SERVICES)
