"""What a router's rows suggest: which packages are sold, how lines are cut off. Guesses, with their grounds. Pure."""

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from imsys.kit.errors import InputError
from imsys.kit.units import RateLimit
from imsys.onboarding.found import Found, readable
from imsys.onboarding.reading import Reading
from imsys.reconcile.kinds import HOTSPOT_PROFILE, PROFILE
from imsys.subscribers.models import Service

CUT_WORDS = re.compile(
    r"suspen|moros|block|bloq|\bcort|cut[- _]?off|expire|vencid|impag|unpaid|no[- _]?pay|debt|deud|garden|disabled",
    re.IGNORECASE,
)
LOW_BPS = 256_000
FEWEST = 3
MOSTLY = 0.8


@dataclass(frozen=True, slots=True)
class PackageGuess:
    """`profile`: one that people own on the router; empty for a queue's speed."""

    name: str
    profile: str = ""
    rate: str = ""
    services: tuple[str, ...] = ()
    lines: int = 0


@dataclass(frozen=True, slots=True)
class Way:
    """A way in which lines may be cut off. `is_clear`: a person looking at it would hardly doubt it."""

    by: str
    name: str
    lines: int
    grounds: str
    is_clear: bool = False


@dataclass(frozen=True, slots=True)
class Suspension:
    ways: list[Way] = field(default_factory=list)

    @property
    def likely(self) -> Way | None:
        clear = [way for way in self.ways if way.is_clear and way.lines]
        return max(clear, key=lambda way: way.lines, default=None)

    @property
    def profiles(self) -> set[str]:
        return {way.name for way in self.ways if way.by == "profile" and way.is_clear}


def guess_suspension(reading: Reading, lines: Sequence[Found]) -> Suspension:
    ways = [*_profiles(reading, lines), *_lists(reading, lines)]
    disabled = sum(line.is_disabled for line in lines if line.service != Service.STATIC)
    ways.append(Way("disable", "", disabled, f"{disabled} logins are disabled", is_clear=True))
    return Suspension(sorted(ways, key=lambda way: (-way.is_clear, -way.lines)))


def _profiles(reading: Reading, lines: Iterable[Found]) -> Iterable[Way]:
    secrets = [line for line in lines if line.service == Service.PPPOE]
    used, disabled = Counter(line.profile for line in secrets), Counter(s.profile for s in secrets if s.is_disabled)
    for name, row in reading.named(PROFILE.menu).items():
        off = disabled[name] >= FEWEST and disabled[name] >= MOSTLY * used[name]
        grounds = [
            *(["its name says so"] if CUT_WORDS.search(readable(name)) else []),
            *([f"{disabled[name]} of its {used[name]} logins are disabled"] if off else []),
            *([f"it is slow: {row['rate-limit']}"] if _is_slow(row.get("rate-limit", "")) else []),
        ]
        if grounds:
            is_clear = bool(CUT_WORDS.search(readable(name))) or (off and len(grounds) > 1)
            yield Way("profile", name, used[name], "; ".join(grounds), is_clear)


def _is_slow(rate_limit: str) -> bool:
    try:
        rate = RateLimit.parse(rate_limit).rate
    except InputError:
        return False
    return 0 < max(rate) <= LOW_BPS


def _lists(reading: Reading, lines: Iterable[Found]) -> Iterable[Way]:
    addresses = {line.address for line in lines if line.address}
    for name, listed in reading.lists.items():
        concerned = len(addresses & set(listed))
        grounds = f"a rule drops it, and {concerned} of its {len(listed)} addresses are of lines here"
        yield Way("address-list", name, concerned, grounds, bool(concerned) or bool(CUT_WORDS.search(name)))


def cut_by_profile(line: Found, suspension: Suspension) -> Found:
    if line.cut or line.service != Service.PPPOE or line.profile not in suspension.profiles:
        return line
    return replace(line, cut=f"in the profile {readable(line.profile)}")


def guess_packages(reading: Reading, lines: Iterable[Found]) -> dict[tuple[str, str], PackageGuess]:
    """By (profile, "") of logins and ("", rate) of queues. No two have one name."""
    wanted: dict[tuple[str, str], dict[str, int]] = {}
    for line in lines:
        if line.obstacle or line.cut.startswith("in the profile"):
            continue
        services = wanted.setdefault((line.profile, line.rate), {})
        services[line.service] = services.get(line.service, 0) + 1
    rates = _rates(reading)
    guesses: dict[tuple[str, str], PackageGuess] = {}
    names: set[str] = set()
    for (profile, rate), services in sorted(wanted.items(), key=lambda item: item[0]):
        name = _free(profile.strip() or _speed_name(rate), names)
        shown = rate or rates.get(profile, "")
        guesses[profile, rate] = PackageGuess(name, profile, shown, tuple(services), sum(services.values()))
    return guesses


def _rates(reading: Reading) -> Mapping[str, str]:
    """The speed of each profile, as its menu says; only what can be read as one."""
    found: dict[str, str] = {}
    for menu in (HOTSPOT_PROFILE.menu, PROFILE.menu):
        for name, row in reading.named(menu).items():
            try:
                RateLimit.parse(row.get("rate-limit", ""))
            except InputError:
                continue
            found[name] = row["rate-limit"]
    return found


def _speed_name(rate: str) -> str:
    """`10M/10M`, and more only where there is more to a speed."""
    return rate or "unknown speed"


def _free(name: str, names: set[str]) -> str:
    number, free = 1, name
    while free in names:
        number += 1
        free = f"{name} ({number})"
    names.add(free)
    return free
