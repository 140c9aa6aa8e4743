"""The real catalog with two made-up profiles: the parrot, which needs the perch."""

import shutil
from pathlib import Path

from labctl.catalog.folders import CatalogFolders
from labctl.lab.secrets import Secrets
from labctl.render.lab import LabPlan, needed_secrets, render_lab
from tests.unit.render.fixed_lab import FOLDERS, REFERENCES, secret

FILES = {
    "compose/profiles/perch.yaml": "description: Something to sit on\nimages: [perch]\n",
    "compose/profiles/perch.yaml.j2": """\
services:
  perch:
    image: perch
    network_mode: host
    command: [stand]
    volumes: [perch:/var/lib/perch]
volumes:
  perch:
""",
    "compose/profiles/parrot.yaml": """\
description: Repeats what it hears
needs: [perch]
images: [parrot]
enables: {glance.store: [swift]}
""",
    "compose/profiles/parrot.yaml.j2": """\
{% import "macros.j2" as common with context %}
x-labctl:
  ports: {public: {4242: parrot}}
  databases: {parrot: [parrot]}
  roles: [listener]
  catalog:
    - {name: parrot, type: repetition, url: "{{ endpoint(4242) }}"}
services:
  parrot-schema:
    image: parrot
    network_mode: host
    command: [parrot-manage, db_sync]
    restart: on-failure:3
    volumes: [./etc/parrot:/etc/parrot:ro]
    depends_on:
      mariadb: {condition: service_healthy}
  parrot:
    image: parrot
    network_mode: host
    command: [parrot-api]
    volumes: [./etc/parrot:/etc/parrot:ro]
    depends_on:
      parrot-schema: {condition: service_completed_successfully}
      identity: {condition: service_completed_successfully}
    healthcheck: {{ common.answers_http(4242) }}
""",
    "config-templates/parrot/parrot.conf.j2": """\
{% import "macros.j2" as common with context %}
[database]
connection = {{ common.database("parrot") }}

{{ common.authtoken("parrot") }}
""",
}
IMAGES = {name: f"labctl/{name}:test" for name in ("parrot", "perch")}


def make_catalog(root: Path) -> CatalogFolders:
    """Copies the real templates and adds the two profiles."""
    for folder in ("compose", "config-templates"):
        shutil.copytree(FOLDERS.root / folder, root / folder)
    for name, text in FILES.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return CatalogFolders(root)


def render(folders: CatalogFolders, plan: LabPlan) -> dict[str, bytes]:
    """All files of a lab."""
    secrets = Secrets(values={name: secret(name) for name in needed_secrets(folders, plan)})
    return render_lab(folders, plan, secrets)


def references() -> dict[str, str]:
    """Those of the real catalog, and of the two profiles."""
    return {**REFERENCES, **IMAGES}
