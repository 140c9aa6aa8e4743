"""The software bill of materials of an image: CycloneDX, JSON."""

import uuid
from collections.abc import Iterable

from cyclonedx.model import ExternalReference, ExternalReferenceType, HashAlgorithm, HashType, XsUri
from cyclonedx.model.bom import Bom
from cyclonedx.model.component import Component, ComponentType
from cyclonedx.output.json import JsonV1Dot6
from packageurl import PackageURL

from labctl import __version__
from labctl.build.packages import DebianPackage, PythonPackage
from labctl.engine.images import ImageSeen


def bill_of_materials(
    reference: str,
    seen: ImageSeen,
    debian: str,
    python_packages: Iterable[PythonPackage],
    debian_packages: Iterable[DebianPackage],
) -> str:
    """The bill of an image as text; the same image has the same one.

    Args:
        reference: What the image is called.
        seen: What the engine tells of it.
        debian: The suite that it is made of.
        python_packages: What its locks name.
        debian_packages: What is installed inside.
    """
    name, _, tag = reference.rpartition(":")
    image = Component(type=ComponentType.CONTAINER, name=name, version=tag, bom_ref=reference)
    parts = [*map(python_component, python_packages), *(debian_component(each, debian) for each in debian_packages)]
    bill = Bom(components=parts, serial_number=uuid.uuid5(uuid.NAMESPACE_URL, " ".join((reference, *seen.layers))))
    bill.metadata.timestamp = seen.created
    bill.metadata.component = image
    bill.metadata.tools.components.add(Component(type=ComponentType.APPLICATION, name="labctl", version=__version__))
    bill.register_dependency(image, parts)
    return JsonV1Dot6(bill).output_as_string(indent=2) + "\n"


def python_component(package: PythonPackage) -> Component:
    """A Python package.

    The hashes are those of its files, of which one was installed: no property of the component itself, but of where it
    is distributed.
    """
    purl = PackageURL("pypi", None, package.name, package.version)
    files = ExternalReference(
        type=ExternalReferenceType.DISTRIBUTION,
        url=XsUri(purl.to_string()),
        comment="the files that the lock allows",
        hashes=[HashType(alg=HashAlgorithm.SHA_256, content=content) for content in package.hashes],
    )
    return _component(package, purl, files)


def debian_component(package: DebianPackage, suite: str) -> Component:
    """A package of the distribution, with the source package that it is built from."""
    upstream = f"{package.source}@{package.source_version}"
    purl = PackageURL(
        "deb",
        "debian",
        package.name,
        package.version,
        {"arch": package.architecture, "distro": suite, "upstream": upstream},
    )
    return _component(package, purl)


def _component(package: PythonPackage | DebianPackage, purl: PackageURL, *references: ExternalReference) -> Component:
    return Component(
        type=ComponentType.LIBRARY,
        name=package.name,
        version=package.version,
        purl=purl,
        bom_ref=purl.to_string(),
        external_references=references,
    )
