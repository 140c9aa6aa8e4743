from pathlib import Path
from types import SimpleNamespace

import openstack.exceptions
import pytest

from labctl.cloud.connection import API_TIMEOUT, api_errors, connect
from labctl.errors import BadInput, CloudCheckFailed, NotFound

# openstacksdk 4.22 warns of InfluxDB, by a warning that Python hides by default, whether or not it is configured.
pytestmark = pytest.mark.filterwarnings("ignore:Support for InfluxDB")

CLOUDS = """
clouds:
  lab:
    auth: {auth_url: "http://192.0.2.1:5000/v3", username: demo, password: secret, project_name: demo,
           user_domain_name: Default, project_domain_name: Default}
    region_name: RegionOne
  broken:
    auth: {auth_url: "http://192.0.2.1:5000/v3", no_such_option: 1}
"""


@pytest.fixture
def clouds_yaml(tmp_path: Path) -> Path:
    path = tmp_path / "clouds.yaml"
    path.write_text(CLOUDS)
    return path


def test_only_the_file_counts(clouds_yaml: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    other = tmp_path / "other.yaml"
    other.write_text(CLOUDS.replace("192.0.2.1", "192.0.2.99").replace("RegionOne", "Elsewhere"))
    monkeypatch.setenv("OS_CLIENT_CONFIG_FILE", str(other))
    monkeypatch.setenv("OS_CLOUD", "other")
    monkeypatch.setenv("OS_USERNAME", "somebody")
    monkeypatch.setenv("OS_REGION_NAME", "Elsewhere")
    connection = connect(clouds_yaml, "lab")
    config = connection.config
    assert config.config["auth"]["username"] == "demo"
    assert config.config["auth"]["auth_url"] == "http://192.0.2.1:5000/v3"
    assert config.region_name == "RegionOne"
    assert connection.session.timeout == API_TIMEOUT
    assert connection.session.session.trust_env is False


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(NotFound, match=r"clouds\.yaml"):
        connect(tmp_path / "clouds.yaml", "lab")


def test_a_cloud_that_is_not_there_names_those_that_are(clouds_yaml: Path) -> None:
    with pytest.raises(NotFound) as caught:
        connect(clouds_yaml, "lab-admin")
    assert caught.value.evidence == ("clouds there: broken, lab",)


@pytest.mark.parametrize("text", ["- a list\n", "clouds: [\n"])
def test_a_file_that_describes_no_clouds(clouds_yaml: Path, text: str) -> None:
    clouds_yaml.write_text(text)
    with pytest.raises((BadInput, NotFound)):
        connect(clouds_yaml, "lab")


def test_what_the_api_says_becomes_evidence() -> None:
    response = SimpleNamespace(
        status_code=409,
        headers={"x-openstack-request-id": "req-1"},
        request=SimpleNamespace(url="http://192.0.2.1:9696/v2.0/networks", method="POST"),
    )
    with pytest.raises(CloudCheckFailed) as caught, api_errors("create the network"):
        raise openstack.exceptions.ConflictException(response=response, details="The physical network is in use.")
    assert caught.value.what == "The cloud's API could not create the network."
    assert "HTTP 409" in caught.value.evidence[0]
    assert "The physical network is in use." in caught.value.evidence[0]
    assert caught.value.evidence[1] == "request id req-1"


def test_an_api_that_is_not_there_becomes_an_error_for_people(clouds_yaml: Path) -> None:
    clouds_yaml.write_text(CLOUDS.replace("192.0.2.1:5000", "127.0.0.1:1"))
    connection = connect(clouds_yaml, "lab")
    with pytest.raises(CloudCheckFailed) as caught, api_errors("log in"):
        connection.authorize()
    assert "127.0.0.1" in caught.value.evidence[0]


def test_other_errors_pass() -> None:
    with pytest.raises(ZeroDivisionError), api_errors("think"):
        raise ZeroDivisionError
