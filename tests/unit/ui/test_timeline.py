"""The timeline and its critical path."""

from labctl.ui.timeline import Span, critical_path, draw_timeline

SPANS = (
    Span("keystone", 3.5, 6.0, ("mariadb", "memcached")),
    Span("mariadb", 1.0, 3.0),
    Span("memcached", 1.0, 1.5),
    Span("rabbitmq", 1.0, 5.0),
    Span("nova", 6.0, 11.0, ("keystone", "rabbitmq", "not-here")),
    Span("glance", 6.0, 8.0, ("keystone",)),
)


def names(spans: tuple[Span, ...]) -> list[str]:
    return [span.name for span in spans]


def test_the_critical_path_follows_the_last_to_end() -> None:
    assert names(critical_path(SPANS)) == ["mariadb", "keystone", "nova"]
    assert critical_path(()) == ()


def test_a_circle_does_not_hang() -> None:
    assert names(critical_path((Span("a", 0, 1, ("b",)), Span("b", 0, 2, ("a",))))) == ["a", "b"]


def test_the_chart() -> None:
    assert draw_timeline(SPANS, 50).splitlines() == [
        "  memcached    0.0    0.5 s █▏",
        "* mariadb      0.0    2.0 s ████▍",
        "  rabbitmq     0.0    4.0 s ████████▊",
        "* keystone     2.5    2.5 s      ██████",
        "  glance       5.0    2.0 s            ████▍",
        "* nova         5.0    5.0 s            ███████████",
        "critical path, 10.0 s: mariadb 2.0 s > (0.5 s) > keystone 2.5 s > nova 5.0 s",
    ]


def test_the_chart_in_ascii() -> None:
    assert draw_timeline(SPANS[1:4], 48, ascii_only=True).splitlines() == [
        "  memcached    0.0    0.5 s ##",
        "  mariadb      0.0    2.0 s ##########",
        "* rabbitmq     0.0    4.0 s ####################",
        "critical path, 4.0 s: rabbitmq 4.0 s",
    ]


def test_nothing_and_no_time() -> None:
    assert draw_timeline(()) == ""
    assert draw_timeline((Span("a", 5.0, 5.0),), 30).splitlines() == [
        "* a    0.0    0.0 s ▏",
        "critical path, 0.0 s: a 0.0 s",
    ]


def test_a_dependency_that_still_runs_counts_once() -> None:
    spans = (Span("agents", 0.0, 4.0), Span("network", 1.0, 6.0, ("agents",)))
    assert draw_timeline(spans, 40).splitlines()[-1] == "critical path, 6.0 s: agents 4.0 s > network 2.0 s"
