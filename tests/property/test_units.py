"""Whatever the spelling: reading is idempotent, and what is written reads back the same."""

from contextlib import suppress

from hypothesis import given
from hypothesis import strategies as st

from imsys.kit.errors import InputError
from imsys.kit.units import Mac, Rate, RateLimit, format_duration, parse_duration

bps = st.integers(min_value=0, max_value=10**14) | st.integers(0, 10_000).map(lambda n: n * 1_000_000)
rates = st.builds(Rate, bps, bps)
FIFTY_YEARS_US = 50 * 366 * 86_400 * 1_000_000


@st.composite
def rate_limits(draw: st.DrawFn) -> RateLimit:
    rate = draw(rates)
    most = [half or 10**14 for half in rate]
    return RateLimit.of(
        rate,
        burst=draw(rates),
        threshold=draw(st.none() | rates),
        burst_time_s=draw(st.tuples(st.integers(0, 10**6), st.integers(0, 10**6))),
        priority=draw(st.integers(1, 8)),
        minimum=draw(st.none() | st.builds(Rate, st.integers(0, most[0]), st.integers(0, most[1]))),
    )


@given(rates)
def test_a_rate_reads_back_as_it_was_written(rate: Rate) -> None:
    assert Rate.parse(str(rate)) == rate
    assert Rate.parse(f"{rate.upload_bps}/{rate.download_bps}") == rate


@given(rate_limits())
def test_a_rate_limit_reads_back_as_it_was_written(limit: RateLimit) -> None:
    assert RateLimit.parse(limit.render()) == limit
    assert RateLimit.parse(limit.render()).render() == limit.render()


@given(st.integers(0, FIFTY_YEARS_US))
def test_a_duration_reads_back_as_it_was_written(microseconds: int) -> None:
    seconds = microseconds / 1_000_000
    assert parse_duration(format_duration(seconds)) == seconds


@given(st.integers(0, 10**9))
def test_a_duration_means_the_same_in_every_form(seconds: int) -> None:
    minutes, s = divmod(seconds, 60)
    hours, m = divmod(minutes, 60)
    days, h = divmod(hours, 24)
    forms = [
        f"{seconds}",
        f"{seconds}s",
        f"{hours}:{m:02}:{s:02}",
        f"{days}d{h:02}:{m:02}:{s:02}",
        f"{days}d{h}h{m}m{s}s",
    ]
    assert {parse_duration(form) for form in forms} == {float(seconds)}


@given(st.binary(min_size=6, max_size=6))
def test_a_mac_address_is_the_same_in_every_form(octets: bytes) -> None:
    forms = [octets.hex(":"), octets.hex("-").upper(), octets.hex(), octets.hex(".", 2)]
    (mac,) = {Mac.parse(form) for form in forms}
    assert Mac.parse(mac) == mac == octets.hex(":").upper()


@given(st.text(alphabet="0123456789kMGwdhmsu:/. -٣é", max_size=30))
def test_any_text_is_read_or_refused_as_bad_input(text: str) -> None:
    for parse in (Rate.parse, RateLimit.parse, parse_duration, Mac.parse):
        with suppress(InputError):
            parse(text)
