"""What must be so of PPPoE lines on one router: secrets, profiles and sessions."""

from collections import Counter
from collections.abc import Iterator
from typing import TYPE_CHECKING

from imsys.reconcile.kinds import PROFILE, SECRET
from tests.scenario.sites import PPP_PROFILE
from tests.scenario.sites import SECRET as SECRETS
from tests.scenario.story import MACS, OWNED, REFUSED, WALLED, Wanted, holders

if TYPE_CHECKING:
    from tests.scenario.judge import Row, View

ACTIVE = "/ppp/active"
LIVE = (ACTIVE,)


def wrongs(view: "View") -> Iterator[str]:
    yield from _secrets(view)
    yield from _profiles(view)
    yield from _sessions(view)


def _secrets(view: "View") -> Iterator[str]:
    rows = view.tables[SECRETS]
    names = Counter(row["name"] for row in rows)
    yield from (f"{n} is there {times} times" for n, times in names.items() if times > 1)
    by_name = {row["name"]: row for row in rows}
    lines = view.of("pppoe")
    for name, wanted in lines.items():
        if name in by_name:
            yield from (f"{name}: {line}" for line in _secret(view, wanted, by_name[name]))
        elif not view.tale.causes(wanted):
            yield f"{name} has no secret"
    for name, row in by_name.items():
        if name not in lines and not view.is_theirs(SECRETS, row) and not view.is_stuck(name):
            yield f"orphan secret {name}"


def _secret(view: "View", wanted: Wanted, row: "Row") -> Iterator[str]:
    way = view.tale.way(wanted) if wanted.is_suspended else ""
    get = {field.name: field.parse(row.get(field.name)) for field in SECRET.fields}
    should = {
        "service": "pppoe",
        "profile": WALLED if way == "profile" else view.tale.profile_of(wanted),
        "remote-address": wanted.address,
        "disabled": way == "disable",
        "password": wanted.password,
        "caller-id": wanted.mac,
    }
    causes = view.tale.causes(wanted)
    if wanted.address == REFUSED:  # a row's changes are one command, and that is refused
        should = {"disabled": True} if should["disabled"] else {}
    elif causes:
        del should["profile"]
    if not wanted.password:
        should.pop("password", None)
    if not wanted.mac and should.pop("caller-id", None) is not None and get["caller-id"] in MACS:
        yield f"still locked to {row['caller-id']}"
    yield from (f"{name} is {get[name]!r}, not {value!r}" for name, value in should.items() if get[name] != value)


def _profiles(view: "View") -> Iterator[str]:
    rate = PROFILE.field("rate-limit")
    rows = view.tables[PPP_PROFILE]
    there = {row["name"]: rate.parse(row.get("rate-limit")) for row in rows}
    assert len(there) == len(rows)
    stuck = {name for name, wanted in view.of("pppoe").items() if wanted.address == REFUSED}
    held_on_to = {row.get("profile") for row in view.tables[SECRETS] if row["name"] in stuck}
    for package in OWNED:
        sold = view.tale.sold.get(package)
        is_used = any(wanted.package == package for wanted in view.of("pppoe").values())
        if sold is None:
            if package in there and package not in held_on_to:  # a row that can't be changed still names it
                yield f"orphan profile {package}"
        elif is_used and package not in there:
            yield f"profile {package} is missing"
        elif is_used and there[package] != rate.parse(sold.rate_limit):
            yield f"profile {package} says {there[package]!r}, not {sold.rate_limit}"


def _sessions(view: "View") -> Iterator[str]:
    """Each is of somebody who may be online here, and who is not online on the other router by the same right."""
    profiles, router = view.site.router.table(PPP_PROFILE), view.site.router
    by_name = {row["name"]: row for row in view.tables[SECRETS]}
    for row_id, session in router.ppp.sessions.items():
        row = by_name.get(session.name)
        if row is not None and view.is_theirs(SECRETS, row) and session.name not in view.of("pppoe"):
            continue
        profile = profiles.name_of(session.profile_id)
        address = router.table(ACTIVE).find(**{"name": session.name})
        why = [
            _why_not(view, session.name, wanted, profile, (address or {}).get("address", ""))
            for wanted in holders(view.tale, session.name)
        ]
        if all(why):
            yield f"{session.name} is online (*{row_id:X}): {why or 'nobody has that name'}"


def _why_not(view: "View", name: str, wanted: Wanted, profile: str | None, address: str) -> str:
    """Why a session must not be; empty when it may."""
    if wanted.site != view.number or wanted.service != "pppoe":
        return "it is none of this router's PPPoE lines"
    if not wanted.is_suspended:
        return ""
    way = view.tale.way(wanted)
    if way == "disable":
        return "it is suspended"
    if way == "profile":
        return "" if profile == WALLED or name in view.site.misled else f"it is suspended, and online as {profile}"
    if wanted.address == REFUSED:  # no list takes such an address
        return ""
    return f"it is suspended, and {address} passes" if view.site.router.firewall.passes(address) else ""
