import re

from labctl.cloud.demo.names import Names


def test_two_runs_share_no_name() -> None:
    runs = {Names.new().run for _ in range(50)}
    assert len(runs) == 50
    assert all(re.fullmatch(r"demo-[0-9a-f]{6}", run) for run in runs)


def test_every_name_starts_with_the_runs() -> None:
    names = Names("demo-ab12cd")
    assert names.of("router") == "demo-ab12cd-router"
    assert names.servers(2) == ("demo-ab12cd-1", "demo-ab12cd-2")


def test_nova_numbers_servers_only_when_there_are_several() -> None:
    names = Names("demo-ab12cd")
    assert names.server_request(1) == names.servers(1)[0]
    assert [f"{names.server_request(3)}-{n}" for n in (1, 2, 3)] == list(names.servers(3))


def test_server_names_are_host_names() -> None:
    assert all(re.fullmatch(r"[a-z][a-z0-9-]{0,62}", name) for name in Names.new().servers(12))
