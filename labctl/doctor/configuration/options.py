"""Each file by itself, against the options that its service registers: what `labctl config check` knows."""

from collections.abc import Iterator

from labctl.configuration.check import Finding as Mistake
from labctl.configuration.check import Kind
from labctl.doctor.check import Check, Evidence, check
from labctl.doctor.configuration.facts import ConfigurationFacts
from labctl.findings import Place

_READ = "A service reads the options that it registers, in the section where it registers them, and no others."


@check(
    "file-removed",
    title="A file of a program that this release does not have",
    why="Nothing reads it; what it was meant to set is not set.",
    remedy="Remove it from the host, and the program's service with it.",
)
def file_removed(facts: ConfigurationFacts) -> Iterator[Evidence]:
    """Files of programs that are gone."""
    for one in facts.files:
        if one.removed:
            yield Evidence((one.removed,), Place(str(one.file.path), 1))


def _is_auth_type(facts: ConfigurationFacts, mistake: Mistake) -> bool:
    line = Place(str(mistake.path), mistake.at.line, mistake.at.column)
    return mistake.kind is Kind.BAD_VALUE and line in facts.auth_types


@check(
    "auth-type",
    title="auth_type names no authentication plugin",
    why="The service cannot get a token: it does not start, or every request to another service fails.",
    remedy="Nearly always it is `auth_type = password`; the password itself belongs into `password`.",
)
def auth_type(facts: ConfigurationFacts) -> Iterator[Evidence]:
    """Wrong values of auth_type."""
    for mistake in facts.mistakes:
        if _is_auth_type(facts, mistake):
            yield _evidence(mistake)


def _of_kind(kind: Kind, id: str, title: str, why: str, remedy: str) -> Check[ConfigurationFacts]:
    """A check that takes the mistakes of one kind."""

    @check(id, title=title, why=why, remedy=remedy)
    def look(facts: ConfigurationFacts) -> Iterator[Evidence]:
        for mistake in facts.mistakes:
            if mistake.kind is kind and not _is_auth_type(facts, mistake):
                yield _evidence(mistake)

    return look


def _evidence(mistake: Mistake) -> Evidence:
    place = Place(str(mistake.path), mistake.at.line, mistake.at.column)
    return Evidence((mistake.text,), place, is_error=mistake.is_error)


CHECKS = (
    file_removed,
    _of_kind(
        Kind.SYNTAX,
        "file-syntax",
        "A file that cannot be read",
        "oslo.config refuses the whole file, and the service does not start.",
        "Correct the line. `grep -vE '^$|^#'` keeps all that counts; section lines must be copied with the rest.",
    ),
    auth_type,
    _of_kind(
        Kind.REMOVED,
        "option-removed",
        "An option that this release has no more",
        "The service ignores it: what it was meant to do is not done, without a word.",
        "Set what took its place, as the line says.",
    ),
    _of_kind(
        Kind.UNKNOWN_OPTION,
        "option-unknown",
        "An option that the service does not have",
        "The service ignores it, without a word.",
        "Correct the name, or leave it out.",
    ),
    _of_kind(
        Kind.WRONG_SECTION,
        "option-section",
        "An option in the wrong section",
        _READ,
        "Move it to the section that the line names.",
    ),
    _of_kind(
        Kind.UNKNOWN_SECTION, "section-unknown", "A section that the service does not have", _READ, "Correct its name."
    ),
    _of_kind(
        Kind.BAD_VALUE,
        "value-wrong",
        "A value that the option does not take",
        "The service does not start, or fails where it first needs the value.",
        "Give a value that the option takes.",
    ),
    _of_kind(
        Kind.INLINE_COMMENT,
        "comment-inline",
        "A comment behind a value",
        "oslo.config knows comments only at the start of a line: the service takes the comment as part of the value.",
        "Give the comment a line of its own.",
    ),
    _of_kind(
        Kind.INDENTED,
        "line-indented",
        "An indented line",
        "oslo.config takes an indented line as part of the value before it.",
        "Remove the blanks before the name.",
    ),
    _of_kind(
        Kind.DUPLICATE,
        "option-twice",
        "An option that is there twice",
        "Only the last one counts.",
        "Remove the ones that do not count.",
    ),
    _of_kind(
        Kind.DEPRECATED,
        "option-old",
        "An option under an old name, or one that will be removed",
        "It works in this release, and will not in a later one.",
        "Use the present name.",
    ),
)
