"""What on a router contradicts itself, for a person to settle before lines are adopted. Pure."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from imsys.kit.addresses import canonical_address
from imsys.kit.errors import InputError
from imsys.kit.units import RateLimit
from imsys.onboarding.found import DANGLING, Found, host_of, queue_rate, readable
from imsys.onboarding.reading import Reading
from imsys.reconcile.kinds import LEASE, QUEUE, SECRET
from imsys.reconcile.kinds.base import is_disabled
from imsys.reconcile.kinds.hotspot_binding import mac
from imsys.reconcile.kinds.ppp_secret import remote_address


@dataclass(frozen=True, slots=True)
class Conflict:
    """`kind` is for scripts: same-name, alike, blank, same-address, same-device, disagree, profile-gone, not-utf8."""

    kind: str
    text: str
    names: tuple[str, ...]


def conflicts(reading: Reading, lines: Sequence[Found]) -> list[Conflict]:
    return [
        *_same_name(lines),
        *_alike(lines),
        *_blanks(lines),
        *_not_utf8(lines),
        *_same_address(reading),
        *_same_device(lines),
        *_disagreeing(reading),
        *_profile_gone(lines),
    ]


def _groups(lines: Iterable[Found], by: Callable[[Found], object]) -> list[list[Found]]:
    groups: dict[object, list[Found]] = {}
    for line in lines:
        if (mark := by(line)) is not None:
            groups.setdefault(mark, []).append(line)
    return [group for group in groups.values() if len(group) > 1]


def _names(lines: Iterable[Found]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(readable(line.username) for line in lines))


def _same_name(lines: Sequence[Found]) -> Iterable[Conflict]:
    for group in _groups(lines, lambda line: line.username):
        where = " and ".join(f"a {line.service} line" for line in group)
        yield Conflict("same-name", f"{readable(group[0].username)!r} is {where}", _names(group))


def folded(username: str) -> str:
    return readable(username).strip().casefold()


def _alike(lines: Sequence[Found]) -> Iterable[Conflict]:
    for group in _groups(lines, lambda line: folded(line.username)):
        if len({line.username for line in group}) > 1:
            names = _names(group)
            shown = " and ".join(map(repr, names))
            yield Conflict("alike", f"{shown} differ by case or blanks alone", names)


def _blanks(lines: Sequence[Found]) -> Iterable[Conflict]:
    for line in lines:
        if line.username != line.username.strip():
            yield Conflict("blank", f"{readable(line.username)!r} begins or ends with a blank", _names([line]))


def _not_utf8(lines: Sequence[Found]) -> Iterable[Conflict]:
    for line in lines:
        if not line.username.isascii() and line.username != readable(line.username):
            yield Conflict("not-utf8", f"{readable(line.username)!r} is not UTF-8 on the router", _names([line]))


def _same_address(reading: Reading) -> Iterable[Conflict]:
    """Two logins or two queues for one address; a login and the queue of its own address are no conflict."""
    secrets = ((str(remote_address(row.get("remote-address"))), row) for row in reading.rows(SECRET.menu))
    queues = ((host_of(row), row) for row in reading.rows(QUEUE.menu))
    for noun, found in (("logins", secrets), ("queues", queues)):
        groups: dict[str, list[str]] = {}
        for address, row in found:
            if address:
                groups.setdefault(address, []).append(readable(row.get("name", "")))
        for address, names in groups.items():
            if len(names) > 1:
                text = f"{address} is of {len(names)} {noun}: {', '.join(map(repr, names))}"
                yield Conflict("same-address", text, tuple(names))


def _same_device(lines: Sequence[Found]) -> Iterable[Conflict]:
    devices = [line for line in lines if line.service == "static" and line.mac]
    for group in _groups(devices, lambda line: line.mac):
        yield Conflict("same-device", f"{group[0].mac} is of {len(group)} static lines", _names(group))


def _disagreeing(reading: Reading) -> Iterable[Conflict]:
    """A lease and a queue of one address that say different speeds, or of which one alone is disabled."""
    queues = {host_of(row): row for row in reversed(reading.rows(QUEUE.menu))}
    for lease in reading.rows(LEASE.menu):
        address = canonical_address(lease.get("address", ""))
        queue = queues.get(address)
        if not address or queue is None:
            continue
        name = readable(queue.get("name", ""))
        if _speed(lease.get("rate-limit", "")) not in (None, _speed(queue_rate(queue))):
            text = f"the lease of {address} says {lease['rate-limit']}, the queue {name!r} {queue.get('max-limit', '')}"
            yield Conflict("disagree", text, (name,))
        if is_disabled(lease) != is_disabled(queue):
            off = "lease" if is_disabled(lease) else "queue"
            device = mac(lease.get("mac-address")) or "no device"
            yield Conflict("disagree", f"of {address} ({device}) the {off} is disabled, the other is not", (name,))


def _speed(text: str) -> RateLimit | None:
    try:
        return RateLimit.parse(text)
    except InputError:
        return None


def _profile_gone(lines: Sequence[Found]) -> Iterable[Conflict]:
    gone: dict[str, list[Found]] = {}
    for line in lines:
        if DANGLING.fullmatch(line.profile):
            gone.setdefault(line.profile, []).append(line)
    for profile, group in gone.items():
        text = f"{len(group)} lines have a profile that was removed, {profile}"
        yield Conflict("profile-gone", text, _names(group))
