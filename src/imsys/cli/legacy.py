"""Importing subscribers, routers and packages from an export of the older system."""

from collections.abc import Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from imsys.cli.app import Json, command, read_password
from imsys.cli.exits import Code
from imsys.kit.errors import InputError

if TYPE_CHECKING:
    from imsys.onboarding.services import LegacyReport

PASSWORD_HELP = "The password of a router of the export, on the first line of FILE; may be repeated."  # noqa: S105


def add_to(app: typer.Typer) -> None:
    command(
        app,
        "import-legacy",
        examples=[
            "imsys import-legacy --users users.json --routers routers.json --packages packages.json --dry-run",
            "imsys import-legacy --users users.json --routers routers.json --packages packages.json "
            "--router-password rt-ngong=ngong.pw",
        ],
    )(import_legacy)


def import_legacy(
    users: Annotated[Path, typer.Option(metavar="FILE", help="Export of MikrotikUser.")],
    routers: Annotated[Path, typer.Option(metavar="FILE", help="Export of MikrotikRouter.")],
    packages: Annotated[Path, typer.Option(metavar="FILE", help="Export of Package.")],
    tenant: Annotated[str | None, typer.Option(metavar="ID", help="Only this tenant of the export.")] = None,
    router_password: Annotated[list[str] | None, typer.Option(metavar="NAME=FILE", help=PASSWORD_HELP)] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Read everything, import nothing.")] = False,
    as_json: Json = False,
) -> None:
    """Import subscribers, routers and packages of the older system: all of them, or none when a row is wrong.

    The files are what mongoexport writes, as an array or a document a line. Routers come in the mode observe: nothing
    is written to them. A past expiry date suspends nobody. Balances, payment references and packages from the next
    renewal on are kept as they are until there is a ledger. What is unknown or dropped is counted.
    """
    given = _passwords(router_password or [])
    from imsys.cli.database import actor, database, display_zone
    from imsys.cli.output import complain, print_json

    with database():
        from django.utils import timezone

        from imsys.onboarding import services
        from imsys.onboarding.legacy.documents import read
        from imsys.onboarding.legacy.export import load

        files = {"users": read(users), "routers": read(routers), "packages": read(packages)}
        export = load(files, tenant=tenant, zone=display_zone(), now=timezone.now())
        if not dry_run and not export.problems:
            given |= _ask([name for name in services.new_routers(export) if name not in given])
        report = services.import_legacy(export, given, dry_run=dry_run, actor=actor())
    if as_json:
        print_json({**asdict(report), "dry_run": dry_run})
    else:
        for problem in report.problems:
            complain(str(problem))
    if report.problems:
        count = len(report.problems)
        what = "row is" if count == 1 else "rows are"
        complain(f"error: {count} {what} wrong, nothing was imported. Correct the files.")
        raise typer.Exit(Code.FAILED)
    if not as_json:
        for line in summary(report, dry_run=dry_run):
            print(line)


def _passwords(given: Sequence[str]) -> dict[str, str]:
    passwords = {}
    for text in given:
        name, separator, file = text.partition("=")
        if not separator or not name or not file:
            raise InputError(f"{text!r} is not NAME=FILE.", remedy="Write --router-password rt-ngong=ngong.pw")
        passwords[name] = read_password(file) or ""
    return passwords


def _ask(names: Sequence[str]) -> dict[str, str]:
    """On a terminal; elsewhere the import says what is missing."""
    asked = {name: read_password(None, prompt=f"Password of the API user on {name}") for name in names}
    return {name: password for name, password in asked.items() if password is not None}


def summary(report: "LegacyReport", *, dry_run: bool) -> Iterator[str]:
    verb = "would be imported" if dry_run else "imported"
    yield f"{verb}: {report.subscribers} subscribers, {len(report.routers)} routers, {len(report.packages)} packages"
    if report.already:
        yield f"subscribers already: {report.already}"
    if report.merged_packages:
        yield f"packages that were one and the same: {report.merged_packages}"
    if report.unused_packages:
        yield f"packages that nobody has, left out: {', '.join(report.unused_packages)}"
    for cause, count in report.suspended.items():
        yield f"suspended for {cause}: {count}"
    yield (
        f"kept for billing, which is not there yet: {report.balances} balances, {report.balance_total:f} in all; "
        f"{report.payment_references} payment references; {len(report.pending_packages)} packages to come"
    )
    for pending in report.pending_packages:
        yield f"from the next renewal on, by hand: {pending['username']} to {pending['package']}"
    for text, count in report.cycles_not_understood.items():
        yield f"billing cycle not understood: {text!r} of {count} subscribers"
    for title, fields in (("dropped", report.dropped), ("unknown, skipped", report.unknown)):
        for name, count in fields.items():
            yield f"{title}: {name} of {count} rows"
    if report.other_tenants:
        yield f"rows of other tenants, left out: {report.other_tenants}"
    if report.passwords_missing:
        yield f"passwords to give: --router-password NAME=FILE for {', '.join(report.passwords_missing)}"
