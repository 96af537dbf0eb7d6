"""The file that a person edits between a snapshot and an adoption."""

from datetime import UTC, datetime

import pytest

from imsys.onboarding.mapfile import COLUMNS, Map, parse_map, write_map

NOW = datetime(2026, 11, 24, tzinfo=UTC)
ROW = dict.fromkeys(COLUMNS, "") | {"adopt": "yes", "username": "ann ", "service": "pppoe", "package": "home"}
ROW |= {"profile": "30M ", "comment": "José", "remark": ""}


def parsed(content: bytes) -> Map:
    return parse_map(content, zone=UTC, now=NOW)


def test_what_is_written_is_read_back_byte_for_byte() -> None:
    content = write_map([ROW, ROW | {"adopt": "no", "username": "ben"}])
    assert content.startswith(b"\xef\xbb\xbfadopt,username,service,")
    found = parsed(content)
    (line,) = found.lines
    assert (line.username, line.profile, line.package, line.number, line.suspended) == ("ann ", "30M ", "home", 2, None)
    assert (found.left_out, found.problems) == ([("pppoe", "ben")], [])


def test_a_comment_is_no_formula() -> None:
    assert b"'=HYPERLINK(1)" in write_map([ROW | {"comment": "=HYPERLINK(1)"}])


@pytest.mark.parametrize(
    ("text", "meant"),
    [("yes", True), ("TRUE", True), ("x", True), ("1", True), ("no", False), ("FALSE", False), ("", None)],
)
def test_yes_and_no_as_spreadsheets_say_it(text: str, meant: bool | None) -> None:
    (line,) = parsed(write_map([ROW | {"suspended": text}])).lines
    assert line.suspended is meant
    assert len(parsed(write_map([ROW | {"adopt": text}])).lines) == bool(meant)


@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_semicolons_and_a_comma_in_a_name(end: str) -> None:
    text = end.join(("Adopt ; username;SERVICE;package;full_name", "yes;ann;PPPoE; home ;Wanjiku, Ann", ""))
    (line,) = parsed(text.encode()).lines
    assert (line.username, line.service, line.package, line.full_name) == ("ann", "pppoe", "home", "Wanjiku, Ann")


def test_cells_that_a_spreadsheet_left_empty_at_the_end() -> None:
    found = parsed(b"adopt,username,service,package,email,,\nyes,ann,pppoe,home,,,\nyes,ben,pppoe,home\n,,,,,,\n")
    assert ([line.username for line in found.lines], found.problems) == (["ann", "ben"], [])


@pytest.mark.parametrize(
    ("cells", "text"),
    [
        ({"service": "l2tp"}, "'l2tp' is not a service."),
        ({"package": ""}, "A package name is empty"),
        ({"username": ""}, "The username is empty."),
        ({"rate": "fast"}, "'fast' is not a rate"),
        ({"price": "20,50"}, "'20,50' is not a price."),
        ({"address": "10.0.0"}, "'10.0.0' is not an IPv4 address."),
        ({"mac": "00:0C"}, "'00:0C' is not a MAC address."),
        ({"suspended": "perhaps"}, "'perhaps' is neither yes nor no."),
        ({"expires_at": "31/01/2027"}, "'31/01/2027' is not a time."),
        ({"email": "ann"}, "'ann' is not an e-mail address."),
        ({"service": "static"}, "A static line needs its address."),
    ],
)
def test_what_is_wrong_with_a_line(cells: dict[str, str], text: str) -> None:
    found = parsed(write_map([ROW, ROW | cells]))
    assert [(number, problem[: len(text)]) for number, problem in found.problems] == [(3, text)]


def test_lines_that_are_no_csv_or_too_long() -> None:
    found = parsed(
        b'adopt,username,service,package\nyes,ann,pppoe,home,more\nyes,"ann"x,pppoe,home\nyes,ben,pppoe,home\n'
    )
    assert [number for number, _ in found.problems] == [2, 3]
    assert "The rest of the file was not read." in found.problems[1][1]
