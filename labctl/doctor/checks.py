"""Every check that there is, by what it looks at."""

from labctl.doctor.configuration import authentication, drivers, hosts, options, secrets
from labctl.doctor.lab import filters, links, ports, servers, services, storage
from labctl.doctor.machine import kernel, network, resources

MACHINE = (*resources.CHECKS, *kernel.CHECKS, *network.CHECKS)
"""Of the machine, before there is a lab and while one is up."""

LAB = (
    *services.CHECKS,
    *storage.CHECKS,
    *servers.CHECKS,
    *links.CHECKS,
    *ports.CHECKS,
    *filters.CHECKS,
)
"""Of a lab that is up."""


CONFIGURATION = (
    *options.CHECKS,
    *authentication.CHECKS,
    *hosts.CHECKS,
    *secrets.CHECKS,
    *drivers.CHECKS,
)
"""Of configuration files: `labctl doctor --config DIR`."""
