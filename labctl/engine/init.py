"""What starts services on this machine: systemd, or nothing."""

from pathlib import Path


def systemd_runs() -> bool:
    """Tells whether systemd is the init system; the test of sd_booted(3)."""
    return Path("/run/systemd/system").is_dir()
