"""The graph of the images as text."""

from pathlib import Path

import pytest
from made_up_catalog import make_catalog

from labctl.catalog.image import load_images
from labctl.errors import BadInput
from labctl.render.graph import draw_graph, list_images


def test_the_list_is_in_build_order_and_says_what_never_runs(tmp_path: Path) -> None:
    assert list_images(load_images(make_catalog(tmp_path))).splitlines() == [
        "base      (only to make others) Ground",
        "python    (only to make others) Interpreter",
        "parrot    Repeats",
        "database  Remembers",
    ]


def test_dot(tmp_path: Path) -> None:
    lines = draw_graph(load_images(make_catalog(tmp_path)), "dot").splitlines()
    assert (lines[0], lines[-1]) == ("digraph images {", "}")
    for line in ('"rootfs" -> "base";', '"python" -> "parrot";', '"parrot" -> "database" [style=dotted];'):
        assert f"  {line}" in lines
    assert len([line for line in lines if "->" in line]) == 5


def test_mermaid(tmp_path: Path) -> None:
    assert draw_graph(load_images(make_catalog(tmp_path)), "mermaid").splitlines() == [
        "flowchart LR",
        "  rootfs --> base",
        "  base --> python",
        "  python --> parrot",
        "  base --> database",
        "  parrot -.-> database",
    ]


def test_another_language_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="no graph language 'svg'") as caught:
        draw_graph(load_images(make_catalog(tmp_path)), "svg")
    assert caught.value.remedy == "dot or mermaid."
