"""Importing an export of the older system: routers (observed), packages and subscribers, all of it or nothing.

The money side has no ledger to go to yet. It is kept exactly as it was in LegacyAccount, for billing to take up.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.db import transaction
from django.utils import timezone

from imsys.kit.errors import InputError
from imsys.network import services as network
from imsys.network.models import Mode
from imsys.onboarding.legacy.documents import Problem
from imsys.onboarding.legacy.export import Export, MergedPackage
from imsys.onboarding.legacy.records import PACKAGES, ROUTERS, USERS, LegacyUser
from imsys.onboarding.models import LegacyAccount, LegacyRouter
from imsys.onboarding.selectors import full_packages_named, payment_references, routers_named, routers_of
from imsys.subscribers import services
from imsys.subscribers.models import Cause

MANUAL = "disconnected by hand"


@dataclass(slots=True)
class LegacyReport:
    """What was done, or would be; with any problem nothing was. Counts of fields are by `collection.field`."""

    subscribers: int = 0
    already: int = 0
    routers: list[str] = field(default_factory=list)
    packages: list[str] = field(default_factory=list)
    merged_packages: int = 0
    unused_packages: list[str] = field(default_factory=list)
    suspended: dict[str, int] = field(default_factory=dict)
    balances: int = 0
    balance_total: Decimal = Decimal(0)
    payment_references: int = 0
    locations: int = 0
    pending_packages: list[dict[str, str]] = field(default_factory=list)
    cycles_not_understood: dict[str, int] = field(default_factory=dict)
    dropped: dict[str, int] = field(default_factory=dict)
    unknown: dict[str, int] = field(default_factory=dict)
    other_tenants: int = 0
    passwords_missing: list[str] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)


def new_routers(export: Export) -> list[str]:
    """The routers that are not kept here yet: each needs a password."""
    there = routers_named([router.name for router in export.routers])
    return sorted({router.name for router in export.routers} - there.keys())


def import_legacy(export: Export, passwords: Mapping[str, str], *, dry_run: bool = False, actor: str) -> LegacyReport:
    """`passwords`: by the name of the router. A dry run does without."""
    missing = [name for name in new_routers(export) if name not in passwords]
    if missing and not dry_run and not export.problems:
        raise InputError(
            f"The passwords of these routers are missing: {', '.join(missing)}.",
            remedy="The older system's cannot be opened; pass --router-password NAME=FILE for each",
        )
    report = LegacyReport(
        unused_packages=export.unused_packages,
        cycles_not_understood=export.cycles,
        dropped=dict(sorted(export.notes.dropped.items())),
        unknown=dict(sorted(export.notes.unknown.items())),
        other_tenants=export.other_tenants,
        passwords_missing=missing,
        problems=list(export.problems),
    )
    with transaction.atomic():
        _Importer(export, passwords, report, actor).run()
        report.problems.sort(key=lambda problem: (problem.collection, problem.number))
        if report.problems:
            report.subscribers, report.locations, report.routers, report.packages = 0, 0, [], []
        if dry_run or report.problems:
            transaction.set_rollback(True)
    return report


class _Importer:
    def __init__(self, export: Export, passwords: Mapping[str, str], report: LegacyReport, actor: str) -> None:
        self.export, self.passwords, self.report, self.actor = export, passwords, report, actor
        self.now: datetime = timezone.now()
        self.router_names = {router.id: router.name for router in export.routers}
        self.ids: dict[str, int] = {}

    def run(self) -> None:
        self._add_routers()
        self._add_packages()
        homes = routers_of(user.username for user in self.export.users)
        new = []
        for user in self.export.users:
            if user.username in homes and homes[user.username] == self.router_names.get(user.router_id):
                self.report.already += 1
            else:
                new.append(user)
        for user in new:
            self._add_subscriber(user)
        if not self.report.problems:
            self._suspend(new)
            self._keep_accounts(new)

    def _problem(self, collection: str, number: int, error: InputError, whose: str) -> None:
        self.report.problems.append(Problem(collection, number, f"{whose!r}: {error}"))

    def _add_routers(self) -> None:
        there = routers_named([router.name for router in self.export.routers])
        for router in self.export.routers:
            if router.name in there:
                if there[router.name] != (router.host, router.port):
                    host, port = there[router.name]
                    error = InputError(f"A router of this name is kept here already, at {host} port {port}.")
                    self._problem(ROUTERS, router.number, error, router.name)
                continue
            try:
                added = network.add_router(
                    name=router.name,
                    host=router.host,
                    port=router.port,
                    username=router.username,
                    password=self.passwords.get(router.name, ""),
                    mode=Mode.OBSERVE,
                    actor=self.actor,
                )
            except InputError as error:
                self._problem(ROUTERS, router.number, error, router.name)
                continue
            self.report.routers.append(router.name)
            if router.location:
                LegacyRouter.objects.create(router=added, location=router.location)
                self.report.locations += 1

    def _add_packages(self) -> None:
        """One that is here already with the same speed and price is taken; another of that name is a problem."""
        wanted = self.export.packages
        self.report.merged_packages = len(self.export.package_names) - len(wanted)
        there = full_packages_named([package.name for package in wanted])
        for package in wanted:
            if there.get(package.name) != (package.profile, package.rate, Decimal(package.price)):
                self._add_package(package)

    def _add_package(self, package: MergedPackage) -> None:
        try:
            services.add_package(
                name=package.name,
                profile=package.profile,
                rate_limit=package.rate,
                price=package.price,
                days=package.days,
                actor=self.actor,
            )
            self.report.packages.append(package.name)
        except InputError as error:
            self._problem(PACKAGES, package.number, error, package.name)

    def _add_subscriber(self, user: LegacyUser) -> None:
        router, package = self.router_names.get(user.router_id), self.export.package_names.get(user.package_id)
        if router is None or package is None:
            return  # why has been said of the user, the router or the package
        try:
            subscriber = services.add_subscriber(
                username=user.username,
                router=router,
                package=package,
                password=user.password,
                address=user.address,
                service=user.service,
                full_name=user.full_name,
                phone=user.phone,
                email=user.email,
                note=user.note,
                expires_at=user.expires_at,
                exact=True,
                actor=self.actor,
            )
        except InputError as error:
            self._problem(USERS, user.number, error, user.username)
            return
        self.ids[user.username] = subscriber.pk
        self.report.subscribers += 1

    def _suspend(self, users: Sequence[LegacyUser]) -> None:
        """A past end alone suspends nobody."""
        groups: dict[tuple[Cause, str], list[str]] = {}
        for user in users:
            if user.is_suspended:
                is_over = user.expires_at is not None and user.expires_at <= self.now
                groups.setdefault((Cause.EXPIRY if is_over else Cause.NON_PAYMENT, ""), []).append(user.username)
            if user.is_disconnected:
                groups.setdefault((Cause.OTHER, MANUAL), []).append(user.username)
        for (cause, note), usernames in groups.items():
            services.suspend(usernames, cause=cause, note=note, actor=self.actor)
            self.report.suspended[cause.value] = len(usernames)

    def _keep_accounts(self, users: Sequence[LegacyUser]) -> None:
        taken = payment_references(user.payment_reference for user in users)
        accounts = []
        for user in users:
            if user.payment_reference in taken:
                text = (
                    f"The mPesaRefNo {user.payment_reference!r} is that of {taken[user.payment_reference]!r} already."
                )
                self._problem(USERS, user.number, InputError(text), user.username)
                continue
            pending = self._pending(user)
            if user.wallet_balance is not None or user.payment_reference or pending:
                accounts.append(self._account(user, pending))
        LegacyAccount.objects.bulk_create(accounts, batch_size=1_000)

    def _pending(self, user: LegacyUser) -> str:
        if not user.pending_package_id:
            return ""
        name = self.export.package_names.get(user.pending_package_id, user.pending_package_id)
        self.report.pending_packages.append({"username": user.username, "package": name})
        return name

    def _account(self, user: LegacyUser, pending: str) -> LegacyAccount:
        self.report.payment_references += bool(user.payment_reference)
        if user.wallet_balance is not None:
            self.report.balances += 1
            self.report.balance_total += user.wallet_balance
        values: dict[str, Any] = {"wallet_balance": user.wallet_balance, "payment_reference": user.payment_reference}
        return LegacyAccount(subscriber_id=self.ids[user.username], pending_package=pending, **values)
