"""Options of nova and glance 2024.2 as their images told them; a few of each, without the help."""

from pathlib import Path

from labctl.catalog.configuration import load_options_file
from labctl.catalog.folders import catalog_folders
from labctl.configuration.ini import IniFile, parse_ini
from labctl.configuration.options import LISTED, Registry

RECORDED = Path(__file__).parent / "recorded"


def recorded(service: str) -> Registry:
    known = load_options_file(catalog_folders(), service)
    listed = LISTED.validate_json((RECORDED / f"{service}.json").read_bytes())
    return Registry(service, listed, known.alike, known.named_by, known.removed)


def ini(text: str, name: str = "x.conf") -> IniFile:
    return parse_ini(Path(name), text)
