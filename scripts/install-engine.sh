#!/usr/bin/env bash
# Installs Docker Engine with Compose v2 and buildx from the distribution's own packages, and mmdebstrap,
# which makes the base root filesystem where no registry answers. Does nothing where they are there already.
#
#   scripts/install-engine.sh          asks first on a terminal
#   YES=1 scripts/install-engine.sh    does not ask
set -euo pipefail

has_engine() { docker version >/dev/null 2>&1 || command -v dockerd >/dev/null 2>&1; }
has_plugins() { docker compose version >/dev/null 2>&1 && docker buildx version >/dev/null 2>&1; }
has_mmdebstrap() { command -v mmdebstrap >/dev/null 2>&1; }

as_root() { if [ "$(id -u)" = 0 ]; then "$@"; else sudo "$@"; fi; }

# Debian 12 ships docker.io 20.10 without Compose v2 and buildx. The four packages of Debian 13 need nothing
# newer than Debian 12's libc, so only these names are taken from there: everything else stays pinned away.
add_trixie_for_docker() {
    local mirror
    mirror=$(apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' 'Codename: bookworm' 2>/dev/null |
        grep -m1 -E '/debian/?$') || {
        echo "labctl: apt has no source of Debian 12 to take the address of Debian's archive from." >&2
        exit 3
    }
    as_root tee /etc/apt/sources.list.d/labctl-docker.sources >/dev/null <<X
Types: deb
URIs: ${mirror%/}
Suites: trixie
Components: main
Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg
X
    as_root tee /etc/apt/preferences.d/labctl-docker >/dev/null <<'X'
Package: *
Pin: release n=trixie
Pin-Priority: -1

Package: docker.io docker-cli docker-compose docker-buildx
Pin: release n=trixie
Pin-Priority: 990
X
}

docker_packages() {
    case "$ID:${VERSION_ID%%.*}" in
        debian:12) echo docker.io docker-cli docker-compose docker-buildx ;;
        debian:*) echo docker.io docker-cli docker-compose docker-buildx ;;
        ubuntu:*) echo docker.io docker-compose-v2 docker-buildx ;;
        *) return 1 ;;
    esac
}

wanted=()
. /etc/os-release
if ! has_engine || ! has_plugins; then
    if ! read -r -a wanted < <(docker_packages); then
        echo "labctl: no recipe for $PRETTY_NAME: install Docker Engine 25 or newer with the compose and buildx" \
            "plugins by hand, then run this again." >&2
        exit 3
    fi
    # An engine that is there already (from docker.com, say) is kept: only its plugins are missing.
    if docker version >/dev/null 2>&1; then
        wanted=("${wanted[@]/docker.io/}")
        wanted=("${wanted[@]/docker-cli/}")
    fi
fi
# uidmap: mmdebstrap as an ordinary user works in a user namespace.
has_mmdebstrap || wanted+=(mmdebstrap debian-archive-keyring uidmap)
wanted=($(printf '%s\n' "${wanted[@]}" | sed '/^$/d'))
[ ${#wanted[@]} -gt 0 ] || exit 0

echo "labctl needs these packages of ${PRETTY_NAME}: ${wanted[*]}"
if [ "${YES:-}" != 1 ] && [ -t 0 ]; then
    read -r -p "Install them now? [y/N] " answer
    case "$answer" in y | Y | yes) ;; *) echo "Nothing was installed. YES=1 skips the question."; exit 3 ;; esac
fi

if [ "$ID:${VERSION_ID%%.*}" = debian:12 ] && [[ " ${wanted[*]} " == *" docker"* ]]; then add_trixie_for_docker; fi
as_root apt-get update -qq
# policy-rc.d: without an init system the package's own start would fail the installation; labctl starts the engine.
as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${wanted[@]}" iptables tini
