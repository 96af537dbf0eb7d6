"""The three files of an export together: one tenant's documents, references resolved, packages merged. Pure."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, tzinfo

from imsys.onboarding.legacy import records
from imsys.onboarding.legacy.documents import Document, Problem, parse
from imsys.onboarding.legacy.fields import Notes
from imsys.onboarding.legacy.records import (
    PACKAGES,
    ROUTERS,
    USERS,
    LegacyPackage,
    LegacyRouter,
    LegacyUser,
    cycle_days,
)

DEFAULT_DAYS = 30


@dataclass(frozen=True, slots=True)
class MergedPackage:
    """`number`: of the first document of those that became this one."""

    number: int
    name: str
    profile: str
    rate: str
    price: str
    days: int


@dataclass(slots=True)
class Export:
    """`package_names`: of the older system's ids. Nothing is imported while there is a problem."""

    routers: list[LegacyRouter]
    users: list[LegacyUser]
    packages: list[MergedPackage]
    package_names: dict[str, str]
    notes: Notes
    other_tenants: int = 0
    unused_packages: list[str] = field(default_factory=list)
    cycles: dict[str, int] = field(default_factory=dict)

    @property
    def problems(self) -> list[Problem]:
        return self.notes.problems


def load(files: Mapping[str, bytes], *, tenant: str | None, zone: tzinfo, now: datetime) -> Export:
    """`files`: the content of each collection's."""
    notes = Notes()
    found: dict[str, list[Document]] = {}
    left_out = 0
    for collection in (ROUTERS, PACKAGES, USERS):
        documents, problems = parse(files[collection], collection)
        notes.problems += problems
        found[collection] = _of_tenant(documents, collection, tenant, notes)
        left_out += len(documents) - len(found[collection])
    routers = records.routers(found[ROUTERS], notes)
    packages = records.packages(found[PACKAGES], notes)
    users = records.users(found[USERS], notes, zone=zone, now=now)
    export = Export(routers, users, [], {}, notes, other_tenants=left_out)
    _check_ids(export, packages, found)
    _merge(export, packages)
    _check_references(export)
    return export


def _of_tenant(documents: Sequence[Document], collection: str, tenant: str | None, notes: Notes) -> list[Document]:
    """Those of the tenant that was named, and those that name none."""
    tenants = sorted({str(document.fields["tenant"]) for document in documents if document.fields.get("tenant")})
    if tenant is None and len(tenants) > 1:
        shown = ", ".join(tenants[:5])
        text = f"The file holds {len(tenants)} tenants: {shown}. Name one with --tenant."
        notes.problems.append(Problem(collection, 0, text))
        return []
    if tenant is not None and tenants and tenant not in tenants:
        notes.problems.append(Problem(collection, 0, f"The file holds nothing of the tenant {tenant}."))
    return [
        document
        for document in documents
        if tenant is None or not document.fields.get("tenant") or str(document.fields["tenant"]) == tenant
    ]


def _check_ids(export: Export, packages: Sequence[LegacyPackage], found: Mapping[str, list[Document]]) -> None:
    """What users refer to is there, or is there and wrong, which has been said."""
    routers = {str(document.fields.get("_id")) for document in found[ROUTERS]}
    known = {str(document.fields.get("_id")) for document in found[PACKAGES]}
    for user in export.users:
        if user.router_id not in routers:
            _wrong(export, user, f"The mikrotikRouter {user.router_id} is not among the routers.")
        if user.package_id not in known:
            _wrong(export, user, f"The package {user.package_id} is not among the packages.")
    for collection, ids in ((ROUTERS, [r.id for r in export.routers]), (PACKAGES, [p.id for p in packages])):
        for twice in (id_ for id_, count in Counter(ids).items() if count > 1):
            export.problems.append(Problem(collection, 0, f"Two documents have the _id {twice}."))


def _merge(export: Export, packages: Sequence[LegacyPackage]) -> None:
    """Same name, price and speed are one; another of the same name takes its router's name as well."""
    used = {user.package_id for user in export.users} | {user.pending_package_id for user in export.users}
    router_names = {router.id: router.name for router in export.routers}
    days = _days(export, {package.id: package.merged for package in packages})
    names: dict[tuple[object, ...], str] = {}
    for package in packages:
        has_speed = bool(package.profile or package.rate)
        if package.id not in used and not (package.is_active and has_speed):
            export.unused_packages.append(package.name)
            continue
        if not has_speed:
            text = f"The package {package.name!r} has neither a profile nor a rateLimit."
            export.problems.append(Problem(PACKAGES, package.number, text))
        if package.merged not in names:
            name = _free(package.name, router_names.get(package.router_id, ""), names.values())
            names[package.merged] = name
            export.packages.append(
                MergedPackage(
                    number=package.number,
                    name=name,
                    profile=package.profile,
                    rate=package.rate,
                    price=f"{package.price:f}",
                    days=days.get(package.merged, DEFAULT_DAYS),
                )
            )
        export.package_names[package.id] = names[package.merged]


def _free(name: str, router: str, taken: Iterable[str]) -> str:
    taken, number = set(taken), 1
    free = name
    while free in taken:
        free = f"{name} ({router})" if number == 1 and router else f"{name} ({number})"
        number += 1
    return free


def _days(export: Export, merged: Mapping[str, tuple[object, ...]]) -> dict[tuple[object, ...], int]:
    """Of each package whose users agree; cycles that are not understood are counted in the export."""
    said: dict[tuple[object, ...], set[int]] = {}
    cycles: Counter[str] = Counter()
    for user in export.users:
        if not user.billing_cycle or user.package_id not in merged:
            continue
        days = cycle_days(user.billing_cycle)
        if days is None:
            cycles[user.billing_cycle] += 1
        said.setdefault(merged[user.package_id], set()).add(days or 0)
    export.cycles = dict(cycles)
    return {key: next(iter(days)) for key, days in said.items() if len(days) == 1 and all(days)}


def _check_references(export: Export) -> None:
    """The reference that payments carry is one subscriber's."""
    seen: dict[str, str] = {}
    for user in export.users:
        if not user.payment_reference:
            continue
        other = seen.setdefault(user.payment_reference, user.username)
        if other != user.username:
            _wrong(export, user, f"The mPesaRefNo {user.payment_reference!r} is that of {other!r} as well.")


def _wrong(export: Export, user: LegacyUser, text: str) -> None:
    export.problems.append(Problem(USERS, user.number, f"{user.username!r}: {text}"))
