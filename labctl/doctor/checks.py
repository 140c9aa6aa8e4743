"""Every check that there is, by what it looks at."""

from labctl.doctor.configuration import authentication, drivers, hosts, options, secrets

CONFIGURATION = (
    *options.CHECKS,
    *authentication.CHECKS,
    *hosts.CHECKS,
    *secrets.CHECKS,
    *drivers.CHECKS,
)
"""Of configuration files: `labctl doctor --config DIR`."""
