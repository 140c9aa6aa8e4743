from labctl.ui.table import table


def test_columns_stand_below_their_headings() -> None:
    assert table([("lab", "nodes"), ("a-long-name", "1"), ("b", "")]) == "lab          nodes\na-long-name  1\nb"
