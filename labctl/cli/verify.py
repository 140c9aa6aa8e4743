"""`labctl verify`: OpenStack's own tests against a lab."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from labctl.ui import Progress
from labctl.ui.printable import say

if TYPE_CHECKING:
    from labctl.verify.run import Verdict, VerifyTarget

IMAGE = "tempest"


def verify(
    name: Annotated[str | None, typer.Option("--name", help="The lab; needed when there are several.")] = None,
    suite: Annotated[
        str,
        typer.Option("--suite", help="smoke, interop, scenario, full, or a regular expression of tests' ids."),
    ] = "smoke",
    parallel: Annotated[int, typer.Option("--parallel", min=1, help="So many tests at a time.")] = 2,
    shared_accounts: Annotated[
        bool | None,
        typer.Option(
            "--shared-accounts/--own-accounts",
            help="Classes of tests work with accounts made before them (faster; smoke does), or each with its own.",
            show_default=False,
        ),
    ] = None,
    junit: Annotated[Path | None, typer.Option("--junit", help="Write the results there, as JUnit XML.")] = None,
    html: Annotated[Path | None, typer.Option("--html", help="Write a page with all details there.")] = None,
    progress: Annotated[Progress, typer.Option("--progress", help="How progress is shown.")] = Progress.AUTO,
) -> None:
    """Run Tempest, OpenStack's own tests, against a lab; what they made is removed."""
    from labctl.cli.lookup import docker_engine, find_lab
    from labctl.engine.lab_lock import refuse_others, teller
    from labctl.lab.locks import locked
    from labctl.ui import listener
    from labctl.verify.run import verify as run_verify
    from labctl.verify.suite import Suite, check_suite

    check_suite(suite)
    shared = suite == Suite.SMOKE if shared_accounts is None else shared_accounts
    state = find_lab(name)
    target = verify_target(state.name, suite, parallel, shared)
    with docker_engine() as client, listener(progress, sys.stderr) as emit:
        refuse_others(client, state.name)
        with locked(f"verify-{state.name}", teller(emit, f"the tests of {state.name!r}")):
            verdict = run_verify(client, target, emit)
    write_reports(verdict, junit, html)
    say(as_json(verdict) if progress is Progress.JSON else text_of(verdict))
    refuse_failures(verdict)


def verify_target(lab: str, suite: str, workers: int, shared_accounts: bool) -> "VerifyTarget":
    """What is verified, and how.

    Raises:
        BadInput: The image with Tempest is not built.
    """
    from labctl.bringup.prepare import service_uid
    from labctl.build.naming import naming
    from labctl.catalog.folders import catalog_folders
    from labctl.cli.lookup import demo_target, lab_file
    from labctl.engine.images import image_id
    from labctl.engine.tempest import TempestContainer
    from labctl.errors import BadInput
    from labctl.lab.state import LabState, cache_root
    from labctl.verify.run import VerifyTarget

    state = LabState(lab)
    wanted = lab_file(state)
    reference = naming(wanted.release).reference(IMAGE)
    identity = image_id(reference)
    if identity is None:
        raise BadInput(
            "The image with Tempest is not built yet.", evidence=[reference], remedy=f"Run `labctl build {IMAGE}`."
        )
    target = demo_target(lab)
    ca_file = state.ca_file if lab_file(state).tls else None
    container = TempestContainer(reference, lab, service_uid(), state.folder / "verify", target.guest.path, ca_file)
    cache = cache_root() / "verify"
    listed = cache / f"{identity.removeprefix('sha256:')}.list"
    durations = cache / "durations.json"
    return VerifyTarget(
        target, suite, workers, shared_accounts, container, catalog_folders(), wanted, durations, listed
    )


def write_reports(verdict: "Verdict", junit: Path | None, html: Path | None) -> None:
    """Writes the files that were asked for."""
    from labctl.verify.report.html import as_html
    from labctl.verify.report.junit import as_junit

    if junit:
        junit.write_bytes(as_junit(verdict))
    if html:
        html.write_text(as_html(verdict))


def text_of(verdict: "Verdict") -> str:
    """The report for a person."""
    from labctl.verify.report.text import as_text

    return as_text(verdict)


def as_json(verdict: "Verdict") -> str:
    """The figures, the skips and the failures as one JSON object."""
    import json

    from labctl.verify.results import Status

    outcome = verdict.outcome
    return json.dumps(
        {
            "suite": verdict.suite,
            "seconds": outcome.seconds,
            **{str(status): len(outcome.of(status)) for status in Status},
            "gone": [test.id for test in verdict.selection.gone],
            "skips": [
                {"reason": reason, "missing_service": service, "tests": count}
                for reason, service, count in outcome.skips
            ],
            "failures": [
                {
                    "test": failure.result.name,
                    "requests": [request.id for request in failure.requests],
                    "log": [f"{line.service}: {line.text}" for line in failure.lines],
                }
                for failure in verdict.failures
            ],
            "not_removed": list(verdict.left),
        }
    )


def refuse_failures(verdict: "Verdict") -> None:
    """Ends with an error where a test failed.

    Raises:
        TestsFailed: One did.
    """
    from labctl.errors import TestsFailed

    if verdict.failures:
        raise TestsFailed(
            f"{len(verdict.failures)} of {len(verdict.outcome.results)} tests failed.",
            remedy="Above, or with `--html FILE`: their requests, and what the services logged about them.",
        )
