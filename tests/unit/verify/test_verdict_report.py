"""The report: text, JUnit, page."""

import json
import xml.etree.ElementTree as ElementTree
from dataclasses import replace

import pytest
from verify_examples import BOOT, REQUEST, STOP, verdict

from labctl.cli.verify import as_json, refuse_failures
from labctl.errors import TestsFailed as Failed
from labctl.verify.guideline import RequiredTest
from labctl.verify.report.html import as_html
from labctl.verify.report.junit import as_junit
from labctl.verify.report.text import as_text
from labctl.verify.suite import Selection


def test_the_text_has_figures_skips_and_evidence() -> None:
    text = as_text(verdict())
    assert "smoke: 3 tests in 12 s: 1 passed, 1 failed, 1 skipped" in text
    assert "the lab has no cinder (Class skipped as Cinder is not available)" in text
    assert f"{REQUEST} 202 POST" in text
    assert "nova-compute: ERROR" in text


def test_a_test_that_is_gone_is_named() -> None:
    gone = Selection((BOOT,), (RequiredTest("bd2363bc", ("compute",), "tempest.api.volume.gone"),))
    for report in (as_text, as_html):
        assert "bd2363bc" in report(replace(verdict(), selection=gone))


def test_junit_is_xml_and_has_the_evidence() -> None:
    suite = ElementTree.fromstring(as_junit(verdict()))[0]  # noqa: S314 - labctl's own
    assert suite.attrib["tests"] == "3"
    passed, failed, skipped = suite
    assert (passed.attrib["name"], passed.attrib["time"]) == ("test_boot", "4.500")
    failure = failed.find("failure")
    assert failure is not None
    assert "<b>not</b> stopped[0m" in (failure.text or "")
    assert REQUEST in (failed.findtext("system-out") or "")
    assert "no cinder" in skipped[0].attrib["message"]


def test_the_page_needs_nothing_else_and_shows_texts_as_they_are() -> None:
    page = as_html(verdict())
    assert "&lt;b&gt;not&lt;/b&gt; stopped" in page
    assert REQUEST in page
    assert BOOT.id in page
    assert "src=" not in page
    assert "href=" not in page


def test_json_has_the_same() -> None:
    data = json.loads(as_json(verdict()))
    assert (data["passed"], data["failed"], data["skipped"]) == (1, 1, 1)
    assert data["failures"][0]["test"] == STOP.name
    assert data["failures"][0]["requests"] == [REQUEST]
    assert data["skips"][0]["missing_service"] == "cinder"


def test_a_failed_test_is_an_exit_code_of_its_own() -> None:
    with pytest.raises(Failed, match="1 of 3 tests failed") as raised:
        refuse_failures(verdict())
    assert raised.value.exit_code == 11
    refuse_failures(replace(verdict(), failures=()))
