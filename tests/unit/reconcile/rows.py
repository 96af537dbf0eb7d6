"""Makes the plain values that the tests of `reconcile` are about: intent, printed rows, and plans from the two."""

from collections.abc import Iterable, Mapping
from hashlib import blake2b

from imsys.reconcile.batch import batches
from imsys.reconcile.intent import Ghost, Intent, PackageIntent, RouterIntent, SubscriberIntent
from imsys.reconcile.kinds import KINDS, PROFILE, SECRET, Value
from imsys.reconcile.observed import Table, table
from imsys.reconcile.plan import Plan, make_plan

Row = dict[str, str]
Place = tuple[str, str]
HOME = PackageIntent(1, profile="home", is_owned=True, rate_limit="5M/10M")
HOME_ROW: Row = {".id": "*1", "name": "home", "rate-limit": "5M/10M"}


def fingerprint(text: str) -> bytes:
    return blake2b(text.encode("utf-8", "surrogateescape")).digest()


def subscriber(
    username: str = "ann", *, subscriber_id: int = 1, is_newer: bool = False, **more: object
) -> SubscriberIntent:
    values: dict[str, object] = {"package_id": 1, "generation": 2 if is_newer else 1, "applied_generation": 1}
    return SubscriberIntent(subscriber_id=subscriber_id, username=username, **{**values, **more})  # type: ignore[arg-type]


def intent(
    *subscribers: SubscriberIntent,
    packages: Iterable[PackageIntent] = (HOME,),
    router: RouterIntent = RouterIntent(1),  # noqa: B008 - frozen
    ghosts: Iterable[Ghost] = (),
    placed: Mapping[int, Iterable[Place]] = {},
    shared: Iterable[Place] = (),
) -> Intent:
    """An intent that says of the router's list what the loader says: it is needed where somebody can be put on it."""
    return Intent(
        router,
        {package.package_id: package for package in packages},
        subscribers,
        tuple(ghosts),
        placed={subscriber_id: frozenset(places) for subscriber_id, places in placed.items()},
        shared=tuple(shared),
        uses_list=any(s.service == "static" for s in subscribers) or router.suspend_by == "address-list",
    )


def secret(name: str = "ann", **more: str) -> Row:
    """A row of /ppp/secret as RouterOS 7 prints it, with much that is not ours."""
    return {
        ".id": "*A", "name": name, "service": "pppoe", "caller-id": "", "password": "", "profile": "home", "routes": "",
        "limit-bytes-in": "0", "last-logged-out": "2026-01-01 00:00:00", "disabled": "false", **printed(more),
    }  # fmt: skip


def printed(fields: Mapping[str, str]) -> Row:
    """Field names as RouterOS writes them."""
    return {field.replace("_", "-"): text for field, text in fields.items()}


def observed(
    *secrets: Row, profiles: Iterable[Row] = (HOME_ROW,), is_full: bool = True, kinds: Iterable[str] | None = None
) -> dict[str, Table]:
    """What was read of PPP alone."""
    tables = {
        PROFILE.menu: table(PROFILE, list(profiles), fingerprint),
        SECRET.menu: table(SECRET, secrets, fingerprint, is_full=is_full),
    }
    return {menu: tables[menu] for menu in (tables if kinds is None else kinds)}


def tables_of(rows: Mapping[str, Iterable[Row]]) -> dict[str, Table]:
    """Every menu, read from end to end; those that `rows` does not name are empty."""
    return {menu: table(kind, list(rows.get(menu, ())), fingerprint) for menu, kind in KINDS.items()}


def plan(asked: Intent, *secrets: Row, is_settled: bool = True, **more: object) -> Plan:
    return make_plan(asked, observed(*secrets, **more), is_settled=is_settled)  # type: ignore[arg-type]


def plan_on(asked: Intent, rows: Mapping[str, Iterable[Row]], *, is_settled: bool = True) -> Plan:
    return make_plan(asked, tables_of(rows), is_settled=is_settled)


def actions(made: Plan) -> list[tuple[str, str, str]]:
    return [(step.action, step.menu, step.key) for step in made.steps]


def changes(made: Plan) -> Mapping[str, Value]:
    """Of the one step that there must be."""
    (step,) = made.steps
    return step.changes


def sent(made: Plan) -> dict[str, str | None]:
    """The texts that the one command of a plan carries; None clears."""
    (batch,) = batches(made.steps)
    kind = KINDS[batch.menu]
    return {name: kind.field(name).render(value) for name, value in batch.steps[0].changes.items()}


def queue(name: str = "ann", target: str = "10.0.0.5/32", **more: str) -> Row:
    """A row of /queue/simple as RouterOS 7 prints it, right for somebody with the package HOME."""
    return {
        ".id": "*B", "name": name, "target": target, "parent": "none", "packet-marks": "", "priority": "8/8",
        "queue": "default-small/default-small", "limit-at": "0/0", "max-limit": "5000000/10000000",
        "burst-limit": "0/0", "burst-threshold": "0/0", "burst-time": "0s/0s", "bucket-size": "0.1/0.1",
        "bytes": "1024/4096", "rate": "0bps/0bps", "dynamic": "false", "disabled": "false", **printed(more),
    }  # fmt: skip


def lease(address: str = "10.0.0.5", mac: str = "00:0C:42:1A:2B:3C", **more: str) -> Row:
    """A row of /ip/dhcp-server/lease as RouterOS 7 prints it."""
    return {
        ".id": "*C", "address": address, "mac-address": mac, "address-lists": "", "dhcp-option": "",
        "status": "waiting", "last-seen": "never", "radius": "false", "dynamic": "false", "blocked": "false",
        "disabled": "false", **printed(more),
    }  # fmt: skip


def entry(address: str = "10.0.0.5", name: str = "BLOCKED_USERS", **more: str) -> Row:
    """A row of /ip/firewall/address-list as RouterOS 7 prints it."""
    row = {".id": "*D", "list": name, "address": address, "creation-time": "2026-01-01 00:00:00", "dynamic": "false"}
    return {**row, "disabled": "false", **printed(more)}


def drop_rule(name: str = "BLOCKED_USERS", **more: str) -> Row:
    """A row of /ip/firewall/filter, of which RouterOS prints what was set and no more."""
    return {".id": "*E", "chain": "forward", "action": "drop", "src-address-list": name, **printed(more)}


def hotspot_user(name: str = "ann", **more: str) -> Row:
    """A row of /ip/hotspot/user as RouterOS 7 prints it; without a limit it has none."""
    return {
        ".id": "*10", "name": name, "profile": "home", "uptime": "1h2m", "bytes-in": "1", "bytes-out": "2",
        "dynamic": "false", "disabled": "false", **printed(more),
    }  # fmt: skip


def binding(mac: str = "00:0C:42:1A:2B:3C", **more: str) -> Row:
    return {".id": "*11", "mac-address": mac, "type": "bypassed", "disabled": "false", **printed(more)}
