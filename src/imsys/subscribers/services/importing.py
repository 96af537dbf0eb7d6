"""Subscribers from a CSV file: all of them or none, and everything that is wrong in one go.

Three steps: read the lines (`subscribers.csvfile`), hold them against each other and the database, then COPY them.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from django.db import IntegrityError, connection, transaction
from django.utils import timezone

from imsys.conf.secrets import vault
from imsys.conf.sql import execute, fetch
from imsys.kit.errors import InputError
from imsys.kit.sheets import Problem
from imsys.network.errors import UnknownRouter
from imsys.network.models import Router
from imsys.network.wake import wake
from imsys.subscribers import csvfile
from imsys.subscribers.csvfile import Line
from imsys.subscribers.errors import UnknownPackage, address_taken, looks_like, mac_taken, subscriber_exists
from imsys.subscribers.models import Cause, Package, Service
from imsys.timeline import changes
from imsys.timeline.models import Change
from imsys.timeline.services import INSERT_EVENTS_OF_CHANGE
from imsys.vault.box import SUBSCRIBER_PASSWORD


@dataclass(frozen=True, slots=True)
class ImportReport:
    """How many subscribers were added (with `dry_run`: would be); with any error, none. Errors are (line, text).

    `change`: the number by which it can be undone. `expired`: of them, whose end of service has passed already.
    """

    added: int
    errors: list[Problem] = field(default_factory=list)
    change: int | None = None
    expired: int = 0


def import_rows(source: Path | bytes, *, dry_run: bool = False, actor: str) -> ImportReport:
    """Add the subscribers of a CSV file, or of its content.

    Columns: username, password, service, router, package, address, mac, suspended, expires_at, full_name, phone, email;
    the first line names those that are there, and username, router and package have to be.
    """
    content = csvfile.read(source) if isinstance(source, Path) else source
    lines, errors = csvfile.parse(content, zone=timezone.get_default_timezone(), now=timezone.now())
    try:
        with transaction.atomic():
            known = _Known(lines)
            errors += known.problems()
            if errors:
                return ImportReport(0, sorted(errors, key=lambda problem: problem[0]))
            change = _write(lines, known, actor) if lines and not dry_run else None
            expired = sum(line.expires_at is not None and line.expires_at <= timezone.now() for line in lines)
            return ImportReport(len(lines), change=change, expired=expired)
    except IntegrityError as exc:
        raise InputError(
            "While the file was read, somebody else added one of its subscribers; nothing was imported.",
            remedy="Run the import again.",
        ) from exc


class _Known:
    """What the database holds of the names, addresses and devices that a file mentions."""

    def __init__(self, lines: Sequence[Line]) -> None:
        self.lines = lines
        self.routers: dict[str, int] = dict(Router.objects.values_list("name", "pk"))
        self.packages: dict[str, int] = dict(Package.objects.values_list("name", "pk"))
        # every line answers for what stands before it, the database first
        self.usernames = self._usernames()
        self.folded = {username.lower(): username for username in self.usernames}
        self.addresses = self._addresses()
        self.macs = self._macs()

    def problems(self) -> list[Problem]:
        found: list[Problem] = []
        for line in self.lines:
            found += [(line.number, str(error)) for error in self._check(line)]
        return found

    def _check(self, line: Line) -> Iterable[InputError]:
        if line.router not in self.routers:
            yield UnknownRouter(line.router, self.routers)
        if line.package not in self.packages:
            yield UnknownPackage(line.package, self.packages)
        yield from self._check_username(line)
        yield from self._check_address(line)
        yield from self._check_mac(line)

    def _check_username(self, line: Line) -> Iterable[InputError]:
        before = self.usernames.get(line.username)
        alike = self.folded.get(line.username.lower())
        if before == 0:
            yield subscriber_exists(line.username)
        elif before is not None:
            yield InputError(f"The username {line.username!r} stands in line {before} already.")
        elif alike is not None:
            yield looks_like(line.username, alike)
        self.usernames.setdefault(line.username, line.number)
        self.folded.setdefault(line.username.lower(), line.username)

    def _check_address(self, line: Line) -> Iterable[InputError]:
        if line.address:
            other = self.addresses.setdefault((line.router, line.address), line.username)
            if other != line.username:
                yield address_taken(line.address, line.router, other)

    def _check_mac(self, line: Line) -> Iterable[InputError]:
        if line.mac and line.service != Service.PPPOE:
            other = self.macs.setdefault((line.router, line.mac), line.username)
            if other != line.username:
                yield mac_taken(line.mac, line.router, other)

    def _usernames(self) -> dict[str, int]:
        rows = fetch(
            "select username from subscribers_subscriber "
            "where lower(username) in (select lower(name) from unnest(%s::text[]) name)",
            [[line.username for line in self.lines]],
        )
        return {username: 0 for (username,) in rows}

    def _addresses(self) -> dict[tuple[str, str], str]:
        rows = fetch(
            "select r.name, s.address, s.username "
            "from subscribers_subscriber s join network_router r on r.id = s.router_id "
            "where s.address = any(%s::text[])",
            [[line.address for line in self.lines if line.address]],
        )
        return {(router, address): username for router, address, username in rows}

    def _macs(self) -> dict[tuple[str, str], str]:
        rows = fetch(
            "select r.name, s.mac, s.username "
            "from subscribers_subscriber s join network_router r on r.id = s.router_id "
            "where s.service <> 'pppoe' and s.mac = any(%s::text[])",
            [[line.mac for line in self.lines if line.mac and line.service != Service.PPPOE]],
        )
        return {(router, mac): username for router, mac, username in rows}


_COLUMNS = (
    "id, username, service, router_id, package_id, password_sealed, password_mac, address, mac, full_name, phone, "
    "email, expires_at, is_suspended"
)


def _write(lines: Sequence[Line], known: _Known, actor: str) -> int | None:
    """The number of the change that it is."""
    change_id = changes.next_id()
    sequence = "pg_get_serial_sequence('subscribers_subscriber', 'id')"
    ids = [row[0] for row in fetch(f"select nextval({sequence}) from generate_series(1, %s)", [len(lines)])]  # noqa: S608
    with (
        connection.cursor() as cursor,
        cursor.copy(f"copy subscribers_subscriber ({_COLUMNS}) from stdin") as copy,
    ):
        for pk, line in zip(ids, lines, strict=True):
            copy.write_row(_row(pk, line, known))
    execute(
        "insert into subscribers_syncstate (subscriber_id, router_id) "
        "select id, router_id from subscribers_subscriber where id = any(%s::bigint[]) order by id",
        [ids],
    )
    execute(
        "insert into subscribers_suspension (subscriber_id, cause, note, by) "
        "select id, %s, 'since it was imported', %s from subscribers_subscriber "
        "where id = any(%s::bigint[]) and is_suspended order by id",
        [Cause.OTHER.value, actor, ids],
    )
    execute(
        f"""
        {INSERT_EVENTS_OF_CHANGE}
        select %s, 'added', s.id, s.username, s.router_id, r.name, null,
            jsonb_build_object('package', p.name, 'service', s.service, 'address', s.address, 'mac', s.mac,
                'is_suspended', s.is_suspended),
            '', 'imported', %s
        from subscribers_subscriber s
        join network_router r on r.id = s.router_id join subscribers_package p on p.id = s.package_id
        where s.id = any(%s::bigint[]) order by s.id
        """,  # noqa: S608 - a constant of ours
        [actor, change_id, ids],
    )
    wake({known.routers[line.router] for line in lines})
    return changes.record(change_id, Change.What.IMPORT, count=len(lines), actor=actor)


def _row(pk: int, line: Line, known: _Known) -> tuple[object, ...]:
    sealed = mac = None
    if line.password:
        sealed = vault().seal(line.password, context=SUBSCRIBER_PASSWORD)
        mac = vault().fingerprint(line.password)
    return (
        pk,
        line.username,
        line.service,
        known.routers[line.router],
        known.packages[line.package],
        sealed,
        mac,
        line.address,
        line.mac,
        line.full_name,
        line.phone,
        line.email,
        line.expires_at,
        line.suspended,
    )
