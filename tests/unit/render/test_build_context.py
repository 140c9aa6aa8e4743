"""The build context of a small made-up catalog: Dockerfiles, docker-bake.json, and what is refused.

Rendered files are compared with tests/unit/render/golden/build-context/. After a change that was meant,
`LABCTL_UPDATE_GOLDEN=1 pytest tests/unit/render` rewrites these; the diff of
the golden files is then part of the review.
"""

import json
from pathlib import Path

import pytest
from golden_files import assert_golden
from made_up_catalog import RELEASE, build_of, make_catalog

from labctl.errors import BadInput
from labctl.render.images import Naming, render_build_context


def bake(files: dict[str, bytes]) -> dict[str, dict[str, dict[str, object]]]:
    return json.loads(files["docker-bake.json"])


def labels(files: dict[str, bytes], image: str) -> dict[str, str]:
    found = bake(files)["target"][image]["labels"]
    assert isinstance(found, dict)
    return found


def test_the_whole_build_context(tmp_path: Path) -> None:
    assert_golden("build-context", render_build_context(build_of(make_catalog(tmp_path))))


def test_everything_that_is_built_by_default_is_what_a_lab_needs(tmp_path: Path) -> None:
    found = bake(render_build_context(build_of(make_catalog(tmp_path))))
    assert found["group"]["default"]["targets"] == ["parrot", "database"]
    assert set(found["target"]) == {"base", "python", "parrot", "database"}


def test_versions_of_named_requirements_are_labels(tmp_path: Path) -> None:
    found = labels(render_build_context(build_of(make_catalog(tmp_path))), "parrot")
    assert found["org.labctl.version.parrot-service"] == "4.2"
    assert "org.labctl.version.common" not in found


def test_another_lock_gives_the_schema_another_stamp_everywhere(tmp_path: Path) -> None:
    folders = make_catalog(tmp_path)
    stamp = "org.labctl.schema.parrot"
    before = render_build_context(build_of(folders))
    assert labels(before, "parrot")[stamp] == labels(before, "database")[stamp]
    for image in ("parrot", "python"):
        lock = folders.locks / RELEASE / image / "packages.txt"
        lock.write_text(lock.read_text() + "more==1 --hash=sha256:dd\n")
        after = render_build_context(build_of(folders))
        assert labels(after, "parrot")[stamp] == labels(after, "database")[stamp]
        assert labels(after, "parrot")[stamp] != labels(before, "parrot")[stamp]
        before = after


def test_a_change_in_one_image_changes_only_the_files_of_those_that_need_it(tmp_path: Path) -> None:
    folders = make_catalog(tmp_path)
    before = render_build_context(build_of(folders))
    dockerfile = folders.images / "parrot" / "Dockerfile.j2"
    dockerfile.write_text(dockerfile.read_text() + "RUN true\n")
    after = render_build_context(build_of(folders))
    changed = {name for name in after if after[name] != before.get(name)}
    assert changed == {"parrot/Dockerfile", "database/Dockerfile"}


def test_secrets_are_named_and_never_in_the_files(tmp_path: Path) -> None:
    secret = tmp_path / "secrets" / "mirror"
    secret.parent.mkdir()
    secret.write_text("https://me:hunter2@mirror.example.org/")
    files = render_build_context(build_of(make_catalog(tmp_path / "catalog"), secrets={"mirror": secret}))
    assert bake(files)["target"]["base"]["secret"] == [f"id=mirror,src={secret}"]
    assert not [name for name, content in files.items() if b"hunter2" in content]


def test_an_image_without_its_lock_is_refused(tmp_path: Path) -> None:
    folders = make_catalog(tmp_path)
    (folders.locks / RELEASE / "parrot" / "packages.txt").unlink()
    (folders.locks / RELEASE / "parrot").rmdir()
    with pytest.raises(BadInput, match=f"'parrot' has no lock for the release {RELEASE}") as caught:
        render_build_context(build_of(folders))
    assert caught.value.remedy == f"Run `labctl lock --release {RELEASE}`."


@pytest.mark.parametrize(
    ("text", "line", "why"),
    [
        ("FROM {{ parent }} AS parrot\n{% if %}\n", 2, "Expected an expression"),
        ("FROM {{ parent }} AS parrot\n\nRUN {{ nothing }}\n", 3, "'nothing' is undefined"),
        ("FROM {{ parent }} AS parrot\n{% import 'gone.j2' as x %}\n", 2, "gone.j2"),
        ("FROM {{ parent }} AS parrot\nRUN {{ ''.__class__.__mro__ }}\n", 2, "unsafe"),
    ],
)
def test_a_wrong_template_is_named_with_file_and_line(tmp_path: Path, text: str, line: int, why: str) -> None:
    folders = make_catalog(tmp_path)
    (folders.images / "parrot" / "Dockerfile.j2").write_text(text)
    with pytest.raises(BadInput) as caught:
        render_build_context(build_of(folders))
    assert caught.value.what.startswith(f"{folders.images}/parrot/Dockerfile.j2:{line}: ")
    assert why in caught.value.what


def test_a_mistake_in_what_templates_share_is_named_there(tmp_path: Path) -> None:
    folders = make_catalog(tmp_path)
    (folders.images / "macros.j2").write_text("{%- macro install(packages) -%}\n{% endfor %}\n{%- endmacro -%}\n")
    with pytest.raises(BadInput) as caught:
        render_build_context(build_of(folders))
    assert caught.value.what.startswith(f"{folders.images}/macros.j2:2: ")


@pytest.mark.parametrize(
    ("naming", "reference"),
    [
        (Naming("2024.2"), "labctl/nova:2024.2"),
        (Naming("x", "registry.example.org"), "registry.example.org/labctl/nova:x"),
        (Naming("x", "registry.example.org:5000/team/"), "registry.example.org:5000/team/labctl/nova:x"),
    ],
)
def test_how_images_are_called(naming: Naming, reference: str) -> None:
    assert naming.reference("nova") == reference
