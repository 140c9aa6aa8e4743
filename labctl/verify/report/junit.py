"""The report as JUnit XML, which CI systems read."""

import xml.etree.ElementTree as ElementTree

from labctl.verify.evidence import Failure
from labctl.verify.report.text import skip_text
from labctl.verify.results import Result, Status
from labctl.verify.run import Verdict


def as_junit(verdict: Verdict) -> bytes:
    """One test case for each test, with the evidence of the failed ones."""
    outcome = verdict.outcome
    suite = ElementTree.Element(
        "testsuite",
        name=f"labctl verify {verdict.suite}",
        tests=str(len(outcome.results)),
        failures=str(len(outcome.of(Status.FAILED))),
        skipped=str(len(outcome.of(Status.SKIPPED))),
        errors="0",
        time=f"{outcome.seconds:.3f}",
    )
    failures = {failure.result.id: failure for failure in verdict.failures}
    for result in outcome.results:
        suite.append(_case(result, failures.get(result.id)))
    root = ElementTree.Element("testsuites")
    root.append(suite)
    return bytes(ElementTree.tostring(root, encoding="utf-8", xml_declaration=True))


def _case(result: Result, failure: Failure | None) -> ElementTree.Element:
    place, _, name = result.name.rpartition(".")
    case = ElementTree.Element("testcase", classname=place, name=name, time=f"{result.seconds:.3f}")
    if result.status is Status.SKIPPED:
        ElementTree.SubElement(case, "skipped", message=_clean(skip_text(result.reason, result.missing_service)))
    elif result.status is Status.FAILED:
        last = result.traceback.strip().splitlines()[-1:] or ["failed"]
        ElementTree.SubElement(case, "failure", message=_clean(last[0])).text = _clean(result.traceback)
        if failure is not None:
            lines = [str(request) for request in failure.requests]
            lines += [f"{line.service}: {line.text}" for line in failure.lines]
            ElementTree.SubElement(case, "system-out").text = _clean("\n".join(lines))
    return case


def _clean(text: str) -> str:
    """Without the characters that XML cannot hold, such as those of a terminal's colours (XML 1.0, 2.2)."""
    return "".join(one for one in text if one in "\t\n\r" or " " <= one <= "\ud7ff" or "\ue000" <= one <= "\ufffd")
