"""Which services run from which source tree: a project, a service of all nodes, or one container's service. Pure."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path

from labctl.errors import NotFound
from labctl.lab.names import nearest
from labctl.lab.nodes import node_number


@dataclass(frozen=True)
class Projects:
    """The services of a lab that can run from a source tree.

    Attributes:
        of: Service to the Python project that it runs.
        nodes: The names of the lab's nodes; `node1-nova-compute` is the service `nova-compute` of `node1`.
    """

    of: Mapping[str, str]
    nodes: Collection[str]

    def role(self, service: str) -> str:
        """A service's name without its node's."""
        for node in self.nodes:
            if service.startswith(f"{node}-"):
                return service.removeprefix(f"{node}-")
        return service

    def called(self, name: str) -> frozenset[str]:
        """The services that a name stands for: a service, that service on every node, or all of a project.

        Raises:
            NotFound: None.
        """
        # The narrowest meaning first: glance is a project and its only service.
        for meant in (lambda service: service, self.role, self.of.__getitem__):
            found = frozenset(service for service in self.of if meant(service) == name)
            if found:
                return found
        names = sorted({*self.of.values(), *map(self.role, self.of), *self.of})
        raise NotFound(
            f"There is no service {name!r} that can run from a source tree.",
            evidence=[f"projects and services: {', '.join(sorted({*self.of.values(), *map(self.role, self.of)}))}"],
            remedy=nearest(name, names),
        )

    def spread(self, sources: Mapping[str, Path]) -> dict[str, Path]:
        """Says for each service where it runs from; the narrower name counts.

        Raises:
            NotFound: A name stands for nothing.
        """
        meant = {name: self.called(name) for name in sources if not self._is_of_absent_node(name)}
        by_width = sorted(meant, key=lambda name: len(meant[name]), reverse=True)
        return {service: sources[name] for name in by_width for service in meant[name]}

    def _is_of_absent_node(self, name: str) -> bool:
        """Whether a name is that of a service on a node that has left the lab, or is yet to come."""
        node, _, role = name.partition("-")
        return node_number(node) is not None and node not in self.nodes and role in map(self.role, self.of)

    def gathered(self, chosen: Mapping[str, Path]) -> dict[str, Path]:
        """The same in the fewest words: one name where a service runs from the same tree on every node."""
        found = {}
        for role in sorted({self.role(service) for service in chosen}):
            members = [service for service in self.of if self.role(service) == role]
            trees = {chosen.get(service) for service in members}
            if len(trees) == 1:
                found[role] = chosen[members[0]]
            else:
                found |= {service: chosen[service] for service in members if service in chosen}
        return found

    def started(self, sources: Mapping[str, Path], name: str, tree: Path) -> dict[str, Path]:
        """The sources once what `name` stands for runs from a tree.

        Raises:
            NotFound: A name stands for nothing.
        """
        return self.gathered({**self.spread(sources), **dict.fromkeys(self.called(name), tree)})

    def stopped(self, sources: Mapping[str, Path], name: str) -> dict[str, Path]:
        """The sources once what `name` stands for runs from its image.

        Raises:
            NotFound: A name stands for nothing.
        """
        back = self.called(name)
        return self.gathered({service: tree for service, tree in self.spread(sources).items() if service not in back})
