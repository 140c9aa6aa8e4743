"""Tempest in a container of its own, on the host's network: it sees a lab as a client on this machine does."""

import os
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from ipaddress import IPv4Address
from pathlib import Path

import docker
from docker.errors import NotFound

from labctl.engine.labels import LAB_LABEL
from labctl.engine.process import run, stream
from labctl.engine.short_lived import docker_run
from labctl.files import private_folder

FOLDER = "/run/tempest"
"""Where the run's folder is, inside the container."""

GUEST = "/guest/image"
"""Where the guest's disk image is, inside the container."""

AUTHORITY = "/etc/ssl/lab.pem"
"""Where the certificate of the lab's authority is, inside the container."""


@dataclass(frozen=True)
class TempestContainer:
    """How Tempest is run.

    Attributes:
        image: The image's reference.
        lab: Whose container it is.
        uid: The user that it runs as.
        folder: The run's folder: tempest.conf, lists, what Tempest writes.
        guest_image: The guest's disk image.
        ca_file: The certificate of the lab's authority; None without TLS.
    """

    image: str
    lab: str
    uid: int
    folder: Path
    guest_image: Path
    ca_file: Path | None = None

    @property
    def name(self) -> str:
        """The container's name; there is one in a lab at a time."""
        return f"{self.lab}-tempest"

    def make_folder(self) -> None:
        """Makes the run's folder anew."""
        shutil.rmtree(self.folder, ignore_errors=True)
        private_folder(self.folder)
        self.give(self.folder)

    def give(self, path: Path) -> None:
        """Makes a file or folder the container's user's own; it is already, except where labctl runs as root."""
        if os.getuid() != self.uid:
            os.chown(path, self.uid, 0)

    def list_tests(self) -> str:
        """All tests, one a line.

        Raises:
            CommandFailed: Tempest did not say.
        """
        return run([*self._command(), "list-tests"]).stdout

    def run_tests(
        self,
        test_list: str,
        workers: str,
        serve: tuple[IPv4Address, int],
        on_result: Callable[[str], None],
        on_other: Callable[[str], None],
    ) -> int:
        """Runs tests.

        Args:
            test_list: The name of the list, in the run's folder.
            workers: The name of the file that shares them among workers (stestr's), likewise.
            serve: Address and port where the guest image is served meanwhile.
            on_result: Told each result, one JSON object in a line.
            on_other: Told each line that Tempest itself says.

        Returns:
            The exit code; not 0 where a test failed.
        """
        address, port = serve
        command = [*self._command(), "run-tests", workers, test_list, str(address), str(port)]
        return stream(command, on_result, on_error_line=on_other)

    def remove(self, client: docker.DockerClient) -> None:
        """Ends what an interrupted run left."""
        try:
            client.api.remove_container(self.name, force=True)
        except NotFound:
            return

    def _command(self) -> list[str]:
        # Some of Tempest's tests ask without what tempest.conf says of it: these variables are OpenSSL's and requests'.
        names = ("SSL_CERT_FILE", "REQUESTS_CA_BUNDLE") if self.ca_file else ()
        trust = [part for name in names for part in ("--env", f"{name}={AUTHORITY}")]
        mounts = ["--volume", f"{self.ca_file}:{AUTHORITY}:ro"] if self.ca_file else []
        return [
            *docker_run("--name", self.name, "--network", "host"),
            *("--label", f"{LAB_LABEL}={self.lab}", "--read-only", "--tmpfs", "/tmp"),  # noqa: S108 - the container's own
            # Tempest pings floating IPs; its ping has the capability as a file's.
            *("--user", f"{self.uid}:0", "--cap-drop", "ALL", "--cap-add", "NET_RAW"),
            *("--volume", f"{self.folder}:{FOLDER}", "--volume", f"{self.guest_image}:{GUEST}:ro"),
            *(*mounts, *trust),
            *("--workdir", FOLDER, "--env", f"HOME={FOLDER}", "--env", "NO_PROXY=*", self.image),
        ]
