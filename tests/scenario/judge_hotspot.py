"""What must be so of hotspot lines on one router: logins, bindings, profiles, and who is let through."""

from collections import Counter
from collections.abc import Iterator
from typing import TYPE_CHECKING

from imsys.reconcile.kinds import BINDING as BINDING_KIND
from imsys.reconcile.kinds import HOTSPOT_PROFILE, HOTSPOT_USER
from tests.scenario.sites import BINDING
from tests.scenario.sites import HOTSPOT_PROFILE as PROFILES
from tests.scenario.sites import HOTSPOT_USER as USERS
from tests.scenario.story import OWNED, Wanted, holders

if TYPE_CHECKING:
    from tests.scenario.judge import Row, View

ACTIVE, COOKIE, HOST = "/ip/hotspot/active", "/ip/hotspot/cookie", "/ip/hotspot/host"
LIVE = (ACTIVE, COOKIE, HOST)
SECONDS = {"": 0, "1h": 3600, "30d": 30 * 86400}


def wrongs(view: "View") -> Iterator[str]:
    yield from _users(view)
    yield from _bindings(view)
    yield from _profiles(view)
    yield from _sessions(view)
    yield from _bypassed(view)


def _users(view: "View") -> Iterator[str]:
    rows = [row for row in view.static(USERS) if row.get("server") in (None, "all")]
    names = Counter(row["name"] for row in rows)
    yield from (f"login {n} is there {times} times" for n, times in names.items() if times > 1)
    by_name = {row["name"]: row for row in rows}
    lines = view.of("hotspot")
    for name, wanted in lines.items():
        if name in by_name:
            yield from (f"login {name}: {line}" for line in _user(view, wanted, by_name[name]))
        elif not view.tale.causes(wanted):
            yield f"{name} has no login"
    for name, row in by_name.items():
        if name not in lines and not view.is_theirs(USERS, row) and row.get("default") != "true":
            yield f"orphan login {name}"


def _user(view: "View", wanted: Wanted, row: "Row") -> Iterator[str]:
    get = {field.name: field.parse(row.get(field.name)) for field in HOTSPOT_USER.fields}
    sold = view.tale.sold[wanted.package]
    should = {
        "profile": view.tale.profile_of(wanted),
        "limit-uptime": SECONDS[sold.limit_uptime],
        "limit-bytes-total": sold.limit_bytes,
        "disabled": wanted.is_suspended,
        "password": wanted.password,
    }
    if not wanted.password:
        del should["password"]
    if view.tale.causes(wanted):
        del should["profile"]
    yield from (f"{name} is {get[name]!r}, not {value!r}" for name, value in should.items() if get[name] != value)


def _bindings(view: "View") -> Iterator[str]:
    rows = view.static(BINDING)
    lines = {wanted.mac: (name, wanted) for name, wanted in view.of("hotspot").items() if wanted.mac}
    for mac, (name, wanted) in lines.items():  # the first that is enabled decides
        enabled = [row for row in rows if BINDING_KIND.key_of(row) == mac and row.get("disabled") != "true"]
        should = [] if wanted.is_suspended else ["bypassed"]
        if [row.get("type", "regular") for row in enabled[:1]] != should:
            yield f"bindings of {name}: {enabled}"
        if not any(BINDING_KIND.key_of(row) == mac for row in rows):
            yield f"{name} has no binding"
    for row in rows:
        if BINDING_KIND.key_of(row) not in lines and not view.is_theirs(BINDING, row):
            yield f"orphan binding of {row.get('mac-address')}"


def _profiles(view: "View") -> Iterator[str]:
    rate, shared = HOTSPOT_PROFILE.field("rate-limit"), HOTSPOT_PROFILE.field("shared-users")
    there = {row["name"]: row for row in view.tables[PROFILES]}
    for package in OWNED:
        sold = view.tale.sold.get(package)
        is_used = any(wanted.package == package for wanted in view.of("hotspot").values())
        if sold is None:
            if package in there:
                yield f"orphan hotspot profile {package}"
        elif is_used and package not in there:
            yield f"hotspot profile {package} is missing"
        elif is_used:
            row = there[package]
            is_right = rate.parse(row.get("rate-limit")) == rate.parse(sold.rate_limit)
            if not is_right or shared.parse(row.get("shared-users")) != sold.shared_users:
                yield f"hotspot profile {package}: {row}, sold: {sold}"


def _sessions(view: "View") -> Iterator[str]:
    """Each login, and each cookie that would bring one back, is of somebody who may be online here."""
    by_name = {row["name"]: row for row in view.tables[USERS]}
    for menu in (ACTIVE, COOKIE):
        for row in view.tables[menu]:
            name = row["user"]
            own = by_name.get(name)
            if own is not None and view.is_theirs(USERS, own) and name not in view.of("hotspot"):
                continue
            if menu == COOKIE and own is None:
                continue  # it lets nobody in
            if not any(_may_be_online(view, wanted) for wanted in holders(view.tale, name)):
                yield f"{name} is in {menu}"


def _may_be_online(view: "View", wanted: Wanted) -> bool:
    return wanted.site == view.number and wanted.service == "hotspot" and not wanted.is_suspended


def _bypassed(view: "View") -> Iterator[str]:
    """Who passes without a login is somebody who paid for that."""
    paid = {w.mac for w in view.of("hotspot").values() if w.mac and not w.is_suspended}
    others = {row["mac-address"] for row in view.static(BINDING) if view.is_theirs(BINDING, row)}
    others -= {w.mac for w in view.of("hotspot").values()}
    for row in view.tables[HOST]:
        if row.get("bypassed") == "true" and row["mac-address"] not in paid | others:
            yield f"{row['mac-address']} is bypassed"
