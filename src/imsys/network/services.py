"""The only door through which routers change.

A change that concerns subscribers comes through `subscribers.services.set_router`, which calls `edit_router` here and
bumps whom it concerns: this app is below theirs and knows nothing of them.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, TypedDict, Unpack

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.db.models import ProtectedError
from django.utils.timezone import localtime

from imsys.conf.secrets import vault
from imsys.conf.sql import execute
from imsys.kit.addresses import is_ipv6
from imsys.kit.errors import InputError
from imsys.network import selectors
from imsys.network.brakes import kept_caps, kept_window
from imsys.network.errors import RouterInUse
from imsys.network.models import (
    DEFAULT_KICKS_PER_S,
    DEFAULT_PACE_PER_S,
    DEFAULT_SUSPEND_LIST,
    Freeze,
    Mode,
    Router,
    RouterState,
    SuspendBy,
    Tls,
    Unmanaged,
)
from imsys.network.wake import wake
from imsys.timeline import holds
from imsys.timeline import services as timeline
from imsys.vault.box import ROUTER_PASSWORD

_FINGERPRINT = re.compile(r"[0-9a-fA-F]{64}")


class RouterChanges(TypedDict, total=False):
    """What may be changed of a router. A field that is not given stays.

    A window keeps its zone; the first one has the ISP's when none is given; a blank window is always open. `caps` has
    the kinds to change alone, None for the default.
    """

    host: str
    port: int
    username: str
    password: str
    tls: str
    tls_fingerprint: str
    mode: str
    suspend_by: str
    suspend_profile: str
    suspend_list: str
    unmanaged: str
    pace_per_s: int
    kicks_per_s: int
    window: str
    window_zone: str
    caps: Mapping[str, int | None]


@dataclass(frozen=True, slots=True)
class RouterEdit:
    """A router after an edit, and the fields that were really changed."""

    router: Router
    changed: frozenset[str]


@transaction.atomic
def add_router(
    *,
    name: str,
    host: str,
    port: int = 8728,
    username: str,
    password: str,
    tls: str = Tls.OFF,
    tls_fingerprint: str = "",
    mode: str = Mode.OBSERVE,
    suspend_by: str = SuspendBy.DISABLE,
    suspend_profile: str = "suspended",
    suspend_list: str = DEFAULT_SUSPEND_LIST,
    unmanaged: str = Unmanaged.KEEP,
    pace_per_s: int = DEFAULT_PACE_PER_S,
    kicks_per_s: int = DEFAULT_KICKS_PER_S,
    window: str = "",
    window_zone: str = "",
    caps: Mapping[str, int | None] | None = None,
    actor: str,
) -> Router:
    if Router.objects.filter(name=name).exists():
        raise _name_taken(name)
    router = Router(
        name=name,
        host=host,
        port=port,
        username=username,
        password_sealed=vault().seal(password, context=ROUTER_PASSWORD),
        tls=tls,
        tls_fingerprint=tls_fingerprint,
        mode=mode,
        suspend_by=suspend_by,
        suspend_profile=suspend_profile,
        suspend_list=suspend_list,
        unmanaged=unmanaged,
        pace_per_s=pace_per_s,
        kicks_per_s=kicks_per_s,
        caps=kept_caps({}, caps or {}),
        **kept_window(window, window_zone, default_zone=settings.TIME_ZONE),
    )
    _save(router)
    RouterState.objects.create(router=router)
    after = {"host": host, "port": port, "mode": mode}
    timeline.record("router-added", actor=actor, router_id=router.pk, router=name, after=after)
    wake([router.pk])
    return router


@transaction.atomic
def edit_router(name: str, *, actor: str, **changes: Unpack[RouterChanges]) -> RouterEdit:
    """Change the router's own row. For `subscribers.services.set_router` alone, which has it read anew afterwards."""
    router = Router.objects.select_for_update(no_key=True).get(pk=selectors.get_router(name).pk)
    before, after = _apply(router, {**changes, **_kept_brakes(router, changes)})
    if not after:
        return RouterEdit(router, frozenset())
    _save(router)
    timeline.record("router-changed", actor=actor, router_id=router.pk, router=router.name, before=before, after=after)
    return RouterEdit(router, frozenset(after))


@transaction.atomic
def read_anew(router_id: int) -> None:
    """It was changed: have it read from end to end. New credentials end the wait that the old ones earned.

    Sync states are locked before router states, by services and keepers alike: this comes after any bump.
    """
    _update_states("resync_asked_at = now(), resync_due_at = now(), next_attempt_at = now(), failures = 0", [router_id])
    wake([router_id])


@transaction.atomic
def remove_router(name: str, *, forget: bool = False, actor: str) -> int:
    """The number of placements written off. Refuses while subscribers remain, and while placements do unless `forget`.

    A placement is a row that we put on the router; written off, it stays there and nobody knows it any more. Whoever
    moved away may have such rows there too.
    """
    router = Router.objects.select_for_update().get(pk=selectors.get_router(name).pk)
    placements: int = router.placement_set.filter(gone_at=None).count()
    if not forget and not router.subscribers.exists():
        _check_empty(router, placements)
    try:
        router_id = router.pk
        router.delete()
    except ProtectedError as exc:
        raise RouterInUse(
            f"The router {name!r} still has {router.subscribers.count()} subscribers.",
            remedy=f"Remove or move them first; see them with: imsys subscriber list --router {name}",
        ) from exc
    holds.forget_router(router_id)
    note = f"{placements} placements written off" if placements else ""
    timeline.record("router-removed", actor=actor, router_id=router_id, router=name, note=note)
    wake([router_id])
    return placements


def _check_empty(router: Router, placements: int) -> None:
    left = router.departures.count()
    if not placements and not left:
        return
    raise RouterInUse(
        f"IMSys still has {placements} rows on the router {router.name!r}."
        if placements
        else f"{left} subscribers who left the router {router.name!r} may still have rows there.",
        remedy=f"Let them be removed (imsys sync --router {router.name}), or leave them there: "
        f"imsys router remove {router.name} --forget",
    )


@transaction.atomic
def freeze(reason: str, *, actor: str) -> Freeze:
    """From now on nothing is written to any router. Raises: InputError, which says who froze it already, and why."""
    reason = reason.strip()
    if not reason or not reason.isprintable():
        raise InputError(
            "The reason for the freeze is empty or holds a control character.",
            remedy="Say in one line what everybody should know.",
        )
    row, is_new = Freeze.objects.get_or_create(is_one=True, defaults={"reason": reason, "by": actor})
    if not is_new:
        raise InputError(
            f"{row.by} has frozen the routers already, on {localtime(row.since):%Y-%m-%d %H:%M %Z}: {row.reason}",
            remedy="To freeze them for another reason, thaw first: imsys thaw",
        )
    timeline.record("frozen", actor=actor, note=reason)
    wake(None)
    return row


@transaction.atomic
def thaw(*, actor: str) -> int:
    """End the freeze: the number of routers, all of which are to be read now. Raises: InputError when none stands."""
    row = Freeze.objects.select_for_update().first()
    if row is None:
        raise InputError("The routers are not frozen.", remedy="Nothing is to be done; see: imsys status")
    row.delete()
    timeline.record("thawed", actor=actor, before={"by": row.by, "since": row.since.isoformat()}, note=row.reason)
    return ask_resync(None)


@transaction.atomic
def ask_resync(router_ids: Iterable[int] | None) -> int:
    """Have everything of these routers (None: all) read now; the number of routers asked for."""
    asked = _update_states(
        "resync_asked_at = now(), resync_due_at = least(resync_due_at, now()), next_attempt_at = now()", router_ids
    )
    wake(router_ids)
    return asked


@transaction.atomic
def take_serial(router_id: int, serial: str) -> None:
    """A person says that the router of this serial number is the one that stands there by now."""
    execute("update network_routerstate set serial = %s where router_id = %s", [serial, router_id])


@transaction.atomic
def ask_attempt(router_ids: Iterable[int] | None) -> int:
    """Have these routers (None: all) tried now, whatever backoff they are in; the number of routers asked for."""
    asked = _update_states("next_attempt_at = now()", router_ids)
    wake(router_ids)
    return asked


def _update_states(assignments: str, router_ids: Iterable[int] | None) -> int:
    """In key order, so that two of these never wait for each other."""
    return execute(
        f"""
        with asked as materialized (
            select router_id from network_routerstate
            where %(ids)s::bigint[] is null or router_id = any(%(ids)s::bigint[])
            order by router_id for update
        )
        update network_routerstate s set {assignments} from asked where s.router_id = asked.router_id
        """,  # noqa: S608 - the assignments are those above
        {"ids": None if router_ids is None else sorted(set(router_ids))},
    )


def _kept_brakes(router: Router, changes: RouterChanges) -> dict[str, Any]:
    """What `changes` makes of the window and the caps. Raises: InputError."""
    kept: dict[str, Any] = {}
    if "window" in changes or "window_zone" in changes:
        window = changes.get("window", router.window)
        stays = router.window_zone if window.strip() else ""
        kept |= kept_window(window, changes.get("window_zone", stays), default_zone=settings.TIME_ZONE)
    if "caps" in changes:
        kept["caps"] = kept_caps(router.caps, changes["caps"])
    return kept


def _apply(router: Router, changes: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Set what differs; what it was and what it is, without the password itself."""
    before: dict[str, Any] = {}
    after: dict[str, Any] = {}
    for field, value in changes.items():
        if field not in RouterChanges.__annotations__:
            raise TypeError(f"a router has no {field!r} to change")
        if field == "password":
            if value != selectors.open_password(router):
                router.password_sealed = vault().seal(str(value), context=ROUTER_PASSWORD)
                after[field] = "changed"
        elif value != (old := getattr(router, field)):
            before[field], after[field] = old, value
            setattr(router, field, value)
    return before, after


def _save(router: Router) -> None:
    """Save it whole and valid. Raises: InputError with the first thing that is wrong."""
    router.host = router.host.strip()
    if router.tls == Tls.PIN and not router.tls_fingerprint:
        raise InputError(
            "A pinned certificate needs its fingerprint.", remedy="Give --tls-fingerprint, or choose another --tls."
        )
    _check_text(router)
    try:
        router.clean_fields()
        with transaction.atomic():
            router.save()
    except ValidationError as exc:
        field, messages = next(iter(exc.message_dict.items()))
        raise InputError(f"The router's {field.replace('_', ' ')} is not usable: {messages[0]}") from exc
    except IntegrityError as exc:
        if "router_name" in str(exc):  # somebody else was faster
            raise _name_taken(router.name) from exc
        raise InputError(
            f"The router {router.name!r} has a value out of range.",
            remedy="A pace is 1 to 10000 commands per second, and 1 to 1000 kicks.",
        ) from exc


def _check_text(router: Router) -> None:
    for field in ("name", "host", "username", "suspend_profile", "suspend_list"):
        value = getattr(router, field)
        if not value.strip() or not value.isprintable():
            raise InputError(
                f"The router's {field.replace('_', ' ')} is empty or holds a control character: {value!r}."
            )
    if ":" in router.host and not is_ipv6(router.host):
        raise InputError(f"{router.host!r} is no host name or address.", remedy="Give the port by itself, with --port.")
    if router.tls == Tls.PIN and not _FINGERPRINT.fullmatch(router.tls_fingerprint.replace(":", "").replace(" ", "")):
        raise InputError(
            f"{router.tls_fingerprint!r} is no fingerprint.",
            remedy="Give the SHA-256 of the router's certificate: 64 hexadecimal digits, colons allowed.",
        )
    if router.name != router.name.strip():
        raise InputError(f"The router's name {router.name!r} begins or ends with a blank.")
    if router.suspend_list != router.suspend_list.strip() or "," in router.suspend_list:
        raise InputError(
            f"The address list {router.suspend_list!r} has a comma, or begins or ends with a blank.",
            remedy=f"Name one list, such as {DEFAULT_SUSPEND_LIST}.",
        )


def _name_taken(name: str) -> InputError:
    return InputError(f"The router {name!r} already exists.", remedy=f"Change it with: imsys router set {name}")
