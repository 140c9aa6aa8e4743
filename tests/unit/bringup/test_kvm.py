"""KVM or emulation: what a probe said is kept for one boot and one image. The docker command is one made here."""

from pathlib import Path

import pytest

from labctl.bringup.kvm import virtualization


class Docker:
    """A docker command: the image's id, the probe's last word and its exit code can be set; it counts probes."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.image("sha256:one")
        self.probe("guest ran", 0)
        program = folder / "docker"
        program.write_text(f"""#!/bin/sh
case "$1" in
    image) cat {folder}/image ;;
    run) echo "$*" >>{folder}/probes; cat {folder}/word; exit "$(cat {folder}/code)" ;;
esac
""")
        program.chmod(0o755)

    def image(self, digest: str) -> None:
        (self.folder / "image").write_text(f"{digest}\n")

    def probe(self, word: str, code: int) -> None:
        (self.folder / "word").write_text(f"starting\n{word}\n" if word else "")
        (self.folder / "code").write_text(str(code))

    @property
    def probes(self) -> list[str]:
        path = self.folder / "probes"
        return path.read_text().splitlines() if path.exists() else []


@pytest.fixture
def docker(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Docker:
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", f"{folder}:/usr/bin:/bin")
    return Docker(folder)


@pytest.fixture
def device(tmp_path: Path) -> Path:
    path = tmp_path / "kvm"
    path.touch()
    return path


def test_without_the_device_nothing_is_probed(tmp_path: Path, docker: Docker) -> None:
    found = virtualization("libvirt", tmp_path / "cache", device=tmp_path / "gone")
    assert (found.type, found.reason) == ("qemu", f"there is no {tmp_path}/gone")
    assert docker.probes == []
    assert not (tmp_path / "cache").exists()


def test_a_guest_that_ran_is_kvm(tmp_path: Path, docker: Docker, device: Path) -> None:
    found = virtualization("labctl/libvirt:x", tmp_path / "cache", device=device)
    assert (found.type, found.reason) == ("kvm", "guest ran")
    [probe] = docker.probes
    assert f"--device {device}" in probe
    assert "--network none" in probe
    assert probe.endswith("labctl/libvirt:x probe-kvm")
    assert "--privileged" not in probe


@pytest.mark.parametrize(("word", "reason"), [("ioctl: EINVAL", "ioctl: EINVAL"), ("", "no word")])
def test_a_guest_that_did_not_run_is_emulation(
    tmp_path: Path, docker: Docker, device: Path, word: str, reason: str
) -> None:
    docker.probe(word, 1)
    found = virtualization("libvirt", tmp_path / "cache", device=device)
    assert (found.type, found.reason) == ("qemu", reason)


@pytest.mark.parametrize("code", [0, 1])
def test_the_answer_is_kept(tmp_path: Path, docker: Docker, device: Path, code: int) -> None:
    docker.probe("three words here", code)
    first = virtualization("libvirt", tmp_path / "cache", device=device)
    docker.probe("something else", 1 - code)
    assert virtualization("libvirt", tmp_path / "cache", device=device) == first
    assert len(docker.probes) == 1


def test_another_image_is_probed_anew(tmp_path: Path, docker: Docker, device: Path) -> None:
    virtualization("libvirt", tmp_path / "cache", device=device)
    docker.image("sha256:two")
    docker.probe("broken", 1)
    assert virtualization("libvirt", tmp_path / "cache", device=device).type == "qemu"
    assert len(docker.probes) == 2


def test_another_boot_is_probed_anew(tmp_path: Path, docker: Docker, device: Path) -> None:
    cache = tmp_path / "cache"
    virtualization("libvirt", cache, device=device)
    boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    assert boot in cache.read_text()
    cache.write_text(cache.read_text().replace(boot, "another-boot"))
    virtualization("libvirt", cache, device=device)
    assert len(docker.probes) == 2


def test_a_cache_that_is_broken_is_probed_anew(tmp_path: Path, docker: Docker, device: Path) -> None:
    (tmp_path / "cache").write_text("")
    assert virtualization("libvirt", tmp_path / "cache", device=device).type == "kvm"
    assert len(docker.probes) == 1
