"""What people and programs see of findings."""

import json

from labctl.findings import Finding, Fix, Place, Report
from labctl.ui.doctor import as_json, as_text


def finding(check: str, line: int, *, is_error: bool = True) -> Finding:
    place = Place("nova.conf", line, 3)
    return Finding(check, f"Title of {check}", "Reason.", (f"first {line}", "second"), "Do it.", place, is_error)


REPORT = Report(
    (finding("a", 1), finding("b", 2), finding("a", 3), finding("a", 4, is_error=False)),
    ("a", "b", "c"),
    ("2 files",),
    ("KVM: no image",),
)


def test_for_people_a_check_says_its_reason_once() -> None:
    assert (
        as_text(REPORT).plain
        == """\
error  Title of a  [a]
    nova.conf:1:3: first 1
        second
    nova.conf:3:3: first 3
        second
  Why it matters: Reason.
  What to do: Do it.

error  Title of b  [b]
    nova.conf:2:3: first 2
        second
  Why it matters: Reason.
  What to do: Do it.

warning  Title of a  [a]
    nova.conf:4:3: first 4
        second
  Why it matters: Reason.
  What to do: Do it.

not looked at: KVM: no image
3 checks of 2 files: 3 errors, 1 warning."""
    )


def test_where_nothing_is_wrong() -> None:
    assert as_text(Report((), ("a",))).plain == "1 checks: nothing is wrong."


def test_a_fix_is_said_before_it_is_done() -> None:
    fixed = Finding("x", "T", "W.", ("e",), "R", fix=Fix("start x", ("docker", "start", "a b")))
    assert "  --fix would start x: docker start 'a b'\n" in as_text(Report((fixed,), ("x",))).plain


def test_many_of_one_check_are_counted() -> None:
    text = as_text(Report(tuple(finding("a", line) for line in range(25)), ("a",))).plain
    assert "and 5 more; --json lists them all" in text


def test_for_programs() -> None:
    fixed = Finding("x", "T", "W.", ("e",), "R", fix=Fix("restart", ("docker", "start", "x")))
    shown = json.loads(as_json(Report((fixed, finding("a", 7, is_error=False)), ("x", "a"), left_out=("y",))))
    assert (shown["healthy"], shown["checks"], shown["left_out"]) == (False, ["x", "a"], ["y"])
    assert shown["findings"][0]["fix"] == {"what": "restart", "command": ["docker", "start", "x"]}
    assert shown["findings"][1]["place"] == {"path": "nova.conf", "line": 7, "column": 3}
    assert [one["severity"] for one in shown["findings"]] == ["error", "warning"]
