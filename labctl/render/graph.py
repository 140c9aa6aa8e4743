"""The graph of the images, as text for people and for drawing tools."""

from labctl.catalog.image import ROOTFS, ImageGraph
from labctl.errors import BadInput


def list_images(graph: ImageGraph) -> str:
    """One line for each image, in build order."""
    width = max(len(image.name) for image in graph.images)
    return "\n".join(
        f"{image.name:<{width}}  {'' if image.file.runtime else '(only to make others) '}{image.file.description}"
        for image in graph.images
    )


def draw_graph(graph: ImageGraph, language: str) -> str:
    """The graph in a drawing language: solid arrows are `from`, dotted ones `uses`.

    Args:
        graph: The images.
        language: dot or mermaid.

    Raises:
        BadInput: Another language.
    """
    solid = [(image.file.parent, image.name) for image in graph.images]
    dotted = [(used, image.name) for image in graph.images for used in image.file.uses]
    if language == "dot":
        lines = [f'  "{start}" -> "{end}";' for start, end in solid]
        lines += [f'  "{start}" -> "{end}" [style=dotted];' for start, end in dotted]
        return "\n".join(["digraph images {", "  rankdir=LR;", f'  "{ROOTFS}" [shape=box];', *lines, "}"])
    if language == "mermaid":
        lines = [f"  {start} --> {end}" for start, end in solid] + [f"  {start} -.-> {end}" for start, end in dotted]
        return "\n".join(["flowchart LR", *lines])
    raise BadInput(f"There is no graph language {language!r}.", remedy="dot or mermaid.")
