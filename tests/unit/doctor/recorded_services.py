"""Options of the release 2024.2 as its images told them: those that the files of these tests use, without the help."""

from pathlib import Path

from labctl.catalog.configuration import load_libraries_file, load_options_file
from labctl.catalog.folders import catalog_folders
from labctl.configuration.options import LISTED, Registry
from labctl.doctor.configuration.facts import ConfigurationFacts
from labctl.doctor.configuration.gather import gather_configuration
from labctl.doctor.examine import examine_configuration
from labctl.files import write_folder
from labctl.findings import Finding

RECORDED = Path(__file__).parent / "recorded"
WALKTHROUGHS = Path(__file__).parent / "walkthroughs"


def recorded(service: str) -> Registry:
    folders = catalog_folders()
    known = load_options_file(folders, service)
    listed = LISTED.validate_json((RECORDED / f"{service}.json").read_bytes())
    removed = {**load_libraries_file(folders).removed, **known.removed}
    return Registry(service, listed, known.alike, known.named_by, removed)


def gather(folder: Path) -> ConfigurationFacts:
    return gather_configuration(catalog_folders(), folder, recorded)


def examined(folder: Path) -> tuple[Finding, ...]:
    return examine_configuration(catalog_folders(), folder, recorded).findings


def examined_texts(folder: Path, files: dict[str, str]) -> tuple[Finding, ...]:
    """Examines files of these names and contents."""
    write_folder(folder, {name: text.encode() for name, text in files.items()})
    return examined(folder)


def found(findings: tuple[Finding, ...], check: str) -> list[str]:
    """The places at which a check found something."""
    return [str(finding.place) for finding in findings if finding.check == check]
