"""The dialect of oslo.config: the same values as its own parser, with places, and all mistakes at once."""

from pathlib import Path

import pytest
from oslo_config import cfg

from labctl.configuration.ini import comments_within, read_ini
from labctl.errors import BadInput
from labctl.lab.document import Position
from tests.unit.configuration.recorded_options import ini

DIALECT = """\
# comment
; comment
[DEFAULT]
plain = value
colon: value
equal_first = a:b
colon_first:a = b
empty =
quoted = "a b"
half = "a b
single = 'a'
one_quote = "
spaces   =   a   b
hash = a # b
many = 1
many = 2
lines = a
  b
\t# c

[Mixed]
name = 1
[mixed]
name = 2

[DEFAULT]
again = x
"""


def oslo_values(path: Path) -> dict[str, dict[str, list[str]]]:
    """What oslo.config's own parser makes of a file."""
    sections: dict[str, dict[str, list[str]]] = {}
    folded: dict[str, dict[str, list[str]]] = {}
    parser = cfg.ConfigParser(str(path), sections)
    parser._add_normalized(folded)
    parser.parse()
    return folded


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"], ids=repr)
def test_values_are_those_that_oslo_config_takes(tmp_path: Path, end: str) -> None:
    path = tmp_path / "x.conf"
    path.write_bytes(DIALECT.replace("\n", end).encode())
    file = read_ini(path)
    ours: dict[str, dict[str, list[str]]] = {}
    for setting in file.settings:
        ours.setdefault(setting.section, {}).setdefault(setting.name, []).append(setting.value)
    assert file.malformed == ()
    assert ours == oslo_values(path)


MALFORMED = [
    ("[DEFAULT\n", 1, "must end in ]"),
    ("[DEFAULT] # x\n", 1, "must end in ]"),
    ("[]\n", 1, "needs a name"),
    ("[DEFAULT]\nword\n", 2, "no = in it"),
    ("[DEFAULT]\n= value\n", 2, "no name"),
    ("[DEFAULT]\n  a = 1\n", 2, "indented"),
    ("[DEFAULT]\na = 1\n\n  b\n", 4, "indented"),
    ("[DEFAULT]\na = 1\n# comment\n  b\n", 4, "indented"),
    ("a = 1\n", 1, "outside of any section"),
]


@pytest.mark.parametrize(("text", "line", "says"), MALFORMED)
def test_what_oslo_config_refuses_is_named(tmp_path: Path, text: str, line: int, says: str) -> None:
    path = tmp_path / "x.conf"
    path.write_text(text)
    with pytest.raises(cfg.ParseError):
        oslo_values(path)
    (found,) = read_ini(path).malformed
    assert found.at == Position(line, 1)
    assert says in found.text


def test_all_mistakes_of_a_file_are_found() -> None:
    text = "".join(text for text, _, _ in MALFORMED)
    assert len(ini(text).malformed) >= len(MALFORMED) - 1


def test_places_are_those_of_names_and_values() -> None:
    (setting,) = ini("[a]\n\nname  =  value\n   more\n").settings
    assert (setting.at, setting.value_at) == (Position(3, 1), Position(3, 10))
    assert [(line.at, line.text) for line in setting.more] == [(Position(4, 4), "more")]


@pytest.mark.parametrize(
    ("value", "found"),
    [
        ("1 # one", [(7, True)]),
        ("1 #", [(7, True)]),
        ("1 ; one", [(7, True)]),
        ("abc #def", [(9, False)]),
        ("#word", [(5, False)]),
        ("a#b", []),
        ("a;b", []),
        ("a ;b", []),
        ('"a # b"', []),
        ("""{"name": "a # b"} # c""", [(23, True)]),
    ],
)
def test_comments_within_values(value: str, found: list[tuple[int, bool]]) -> None:
    (setting,) = ini(f"[a]\nn = {value}\n").settings
    assert [(one.at, one.is_certain) for one in comments_within(setting)] == [
        (Position(2, column), certain) for column, certain in found
    ]


def test_an_indented_comment_is_part_of_the_value_before_it() -> None:
    (setting,) = ini("[a]\nn = 1\n  #no = 2\n").settings
    assert [(one.at, one.is_certain) for one in comments_within(setting)] == [(Position(3, 3), True)]


def test_a_file_that_cannot_be_read_is_bad_input(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="cannot be read"):
        read_ini(tmp_path / "gone.conf")
    (tmp_path / "bytes.conf").write_bytes(b"[a]\nb = \xff\n")
    with pytest.raises(BadInput, match="not text"):
        read_ini(tmp_path / "bytes.conf")
