"""The canonical form of each managed field: whatever a router prints, reading what we would send reads the same."""

from hypothesis import given
from hypothesis import strategies as st

from imsys.kit.units import RateLimit
from imsys.reconcile.kinds import KINDS, UNVERIFIABLE, Field
from imsys.reconcile.observed import near_doubles, table
from tests.unit.reconcile.rows import fingerprint

FIELDS = [(kind.menu, field) for kind in KINDS.values() for field in kind.fields]
words = st.text(st.characters(exclude_categories=("Cc", "Cs")), max_size=12)
SERVICES = ["", "any", "pppoe", "l2tp"]
PLACES = ["0.0.0.0", "::", "10.0.0.5", "010.0.0.5", "2001:DB8::5", "pool1"]
RATES = ["5M/10M", "5000k/10000k", "10M", "5M/10M 8M/16M 4M/8M 16/16", "0/0", "as typed by hand"]
printed = st.none() | words | st.sampled_from([*SERVICES, *PLACES, *RATES, "true", "yes", "no", "*****"])


@given(st.sampled_from(FIELDS), printed)
def test_reading_what_is_sent_gives_the_same_value(at: tuple[str, Field], text: str | None) -> None:
    _, field = at
    value = field.parse(text)
    if isinstance(value, str) and field.name == "rate-limit":
        return  # nobody's own package has it: it is only ever compared
    sent = field.render(value)
    assert field.parse(sent) == value
    assert field.render(field.parse(sent)) == sent


@given(st.sampled_from(FIELDS), printed, printed)
def test_equal_values_are_sent_alike(at: tuple[str, Field], one: str | None, other: str | None) -> None:
    _, field = at
    if field.parse(one) == field.parse(other) and not isinstance(field.parse(one), str | None):
        assert field.render(field.parse(one)) == field.render(field.parse(other))


@given(st.lists(words))
def test_near_doubles_are_all_keys_that_share_a_folded_form(keys: list[str]) -> None:
    unique = list(dict.fromkeys(keys))
    folded = [key.strip().casefold() for key in unique]
    assert set(near_doubles(unique)) == {
        key for key, fold in zip(unique, folded, strict=True) if folded.count(fold) > 1
    }


@given(st.lists(st.sampled_from(["", "*****", "one", "two"])))
def test_a_secret_becomes_a_fingerprint_or_unverifiable_and_never_stays_text(passwords: list[str]) -> None:
    kind = KINDS["/ppp/secret"]
    read = table(kind, [{".id": f"*{n}", "name": f"u{n}", "password": p} for n, p in enumerate(passwords)], fingerprint)
    for number, password in enumerate(passwords):
        value = read.rows[f"u{number}"].values["password"]
        assert value is UNVERIFIABLE if password == "*****" else value == (fingerprint(password) if password else b"")
    assert read.hides_secrets == ("*****" in passwords and not {"one", "two"} & set(passwords))


@given(st.sampled_from(["5M/10M", "5000k/10M", "5M/10M 0/0 0/0 0/0 8"]))
def test_rate_limits_are_compared_by_meaning(text: str) -> None:
    assert KINDS["/ppp/profile"].field("rate-limit").parse(text) == RateLimit.parse("5M/10M")
