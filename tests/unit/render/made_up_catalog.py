"""A small catalog in a temporary folder: base, python, one service, and a database that holds its schema."""

from pathlib import Path

from labctl.catalog.folders import CatalogFolders
from labctl.catalog.image import load_images
from labctl.catalog.release import load_release
from labctl.render.images import BuildInput, Naming

RELEASE = "2042.1"

FILES = {
    "images/macros.j2": """\
{%- macro install(packages) -%}
RUN --mount=type=secret,id=mirror install-packages {{ packages | join(" ") }}
{%- endmacro -%}
""",
    "images/base/image.yaml": "description: Ground\nfrom: rootfs\nruntime: false\n",
    "images/base/Dockerfile.j2": "FROM {{ rootfs }} AS base\nCOPY base/files/ /\nENV SUITE={{ debian }}\n",
    "images/base/files/etc/motd": "hello\n",
    "images/python/image.yaml": "description: Interpreter\nfrom: base\nruntime: false\n",
    "images/python/Dockerfile.j2": """\
{% from "macros.j2" import install with context %}
FROM {{ parent }} AS python
{{ install(["python3"]) }}
RUN --mount=type=bind,source=locks/{{ image }},target=/lock add /lock
""",
    "images/parrot/image.yaml": "description: Repeats\nfrom: python\npython: [Parrot_Service, 'colour<2']\n",
    "images/parrot/Dockerfile.j2": """\
FROM base AS feathers
RUN pluck

FROM {{ parent }} AS parrot
COPY --from=feathers /feathers /feathers
RUN --mount=type=bind,source=locks/{{ image }},target=/lock add /lock
""",
    "images/database/image.yaml": """\
description: Remembers
from: base
uses: [parrot]
schemas: [parrot]
versions: {store: store-server}
""",
    "images/database/Dockerfile.j2": """\
{% from "macros.j2" import install with context %}
FROM {{ parent }} AS database-server
{{ install(["store-server"]) }}

FROM database-server AS database-schema
{% for service in schemas %}
RUN --mount=type=bind,from={{ service }},source=/opt,target=/opt migrate {{ service }} of {{ release }}
{% endfor %}

FROM database-server AS database
COPY --from=database-schema /data /data
""",
    f"images/locks/{RELEASE}/release.yaml": f"""\
name: "{RELEASE}"
codename: aardvark
debian: trixie
python: "3.13"
constraints: /constraints.txt
""",
    f"images/locks/{RELEASE}/python/packages.txt": "common==1.0 \\\n    --hash=sha256:aa\n",
    f"images/locks/{RELEASE}/parrot/packages.txt": """\
parrot-service==4.2 \\
    --hash=sha256:bb
colour==1.9 \\
    --hash=sha256:cc
""",
}


def make_catalog(root: Path) -> CatalogFolders:
    """Writes the catalog."""
    for name, text in FILES.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return CatalogFolders(root)


def build_of(folders: CatalogFolders, **more: object) -> BuildInput:
    """A build of the catalog with everything fixed."""
    values: dict[str, object] = {
        "folders": folders,
        "graph": load_images(folders),
        "release": load_release(folders, RELEASE),
        "rootfs": "labctl/rootfs:trixie",
        "naming": Naming(RELEASE, "registry.example.org/team/"),
        "secrets": {"mirror": Path("/secrets/mirror"), "ca-bundle": Path("/certificates.crt")},
        "provenance": {"parrot": {"org.opencontainers.image.revision": "0123abc"}},
        "contents": {"database": {"org.labctl.version.store": "11.8-1"}},
    }
    return BuildInput(**{**values, **more})  # type: ignore[arg-type]
