#!/usr/bin/env bash
# Makes .venv/bin/labctl and sees to a running Docker engine. Does nothing where both are there already.
#
#   scripts/setup.sh           asks on a terminal before it installs packages or adds you to a group
#   YES=1 scripts/setup.sh     does not ask
#   scripts/setup.sh python    only .venv
#   scripts/setup.sh browser   .venv, and Chromium for the browser tests
#   PYTHON=/path/to/python3 scripts/setup.sh    with a Python of your choice, 3.11 or newer
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

say() { echo "labctl: $*" >&2; }
give_up() { say "$@"; exit 3; }

as_root() {
    if [ "$(id -u)" = 0 ]; then "$@"
    elif command -v sudo >/dev/null; then sudo "$@"
    else give_up "this needs root, and there is no sudo here; as root, run: $*"
    fi
}

# Yes without a terminal too, like install-engine.sh: whoever runs this from a script wants it done.
ask() {
    if [ "${YES:-}" = 1 ] || [ ! -t 0 ]; then return 0; fi
    local answer
    read -r -p "$1 [y/N] " answer
    case "$answer" in y | Y | yes) return 0 ;; *) return 1 ;; esac
}

install_packages() {
    command -v apt-get >/dev/null || give_up "install these with your package manager, then run this again: $*"
    say "these packages are needed: $*"
    ask "Install them now?" || give_up "nothing was installed. YES=1 skips the question."
    as_root apt-get update -qq
    as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$@"
}

is_new_enough() { "$1" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; }

find_python() {
    local name
    for name in ${PYTHON:-python3 python3.14 python3.13 python3.12 python3.11}; do
        if command -v "$name" >/dev/null && is_new_enough "$name"; then command -v "$name"; return; fi
    done
    return 1
}

require_python() {
    python=$(find_python) && return
    if [ -n "${PYTHON:-}" ]; then give_up "PYTHON=$PYTHON is not a Python of 3.11 or newer."; fi
    command -v python3 >/dev/null || install_packages python3 python3-venv
    python=$(find_python) || give_up "Python 3.11 or newer is needed, and this machine has $(python3 -V 2>&1)." \
        "Debian 12 and 13 and Ubuntu 24.04 have one; PYTHON=/path/to/python3 names another."
}

# Debian keeps ensurepip, which makes pip in a new environment, in a package of its own.
require_venv_module() {
    if "$python" -c 'import ensurepip, venv' 2>/dev/null; then return; fi
    install_packages "$("$python" -c 'import sys; print("python%d.%d-venv" % sys.version_info[:2])')"
}

# What was installed: the same again is not worth the minute that pip takes.
wanted_stamp() { sha256sum pyproject.toml requirements.txt; }

# One whose Python is gone or too old, or whose scripts name another folder because the clone was moved, is no use.
is_usable_environment() {
    [ -x .venv/bin/python ] && is_new_enough .venv/bin/python &&
        [[ "$(head -n 1 .venv/bin/pip 2>/dev/null)" == "#!$PWD/.venv/bin/python"* ]]
}

pip_install() { .venv/bin/python -m pip install -qq --disable-pip-version-check "$@"; }

make_environment() {
    local stamp=.venv/labctl-setup
    if ! is_usable_environment; then
        require_python
        require_venv_module
        say "making .venv with $("$python" -V)"
        "$python" -m venv --clear .venv
    elif [ -x .venv/bin/labctl ] && [ "$(cat "$stamp" 2>/dev/null)" = "$(wanted_stamp)" ]; then
        return
    fi
    say "installing what requirements.txt names into .venv"
    rm -f "$stamp"
    # Wheels with the hashes of the lock, and nothing else: what builds the package itself is one of them.
    pip_install --require-hashes --only-binary :all: --requirement requirements.txt
    pip_install --no-deps --no-build-isolation --editable .
    wanted_stamp >"$stamp"
}

# Debian's; elsewhere the same two commands, from wherever the distribution has them.
require_browser() {
    if command -v chromium >/dev/null && command -v chromedriver >/dev/null; then return; fi
    install_packages chromium chromium-driver
}

engine_answers() { docker version >/dev/null 2>&1; }

# The socket of the machine's own engine, where docker uses that and not another engine.
own_socket() {
    local host
    host=$(docker context inspect --format '{{.Endpoints.docker.Host}}' 2>/dev/null) || return 1
    case "$host" in unix:///var/run/docker.sock | unix:///run/docker.sock) echo "${host#unix://}" ;; *) return 1 ;; esac
}

may_not_use() { [ -S "$1" ] && ! { [ -r "$1" ] && [ -w "$1" ]; }; }

start_engine() {
    local socket
    if engine_answers; then return; fi
    socket=$(own_socket) || give_up "the engine that DOCKER_HOST or the docker context names does not answer:" \
        "see \`docker version\` and \`docker context ls\`."
    if [ -d /run/systemd/system ]; then
        systemctl is-active --quiet docker || as_root systemctl start docker
    else
        .venv/bin/labctl engine start
    fi
    if may_not_use "$socket"; then join_group "$(stat -c %G "$socket")"; fi
    engine_answers || give_up "the Docker engine does not answer: see \`docker version\`."
}

# A group that was joined counts for new sessions only, so this ends here in any case.
join_group() {
    local me
    me=$(id -un)
    if [ "$1" = root ]; then give_up "the engine's socket belongs to root alone: see dockerd's option --group."; fi
    if [[ " $(id -nG "$me") " != *" $1 "* ]]; then
        say "you may not use the Docker engine: its socket is for the group $1." \
            "Members of that group can become root on this machine."
        if { [ "${YES:-}" != 1 ] && [ ! -t 0 ]; } || ! ask "Add $me to the group $1?"; then
            give_up "nothing was changed. To do it yourself: sudo usermod -aG $1 $me"
        fi
        as_root usermod -aG "$1" "$me"
    fi
    give_up "you are in the group $1 from the next login on: log in again, or run \`newgrp $1\`, then run this again."
}

make_environment
if [ "${1:-}" = python ]; then exit 0; fi
if [ "${1:-}" = browser ]; then require_browser; exit 0; fi
scripts/install-engine.sh
start_engine
