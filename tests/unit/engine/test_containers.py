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
