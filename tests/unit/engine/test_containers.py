"""What the engine's list of containers says of a service."""

from labctl.engine.containers import read_state

ENTRY = {
    "Id": "abc",
    "Names": ["/lab-horizon"],
    "State": "running",
    "Status": "Up 3 seconds (healthy)",
    "Labels": {"org.labctl.lab": "lab", "org.labctl.service": "horizon", "org.labctl.page": "http://10.20.0.1:8088/"},
}


def test_a_service_with_a_page_for_browsers() -> None:
    state = read_state(dict(ENTRY))
    assert (state.service, state.name, state.summary) == ("horizon", "lab-horizon", "healthy")
    assert state.page == "http://10.20.0.1:8088/"


def test_a_service_without_one() -> None:
    entry = {**ENTRY, "Labels": {"org.labctl.service": "glance"}}
    assert read_state(entry).page == ""


def test_a_running_service_without_an_interface_is_in_no_network() -> None:
    network = {"NetworkID": "n1", "EndpointID": "e1"}
    for state, endpoint, known in (("running", "e1", "n1"), ("running", "", ""), ("exited", "", "n1")):
        networks = {"Networks": {"lab_mgmt": {**network, "EndpointID": endpoint}}}
        entry = {**ENTRY, "State": state, "NetworkSettings": networks}
        assert read_state(entry).networks == {"lab_mgmt": known}
