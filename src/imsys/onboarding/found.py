"""The lines that people have on a router, as its rows tell: logins of PPPoE and hotspot, and queues for one address.

Pure. What is on the router and is no line (people's other queues, logins of other tunnels) is not listed, or is listed
with what keeps it from being adopted.
"""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace

from imsys.kit.addresses import canonical_address, networks
from imsys.kit.errors import InputError
from imsys.kit.units import Rate, RateLimit
from imsys.onboarding.reading import Reading
from imsys.reconcile.kinds import HOTSPOT_USER, LEASE, QUEUE, SECRET
from imsys.reconcile.kinds.base import is_disabled
from imsys.reconcile.kinds.hotspot_binding import mac
from imsys.reconcile.kinds.ppp_secret import HIDDEN, remote_address, service
from imsys.reconcile.kinds.rates import durations, rate
from imsys.reconcile.sessions import ACTIVE, HOTSPOT_ACTIVE
from imsys.routeros.protocol import Row
from imsys.subscribers.models import Service
from imsys.subscribers.validation import check_address, check_mac, check_text, check_username

MENU_OF = {Service.PPPOE: SECRET.menu, Service.STATIC: QUEUE.menu, Service.HOTSPOT: HOTSPOT_USER.menu}
NOUNS = {Service.PPPOE: "secret", Service.STATIC: "queue", Service.HOTSPOT: "hotspot user"}
DANGLING = re.compile(r"\*[0-9A-F]+")
CODE_PAGE = "cp1252"
LIMITS = ("limit-uptime", "limit-bytes-total")
NO_LIMIT = (None, "", "0", "0s")


@dataclass(frozen=True, slots=True)
class Found:
    """One line on the router. `profile` is of its login, `rate` of its queue.

    password: as the router shows it; None where it hides it. cut: how it is cut off there, empty when it is not.
    limits: of its own on the router, which a package has here. obstacle: why it cannot be adopted, empty when it can.
    """

    service: str
    username: str
    profile: str = ""
    rate: str = ""
    address: str = ""
    mac: str = ""
    password: str | None = field(default="", repr=False)
    is_disabled: bool = False
    is_online: bool = False
    cut: str = ""
    comment: str = ""
    limits: str = ""
    obstacle: str = ""

    @property
    def key(self) -> tuple[str, str]:
        return self.service, self.username


def find(reading: Reading) -> list[Found]:
    """In the order of the router's tables, services one after the other. Who is cut off by profile is not told here."""
    hidden = {menu: _hides(reading.rows(menu)) for menu in (SECRET.menu, HOTSPOT_USER.menu)}
    online = {row.get("name", "") for row in reading.tables.get(ACTIVE.menu, ())}
    lines = [_secret(row, hidden[SECRET.menu], online) for row in reading.rows(SECRET.menu) if row.get("name")]
    lines += _queues(reading, {line.address for line in lines if line.address})
    users = {row.get("user", "") for row in reading.tables.get(HOTSPOT_ACTIVE.menu, ())}
    lines += [
        _hotspot(row, hidden[HOTSPOT_USER.menu], users)
        for row in reading.rows(HOTSPOT_USER.menu)
        if row.get("name") and row.get("default") not in ("true", "yes")
    ]
    lists = {name: frozenset(addresses) for name, addresses in reading.lists.items()}
    return [_on_a_list(line, lists) for line in lines]


def readable(text: str) -> str:
    """A text of the router for people: UTF-8, or else what WinBox most often writes."""
    raw = text.encode("utf-8", "surrogateescape")
    try:
        return raw.decode()
    except UnicodeDecodeError:
        return raw.decode(CODE_PAGE, "replace")


def _hides(rows: Iterable[Row]) -> bool:
    """Does the router print placeholders instead of passwords? It does when none came in clear."""
    shown = {row["password"] for row in rows if row.get("password")}
    return shown == {HIDDEN}


def _secret(row: Row, hides: bool, online: set[str]) -> Found:
    line = Found(
        service=Service.PPPOE,
        username=row["name"],
        profile=row.get("profile") or "default",
        address=str(remote_address(row.get("remote-address"))),
        mac=_lock(row.get("caller-id", "")),
        password=None if hides else row.get("password", ""),
        is_disabled=is_disabled(row),
        is_online=row["name"] in online,
        cut="disabled" if is_disabled(row) else "",
        comment=readable(row.get("comment", "")),
    )
    return replace(line, obstacle=_login_obstacle(line) or _other_service(row) or _bad_address(line))


def _lock(caller_id: str) -> str:
    """A caller-id that is no MAC address in RouterOS's own spelling stays people's: as ours it would be rewritten."""
    try:
        return caller_id if check_mac(caller_id) == caller_id else ""
    except InputError:
        return ""


def _other_service(row: Row) -> str:
    return "" if service(row.get("service")) == "pppoe" else f"it is a login for {row['service']}"


def _hotspot(row: Row, hides: bool, online: set[str]) -> Found:
    line = Found(
        service=Service.HOTSPOT,
        username=row["name"],
        profile=row.get("profile") or "default",
        password=None if hides else row.get("password", ""),
        is_disabled=is_disabled(row),
        is_online=row["name"] in online,
        cut="disabled" if is_disabled(row) else "",
        comment=readable(row.get("comment", "")),
        limits=", ".join(f"{name} {row[name]}" for name in LIMITS if row.get(name) not in NO_LIMIT),
    )
    server = row.get("server") or "all"
    elsewhere = "" if server == "all" else f"it is for the hotspot {readable(server)} alone"
    return replace(line, obstacle=_login_obstacle(line) or elsewhere)


def _login_obstacle(line: Found) -> str:
    if DANGLING.fullmatch(line.profile):
        return f"its profile is gone: {line.profile}"
    return _bad_name(line.username) or _wrong(lambda: check_text("profile", line.profile))


def _bad_name(username: str) -> str:
    return _wrong(lambda: check_username(username, exact=True))


def _bad_address(line: Found) -> str:
    return _wrong(lambda: check_address(line.address))


def _wrong(check: Callable[[], object]) -> str:
    try:
        check()
    except InputError as error:
        return readable(error.message).rstrip(".")
    return ""


def _queues(reading: Reading, of_logins: set[str]) -> list[Found]:
    """Queues for one address each that is no login's; with the device that a static lease gives the address to."""
    leases = {canonical_address(row["address"]): row for row in reading.rows(LEASE.menu) if row.get("address")}
    bound = {
        canonical_address(row["address"])
        for row in reading.tables.get(LEASE.menu, ())
        if row.get("status") == "bound" and row.get("address")
    }
    lines = []
    for row in reading.rows(QUEUE.menu):
        address = host_of(row)
        if not address or address in of_logins or not row.get("name"):
            continue
        device = mac(leases[address].get("mac-address")) if address in leases else None
        line = Found(
            service=Service.STATIC,
            username=row["name"],
            rate=queue_rate(row),
            address=address,
            mac=device or "",
            is_disabled=is_disabled(row),
            is_online=address in bound,
            comment=readable(row.get("comment", "")),
        )
        lines.append(replace(line, obstacle=_bad_name(line.username) or _bad_address(line) or _bad_queue(line)))
    return lines


def _bad_queue(line: Found) -> str:
    if not line.rate:
        return "its speeds are none that a package can have"
    return "its queue is disabled, and would be enabled" if line.is_disabled else ""


def host_of(queue: Row) -> str:
    """The one IPv4 address that a queue is for; empty for a network, an interface or several."""
    targets = networks(queue.get("target", ""))
    if len(targets) != 1 or isinstance(targets[0], str) or targets[0].version != 4 or targets[0].prefixlen != 32:
        return ""
    return str(targets[0].network_address)


def queue_rate(row: Row) -> str:
    """A queue's speeds as a rate limit; empty where they cannot be said as one."""
    values = [rate(row.get(name)) for name in ("max-limit", "burst-limit", "burst-threshold", "limit-at")]
    times = str(durations(row.get("burst-time"))).split("/")
    priorities = (row.get("priority") or "8/8").split("/")
    if not all(isinstance(value, Rate) for value in values) or not all(time.isdecimal() for time in times):
        return ""
    limit, burst, threshold, least = (Rate(*value) for value in values)  # type: ignore[misc]
    try:
        return RateLimit.of(
            limit,
            burst=burst,
            threshold=threshold if any(threshold) else None,
            burst_time_s=(int(times[0]), int(times[-1])),
            priority=int(priorities[0]),
            minimum=least if any(least) else None,
        ).render()
    except (InputError, ValueError, StopIteration):
        return ""


def _on_a_list(line: Found, lists: Mapping[str, frozenset[str]]) -> Found:
    """A line with a fixed address may be cut off by a list that a rule drops."""
    if line.cut or not line.address:
        return line
    name = next((name for name, addresses in lists.items() if line.address in addresses), None)
    return line if name is None else replace(line, cut=f"on the list {readable(name)}")
