"""Who reaches a lab besides its own machine: the lab file's words, looked up on the machine."""

import docker

from labctl.engine.networks import bridges
from labctl.engine.routes import default_route_bridges
from labctl.errors import BadInput
from labctl.lab.names import nearest
from labctl.lab.reach import Opening, Reach


def look_up(client: docker.DockerClient, reach: Reach) -> Opening:
    """Finds the devices that stand for what the lab file opens the lab to.

    Raises:
        BadInput: The engine has no such network, or one that is no bridge.
    """
    devices = set(default_route_bridges()) if reach.local_network else set()
    if reach.networks:
        known = bridges(client)
        for name in reach.networks:
            if name not in known:
                raise BadInput(
                    f"`reach` names {name!r}, and the engine has no bridge network of that name.",
                    evidence=[f"it has {', '.join(sorted(known))}"],
                    remedy=nearest(name, known) or "`docker network ls` lists them.",
                )
            devices.add(known[name])
    return Opening(reach.local_network, tuple(sorted(devices)))
