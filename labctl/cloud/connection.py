"""A connection to a lab's cloud, from the lab's own clouds.yaml and nothing else."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import keystoneauth1.exceptions
import openstack.config
import openstack.exceptions
from openstack.connection import Connection

from labctl.errors import BadInput, CloudCheckFailed, NotFound

# Both log what they raise as well, and logging prints what nobody handles.
for _name in ("keystoneauth", "openstack"):
    logging.getLogger(_name).addHandler(logging.NullHandler())

API_TIMEOUT = 60.0
"""Seconds for one API request; the longest one here, the upload of an image, is far below."""


def connect(clouds_yaml: Path, cloud: str, timeout: float = API_TIMEOUT) -> Connection:
    """Makes a connection; the first request logs in, so nothing is asked of the cloud yet.

    The user's own clouds.yaml, OS_* variables, ~/.netrc and proxy variables are left aside: a lab's addresses exist on
    this machine only.

    Args:
        clouds_yaml: The lab's file.
        cloud: The name of a cloud in it: the lab's name (user demo), or that and `-admin`.
        timeout: Seconds for one request.

    Raises:
        NotFound: There is no such file, or no such cloud in it.
        BadInput: The file cannot be read, or what it says is no usable configuration.
    """
    if not clouds_yaml.is_file():
        raise NotFound(f"There is no {clouds_yaml}.", remedy="It is written when the lab is brought up: `labctl up`.")
    try:
        config = openstack.config.OpenStackConfig(
            config_files=[str(clouds_yaml)], secure_files=[], vendor_files=[], load_envvars=False, app_name="labctl"
        )
        if cloud not in config.get_cloud_names():
            raise NotFound(
                f"{clouds_yaml} describes no cloud {cloud}.",
                evidence=(f"clouds there: {', '.join(sorted(config.get_cloud_names())) or 'none'}",),
            )
        connection = Connection(config=config.get_one(cloud=cloud, api_timeout=timeout))
    except (openstack.exceptions.SDKException, keystoneauth1.exceptions.ClientException) as error:
        raise BadInput(
            f"{clouds_yaml} is no usable description of the cloud {cloud}.",
            evidence=(str(error),),
            remedy="Bring the lab up again (`labctl up`): it writes the file anew.",
        ) from error
    # requests would take http_proxy and ~/.netrc from the environment; see above.
    connection.session.session.trust_env = False
    return connection


def trusted_file(connection: Connection) -> str | None:
    """The certificate of the authority that the cloud's certificates are issued by; None without TLS."""
    verify, _ = connection.config.get_requests_verify_args()
    return verify if isinstance(verify, str) else None


@contextmanager
def api_errors(doing: str) -> Iterator[None]:
    """Turns what openstacksdk raises into an error for people.

    Args:
        doing: What is being done, to follow "The cloud refused to ..." or the like: "create the router demo-1".

    Raises:
        CloudCheckFailed: The API refused, or did not answer.
    """
    try:
        yield
    except openstack.exceptions.HttpException as error:
        raise CloudCheckFailed(
            f"The cloud's API could not {doing}.",
            evidence=_http_evidence(error),
            remedy="`labctl explain` with the request id tells what happened in the services.",
        ) from error
    except (openstack.exceptions.SDKException, keystoneauth1.exceptions.ClientException) as error:
        raise CloudCheckFailed(
            f"The cloud's API did not answer well when asked to {doing}.",
            evidence=(f"{type(error).__name__}: {error}",),
            remedy="`labctl status` shows which service is not healthy.",
        ) from error


def _http_evidence(error: openstack.exceptions.HttpException) -> tuple[str, ...]:
    lines = [f"HTTP {error.status_code} to {error.method or '?'} {error.url or '?'}: {error.details or error.message}"]
    if error.request_id:
        lines.append(f"request id {error.request_id}")
    return tuple(lines)
