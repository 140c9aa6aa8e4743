"""Every fault that there is."""

from labctl.fault import cloud, identity, links, packets, paths, ports, routing, services, storage

ALL = (
    *services.FAULTS,
    *storage.FAULTS,
    *identity.FAULTS,
    *cloud.FAULTS,
    *packets.FAULTS,
    *links.FAULTS,
    *ports.FAULTS,
    *routing.FAULTS,
    *paths.FAULTS,
)
