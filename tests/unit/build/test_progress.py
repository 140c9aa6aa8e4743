"""What buildx prints with `--progress rawjson`, followed as images and their steps."""

import base64
import json
from pathlib import Path
from typing import Any

from labctl.build.bake import batches, build_error
from labctl.build.progress import LOG_LINES, BakeProgress, JsonStream, split_name
from labctl.events import Event, ServiceChanged

# As buildx writes it (client/graph.go: SolveStatus): the first report on one line, later ones over several.
BASE_STARTS = """\
{"vertexes":[{"digest":"sha256:01","name":"[internal] load build definition from base/Dockerfile",\
"started":"2026-01-01T10:00:00Z","completed":"2026-01-01T10:00:01Z"},\
{"digest":"sha256:02","name":"[base 2/4] COPY base/files/ /","started":"2026-01-01T10:00:01Z"}]}
"""
NOVA_AT_WORK = """\
{
  "vertexes": [
    {
      "digest": "sha256:10",
      "name": "[nova python 3/4] RUN --mount=type=secret,id=x     python-install /lock",
      "started": "2026-01-01T10:00:02Z"
    }
  ],
  "logs": [
    {
      "vertex": "sha256:10",
      "stream": 2,
      "data": "UmVzb2x2aW5nIHsuLi59Cg==",
      "timestamp": "2026-01-01T10:00:03Z"
    }
  ]
}
"""


def log(digest: str, *lines: str) -> dict[str, Any]:
    text = "".join(f"{line}\n" for line in lines)
    return {"logs": [{"vertex": digest, "data": base64.b64encode(text.encode()).decode()}]}


def vertex(digest: str, name: str, **more: object) -> dict[str, Any]:
    return {"vertexes": [{"digest": digest, "name": name, "started": "2026-01-01T10:00:00Z", **more}]}


class Follower:
    """A `BakeProgress` and what it told."""

    def __init__(self) -> None:
        self.events: list[Event] = []
        self.progress = BakeProgress(self.events.append)

    def say(self, *reports: str | dict[str, Any]) -> None:
        for report in reports:
            text = report if isinstance(report, str) else json.dumps(report)
            for line in text.splitlines():
                self.progress.line(line)

    @property
    def told(self) -> list[tuple[str, str, str]]:
        return [(each.service, each.state, each.detail) for each in self.events if isinstance(each, ServiceChanged)]


def values(text: str) -> list[Any]:
    stream = JsonStream()
    return [value for line in text.splitlines() for value in stream.feed(line)]


def test_values_on_one_line_and_on_many_are_cut_out() -> None:
    text = '{"a": 1}\n{\n  "b": [\n    {"c": "}"}\n  ]\n}\n{"d": "{"}\n'
    assert values(text) == [{"a": 1}, {"b": [{"c": "}"}]}, {"d": "{"}]


def test_a_value_comes_as_soon_as_it_is_complete() -> None:
    stream = JsonStream()
    assert list(stream.feed("{")) == []
    assert list(stream.feed('  "a": {')) == []
    assert list(stream.feed("  }")) == []
    assert list(stream.feed("}")) == [{"a": {}}]


def test_many_reports_are_followed_to_the_last() -> None:
    follower = Follower()
    for number in range(50):
        follower.say(vertex(f"sha256:of-{number}", f"[image{number} 1/1] RUN x"), NOVA_AT_WORK)
    assert {service for service, _, _ in follower.told} == {"nova", *(f"image{number}" for number in range(50))}
    assert follower.told[-1] == ("image49", "building", "1/1 RUN x")


def test_names_of_steps_are_split_into_image_and_step() -> None:
    assert split_name("[keystone python 3/4] RUN   a\n  b") == ("keystone", "python 3/4 RUN a b")
    assert split_name("[nova-compute] exporting to image") == ("nova-compute", "exporting to image")
    # Mounts are the same in many steps, and long: what a step runs is what a person looks for.
    assert split_name("[nova 2/4] RUN --mount=type=secret,id=x     --mount=type=cache,target=/c   do it")[1] == (
        "2/4 RUN do it"
    )
    assert split_name("[internal] load remote bake definitions")[0] == ""
    assert split_name("resolve image config")[0] == ""


def test_an_image_is_told_with_the_step_that_it_is_at() -> None:
    follower = Follower()
    follower.say(BASE_STARTS, NOVA_AT_WORK)
    assert follower.told == [
        ("base", "building", "2/4 COPY base/files/ /"),
        ("nova", "building", "python 3/4 RUN python-install /lock"),
    ]


def test_a_step_that_several_images_report_is_told_once() -> None:
    follower = Follower()
    first, second = vertex("sha256:1", "[nova base 2/4] COPY a /"), vertex("sha256:2", "[nova base 2/4] COPY a /")
    follower.say(first, second, first)
    assert follower.told == [("nova", "building", "base 2/4 COPY a /")]
    follower.say(vertex("sha256:3", "[nova base 3/4] RUN b"))
    assert len(follower.told) == 2


def test_the_work_of_buildkit_itself_is_not_told() -> None:
    follower = Follower()
    follower.say(vertex("sha256:1", "[internal] load .dockerignore"), vertex("sha256:2", "[nova] load metadata"))
    assert follower.told == []


def test_an_image_is_done_when_it_is_exported_and_not_before() -> None:
    follower = Follower()
    follower.say(vertex("sha256:1", "[nova 4/4] RUN x", completed="2026-01-01T10:00:09Z"))
    assert follower.told == []
    follower.say(vertex("sha256:2", "[nova] exporting to image"))
    follower.say(vertex("sha256:2", "[nova] exporting to image", completed="2026-01-01T10:00:09Z"))
    assert follower.told[-1][:2] == ("nova", "done")


def test_a_step_that_failed_is_known_with_its_image_and_log() -> None:
    follower = Follower()
    follower.say(NOVA_AT_WORK, log("sha256:10", "error: no such wheel", "gave up"))
    follower.say(
        vertex("sha256:10", "[nova python 3/4] RUN --mount=type=secret,id=x python-install /lock", error="exit 2")
    )
    [step] = follower.progress.failed
    assert (step.image, step.error) == ("nova", "exit 2")
    assert step.name == "python 3/4 RUN python-install /lock"
    assert step.log == ["Resolving {...}", "error: no such wheel", "gave up"]
    assert follower.told[-1][:2] == ("nova", "failed")


def test_steps_that_were_stopped_because_another_one_failed_are_not_the_failed_ones() -> None:
    follower = Follower()
    follower.say(vertex("sha256:1", "[glance 2/3] RUN y", error="context canceled"))
    follower.say(vertex("sha256:2", "[nova 2/3] RUN x", error="process did not complete successfully: exit code: 1"))
    assert [step.image for step in follower.progress.failed] == ["nova"]


def test_only_the_end_of_a_log_is_kept_and_each_step_has_its_own() -> None:
    follower = Follower()
    follower.say(vertex("sha256:1", "[nova 1/2] RUN x"), vertex("sha256:2", "[nova 2/2] RUN y"))
    follower.say(log("sha256:1", *(f"x{number}" for number in range(LOG_LINES * 2))), log("sha256:2", "y"))
    follower.say(vertex("sha256:1", "[nova 1/2] RUN x", error="exit 1"))
    [step] = follower.progress.failed
    assert step.log == [f"x{number}" for number in range(LOG_LINES, LOG_LINES * 2)]


def test_a_log_that_is_no_text_is_shown_all_the_same() -> None:
    follower = Follower()
    broken = {"logs": [{"vertex": "sha256:1", "data": base64.b64encode(b"caf\xe9\n").decode()}]}
    follower.say(vertex("sha256:1", "[nova 1/2] RUN x"), broken, vertex("sha256:1", "[nova 1/2] RUN x", error="e"))
    assert follower.progress.failed[0].log == ["caf\N{REPLACEMENT CHARACTER}"]


def test_the_error_names_image_step_and_last_lines(tmp_path: Path) -> None:
    follower = Follower()
    follower.say(NOVA_AT_WORK, log("sha256:10", "gave up"), vertex("sha256:10", "[nova python 3/4] RUN p", error="e"))
    error = build_error(follower.progress, tmp_path)
    assert error.what == "The image nova could not be built."
    assert error.evidence[0].startswith("step: python 3/4 RUN ")
    assert error.evidence[-1] == "gave up"
    assert str(tmp_path) in error.remedy
    assert error.exit_code == 5


def test_a_step_without_a_log_is_shown_with_its_error(tmp_path: Path) -> None:
    follower = Follower()
    follower.say(vertex("sha256:1", "[nova 2/4] COPY nova/files/ /", error='"/nova/files": not found'))
    assert build_error(follower.progress, tmp_path).evidence[-1] == '"/nova/files": not found'


def test_what_buildx_says_before_it_builds_is_the_evidence_where_no_step_failed(tmp_path: Path) -> None:
    follower = Follower()
    follower.say("docker-bake.json:4,5-9: Invalid character; this is not JSON", "ERROR: parse error")
    error = build_error(follower.progress, tmp_path)
    assert error.what == "docker buildx bake failed."
    assert error.evidence == ("docker-bake.json:4,5-9: Invalid character; this is not JSON", "ERROR: parse error")


def test_jobs_cut_the_targets_in_their_order() -> None:
    targets = ["base", "python", "nova", "glance", "mariadb"]
    assert batches(targets, 2) == [["base", "python"], ["nova", "glance"], ["mariadb"]]
    assert batches(targets, None) == [targets]
    assert batches(targets, 99) == [targets]
    assert batches([], None) == []


def test_what_buildx_says_after_its_reports_is_kept_and_stops_no_report() -> None:
    follower = Follower()
    follower.say(
        vertex("sha256:1", "[base 1/2] FROM x"),
        "ERROR: failed to connect",
        vertex("sha256:2", "[base 2/2] RUN y", error="exit 1"),
    )
    assert follower.progress.other_output == ["ERROR: failed to connect"]
    assert [step.name for step in follower.progress.failed] == ["2/2 RUN y"]
