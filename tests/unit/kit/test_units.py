import re

import pytest

from imsys.kit.errors import InputError
from imsys.kit.units import Mac, Rate, RateLimit, format_duration, parse_duration, parse_flag


def test_trap_01_rate_pairs_compare_as_numbers() -> None:
    assert Rate.parse("10M/10M") == Rate.parse("10000000/10000000") == Rate(10_000_000, 10_000_000)
    assert Rate.parse("7M/2M") == Rate.parse("7000000/2000000")
    assert Rate.parse("512k") == Rate.parse("512000/512000")
    assert Rate.parse("1G/1000M") == Rate.parse("1000000k/1000000000")
    assert Rate.parse("10M/5M") != Rate.parse("5M/10M")


@pytest.mark.parametrize(
    "text",
    [
        "5M/10M",
        "5000k/10000k",
        "5000000/10M",
        "5M/10M 0/0 0/0 0/0 8",
        "5M/10M 0/0 3M/3M 16/16",  # without a burst, what is written for one means nothing
        "5M/10M 0 0 0 8 5M/10M",  # no minimum written: the rate
        " 5M/10M  0/0 ",
    ],
)
def test_trap_02_rate_limit_compares_by_meaning(text: str) -> None:
    assert RateLimit.parse(text) == RateLimit.parse("5M/10M")
    assert RateLimit.parse(text).render() == "5M/10M"


@pytest.mark.parametrize(
    ("text", "same"),
    [
        ("2M/4M 3M/6M", "2M/4M 3M/6M 2M/4M 1/1 8 2M/4M"),
        ("2M/4M 3M/6M 1M/2M", "2M/4M 3M/6M 1M/2M 1s/1s"),
        ("2M/4M 3M/6M 1M/2M 16", "2000k/4M 3M/6M 1M/2M 16s/00:00:16"),
        ("2M/4M 3M/0 1M/2M 16/5", "2M/4M 3M/0 1M/0 16/0"),
        ("4M 0/0 0/0 0/0 3", "4M/4M 0/0 0/0 0/0 3 4M/4M"),
        ("4M 0/0 0/0 0/0 8 1M/2M", "4M/4M 0/0 1k/1k 1/1 8 1000k/2000k"),
    ],
)
def test_blanks_of_a_rate_limit_are_filled_in_as_the_router_does(text: str, same: str) -> None:
    assert RateLimit.parse(text) == RateLimit.parse(same)


@pytest.mark.parametrize(
    "text", ["5M/11M", "10M/5M", "5M/10M 6M/12M", "5M/10M 0/0 0/0 0/0 7", "5M/10M 0/0 0/0 0/0 8 1M/1M", "0/0"]
)
def test_other_rate_limits_differ(text: str) -> None:
    assert RateLimit.parse(text) != RateLimit.parse("5M/10M")


def test_a_rate_limit_is_rendered_as_short_as_its_meaning_allows() -> None:
    assert RateLimit.parse("2M/4M 3M/6M 2M/4M 1/1 8 2M/4M").render() == "2M/4M 3M/6M"
    assert RateLimit.parse("2M/4M 3M/6M 1M/2M 00:01:00/8s").render() == "2M/4M 3M/6M 1M/2M 60/8"
    assert RateLimit.parse("1G/4M 0 0 0 1").render() == "1000M/4M 0/0 0/0 0/0 1"


@pytest.mark.parametrize(
    "text",
    ["", "fast", "10m", "10M/", "/10M", "1/2/3", "-1M", "1.5M", "10 M", "٣M", "9" * 400, "10M/5M/1M", "10 M/5M"],
)
def test_what_is_no_rate_is_refused_with_what_is_one(text: str) -> None:
    with pytest.raises(InputError) as caught:
        Rate.parse(text)
    assert caught.value.code == "BadRate"
    assert "10M/5M" in caught.value.remedy


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "1 to 6 parts"),
        ("1M 1M 1M 1 8 1M 1M", "1 to 6 parts"),
        ("1M 1M 1M 1 9", "priority"),
        ("1M 1M 1M 1 0", "priority"),
        ("1M 1M 1M 1 8/8", "priority"),
        ("1M 2M 1M 1/1/1", "burst time"),
        ("1M 2M 1M 1500ms", "whole seconds"),
        ("1M/1M 0 0 0 8 1M/2M", "minimum"),
    ],
)
def test_what_is_no_rate_limit_is_refused_with_the_part_that_is_wrong(text: str, why: str) -> None:
    with pytest.raises(InputError, match=re.escape(why)) as caught:
        RateLimit.parse(text)
    assert caught.value.code == "BadRateLimit"


def test_trap_05_flags_are_read_in_all_four_spellings_and_nothing_else_is_cast() -> None:
    assert parse_flag("true") is parse_flag("yes") is True
    assert parse_flag("false") is parse_flag("no") is False
    for word in ("default", "required", "", "1", "Yes"):
        with pytest.raises(InputError):
            parse_flag(word)


@pytest.mark.parametrize(
    ("texts", "seconds"),
    [
        (("300", "300s", "5m", "00:05:00", "4m60s"), 300.0),
        (("1d02:15:30", "1d2h15m30s", "26:15:30"), 94530.0),
        (("2w6d13:21:53", "20d13h21m53s"), 1776113.0),
        (("1w2d3h4m5s", "9d03:04:05"), 788645.0),
        (("00:00:00.060", "60ms", "60000us"), 0.06),
        (("8h19m34s", "08:19:34"), 29974.0),
        (("100ms", "0s100ms"), 0.1),
        (("453us",), 0.000453),
        (("0s", "0", "00:00:00"), 0.0),
    ],
)
def test_trap_06_durations_compare_as_seconds(texts: tuple[str, ...], seconds: float) -> None:
    assert {parse_duration(text) for text in texts} == {seconds}


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "0s"),
        (300, "5m"),
        (788645, "1w2d3h4m5s"),
        (604800, "1w"),
        (0.1, "100ms"),
        (1.5, "1s500ms"),
        (0.000453, "453us"),
    ],
)
def test_durations_are_written_in_the_unit_form(seconds: float, text: str) -> None:
    assert format_duration(seconds) == text


@pytest.mark.parametrize(
    "text",
    ["", " ", "never", "5x", "5m5", "5s5m", "00:05", "00:60:00", "00:00:60", "-5m", "1.5s", "9" * 400, "1d1:2:3"],
)
def test_what_is_no_duration_is_refused(text: str) -> None:
    with pytest.raises(InputError) as caught:
        parse_duration(text)
    assert caught.value.code == "BadDuration"


def test_a_negative_duration_is_a_mistake_of_the_caller() -> None:
    with pytest.raises(ValueError, match="negative"):
        format_duration(-1)


@pytest.mark.parametrize(
    "text", ["00:0c:42:1a:2b:3c", "00-0C-42-1A-2B-3C", "000c.421a.2b3c", "000C421A2B3C", " 00:0C:42:1A:2B:3C "]
)
def test_trap_07_mac_addresses_are_upper_case_with_colons(text: str) -> None:
    assert Mac.parse(text) == "00:0C:42:1A:2B:3C"
    assert isinstance(Mac.parse(text), Mac)


@pytest.mark.parametrize(
    "text", ["", "00:0c:42:1a:2b", "00:0c:42:1a:2b:3g", "0:c:42:1a:2b:3c", "00:0c-42:1a:2b:3c", "000c:421a:2b3c"]
)
def test_what_is_no_mac_address_is_refused(text: str) -> None:
    with pytest.raises(InputError) as caught:
        Mac.parse(text)
    assert caught.value.code == "BadMac"
