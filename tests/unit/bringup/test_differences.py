"""Diffs of files for people: what is shown, what is masked, how much of it."""

import pytest

from labctl.bringup.differences import ALL_LINES, FILE_LINES, MASK, differences, mask
from labctl.events import FileDifference

FERNET = "3qSzvHDY1eGzJuJc0eEo4sXw0p1rM2T9m7xq5i6b7dA="
KEY = "-----BEGIN OPENSSH PRIVATE KEY-----\nb3BlbnNzaC1rZXk\nAAAA\n-----END OPENSSH PRIVATE KEY-----\n"


def shown(before: str | None, after: str | None, path: str = "etc/nova/nova.conf", *secrets: str) -> tuple[str, ...]:
    old, new = ({} if text is None else {path: text.encode()} for text in (before, after))
    [found] = differences(old, new, [path], secrets)
    assert found.path == path
    return found.lines


def test_a_change_is_a_unified_diff() -> None:
    assert shown("a\nb\nc\nd\n", "a\nb\nC\nd\n") == ("@@ -2,3 +2,3 @@", " b", "-c", "+C", " d")


def test_lines_that_look_like_the_head_of_a_diff_are_shown() -> None:
    assert shown("-- old\n", "++ new\n")[1:] == ("--- old", "+++ new")


def test_files_of_labctl_that_come_and_go_are_named_and_drop_ins_are_shown() -> None:
    assert shown(None, "a\nb\n") == ("new, 2 lines",)
    assert shown("a\nb\n", None) == ("is removed",)
    drop_in = "etc/nova/nova.conf.d/00-x.conf"
    assert shown(None, "a = 1\n", drop_in)[1:] == ("+a = 1",)
    assert shown("a = 1\n", None, drop_in)[1:] == ("-a = 1",)


def test_the_lab_s_secrets_are_masked_wherever_they_are() -> None:
    old, new = "connection = mysql+pymysql://nova:OLDOLDOLD@10.0.0.1/nova\n", "url = http://u:NEWNEWNEW@x/\n"
    lines = shown(old, new, "x", "OLDOLDOLD", "NEWNEWNEW")
    assert not any("OLD" in line or "NEW" in line for line in lines)
    assert f"+url = http://u:{MASK}@x/" in lines


def test_where_nothing_but_secrets_changes_that_is_said() -> None:
    assert shown("p: oldoldold\n", "p: newnewnew\n", "x", "oldoldold", "newnewnew") == (
        "only digests and secrets in it change",
    )
    assert shown("a: 1\n", "a: 2\n", "secrets.yaml") == ("new secrets are made",)


def test_the_digests_of_the_compose_file_are_no_news() -> None:
    old = "  labels:\n    org.labctl.definition: aaaa\n    org.labctl.configuration: aaaa\n"
    assert shown(old, old.replace("aaaa", "bbbb"), "compose.yaml") == ("only digests and secrets in it change",)


@pytest.mark.parametrize(
    "text",
    [
        "password = hunter2",
        "  admin_password=hunter2",
        "memcache_secret_key: hunter2",
        "metadata_proxy_shared_secret = hunter2",
        "transport_url = rabbit://guest:hunter2@broker",
        "connection = mysql://nova:hunter2@db",
        "api_key = hunter2",
        "Password = hunter2",
    ],
)
def test_values_of_secret_options_that_the_user_wrote_are_masked(text: str) -> None:
    masked = mask(text, ())
    assert "hunter2" not in masked
    assert masked.endswith(MASK)


@pytest.mark.parametrize(
    "text", ["debug = true", "connection_recycle_time = 280", "token_expiration = 3600", "password =", "key = a"]
)
def test_other_values_are_shown(text: str) -> None:
    assert mask(text, ()) == text


def test_hashes_and_private_keys_are_masked() -> None:
    hashed = "$2b$06$" + "a" * 53
    assert mask(f"UPDATE it SET it='{hashed}'", ()) == f"UPDATE it SET it='{MASK}'"  # noqa: S608 - never run
    assert mask(f"before\n{KEY}after\n", ()) == f"before\n{MASK}\nafter\n"
    assert mask(f"{FERNET}\n", [FERNET]) == f"{MASK}\n"


def test_short_values_are_not_taken_for_secrets() -> None:
    assert shown("nova\n", "nova 2\n", "x", "nova")[1:] == ("-nova", "+nova 2")


def test_one_file_gets_so_many_lines_and_all_together_so_many() -> None:
    long = "".join(f"line {number}\n" for number in range(100))
    lines = shown("", long)
    assert len(lines) == FILE_LINES + 1
    assert lines[-1] == f"... {101 - FILE_LINES} more lines"
    before = {f"file{number:02}": b"" for number in range(20)}
    found = differences(before, dict.fromkeys(before, long.encode()), before, ())
    assert [one.path for one in found] == sorted(before)
    assert sum(len(one.lines) for one in found) <= ALL_LINES + len(found)
    assert found[-1].lines == ("... 101 more lines",)


def test_nothing_changes_nothing_is_shown() -> None:
    assert differences({"a": b"x"}, {"a": b"x"}, (), ()) == ()
    assert differences({}, {"a": b"x\n"}, ["a"], ()) == (FileDifference("a", ("new, 1 line",)),)
