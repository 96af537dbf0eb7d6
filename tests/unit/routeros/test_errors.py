"""The trap table, and what each error tells its caller to do."""

import inspect
import re
from pathlib import Path

import pytest

from imsys.kit.errors import ImsysError, PermanentError, TransientError, UnknownOutcome
from imsys.routeros import errors
from imsys.routeros.errors import (
    AlreadyExists,
    AmbiguousReference,
    Interrupted,
    InvalidValue,
    MissingValue,
    NoSuchCommand,
    NoSuchItem,
    NotPermitted,
    Refused,
    RouterBusy,
    RouterError,
    Trap,
    TrapError,
    UnknownParameter,
    UnknownReference,
    trap_error,
)

PAGE = Path(__file__).parents[3] / "docs/reference/routeros-errors.md"
SAID = [
    ("failure: secret with the same name already exists", AlreadyExists),
    ("failure: already have such name", AlreadyExists),
    ("failure: already have such entry", AlreadyExists),
    ("failure: already have such address", AlreadyExists),
    ("failure: already have user with this name for this server", AlreadyExists),
    ("failure: already have static lease with this IP address", AlreadyExists),
    ("failure: already have interface with name pppoe-1", AlreadyExists),
    ("failure: entry already exists", AlreadyExists),
    ("failure: such network already exists", AlreadyExists),
    ("failure: server with such name already exists", AlreadyExists),
    ("input does not match any value of profile", UnknownReference),
    ("input does not match any value of interface-list", UnknownReference),
    ("ambiguous value of profile, more than one possible value matches input", AmbiguousReference),
    ("invalid value for argument remote-address", InvalidValue),
    ("invalid value for argument remote-address:", InvalidValue),
    ("invalid value of address, mac address required", InvalidValue),
    ("invalid time value for argument limit-uptime", InvalidValue),
    ("value of priority out of range (1..254)", InvalidValue),
    ("value of range expects range of ip addresses", InvalidValue),
    ("failure: invalid network", InvalidValue),
    ("failure: upload-max-limit less than upload-limit", InvalidValue),
    ("unknown parameter comment", UnknownParameter),
    ("no such item", NoSuchItem),
    ("no such item (4)", NoSuchItem),
    ("invalid internal item number", NoSuchItem),
    ("missing =.id=", MissingValue),
    ("missing =name=", MissingValue),
    ("no such command", NoSuchCommand),
    ("no such command prefix", NoSuchCommand),
    ("no such command or directory (nonexistent)", NoSuchCommand),
    ("not enough permissions (9)", NotPermitted),
    ("interrupted", Interrupted),
    (
        "action timed out - try again, if error continues contact MikroTik support and send a supout file (13)",
        RouterBusy,
    ),
    ("std failure: timeout (13)", RouterBusy),
    ("default trial user can not be removed", Refused),
    ("failure: group has some users", Refused),
    ("action failed (6)", Refused),
    ("failure: can not move object before itself", Refused),
    ("", Refused),
]
CONCRETE = [
    kind
    for kind in vars(errors).values()
    if inspect.isclass(kind)
    and issubclass(kind, RouterError)
    and issubclass(kind, TransientError | PermanentError | UnknownOutcome)
]


@pytest.mark.parametrize(("message", "kind"), SAID)
@pytest.mark.parametrize("category", [None, 4])
def test_the_table_goes_by_the_text(message: str, kind: type[TrapError], category: int | None) -> None:
    error = trap_error([Trap(message, category)], writing=True)
    assert isinstance(error, kind)
    assert error.category == category
    assert error.remedy
    if message:
        assert error.message == message


@pytest.mark.parametrize(
    ("category", "kind"),
    [(0, NoSuchCommand), (1, InvalidValue), (2, Interrupted), (3, Refused), (4, Refused), (None, Refused)],
)
def test_an_unknown_text_goes_by_its_category(category: int | None, kind: type[TrapError]) -> None:
    assert isinstance(trap_error([Trap("words that nobody has seen", category)], writing=False), kind)


def test_trap_32_the_first_of_several_decides_and_all_are_kept() -> None:
    traps = [Trap("no such command or directory (x)", 0), Trap("no such command prefix")]
    error = trap_error(traps, writing=False)
    assert isinstance(error, NoSuchCommand)
    assert error.traps == tuple(traps)


@pytest.mark.parametrize("message", ["interrupted", "std failure: timeout (13)"])
def test_trap_36_whether_something_may_have_changed_depends_on_the_command(message: str) -> None:
    in_write = trap_error([Trap(message)], writing=True)
    in_read = trap_error([Trap(message)], writing=False)
    assert in_write.outcome == "unknown"
    assert isinstance(in_write, UnknownOutcome)
    assert in_read.outcome == "transient"
    assert isinstance(in_read, TransientError)


def test_outcome_and_base_class_agree() -> None:
    bases = {"transient": TransientError, "permanent": PermanentError, "unknown": UnknownOutcome}
    assert len(CONCRETE) > 20
    for kind in CONCRETE:
        assert [name for name, base in bases.items() if issubclass(kind, base)] == [kind.outcome], kind


def test_every_error_has_a_code_and_a_remedy() -> None:
    for kind in CONCRETE:
        error = kind("It broke.")
        assert error.code not in ("", ImsysError.default_code), kind
        assert error.remedy, kind


def test_every_code_is_explained_with_its_outcome() -> None:
    rows = {
        cells[0].strip("` "): cells[1].strip()
        for line in PAGE.read_text().splitlines()
        if len(cells := line.strip("| ").split(" | ")) == 4 and cells[0].startswith("`")
    }
    codes = {kind.default_code for kind in CONCRETE}
    assert set(rows) == codes
    for kind in CONCRETE:
        assert rows[kind.default_code] == kind.outcome, kind


def test_the_page_quotes_the_table() -> None:
    quoted = set(re.findall(r"`([^`]+)`", PAGE.read_text()))
    missing = [
        pattern for pattern, _ in errors._TRAP_TABLE if not any(pattern.lstrip("…").strip() in text for text in quoted)
    ]
    assert not missing
