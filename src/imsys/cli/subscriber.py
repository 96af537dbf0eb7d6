"""`imsys subscriber`: who has a line. Suspending is in `suspension.py`, renaming and moving in `moving.py`."""

from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from imsys.cli.app import Json, PasswordFile, RouterFilter, command, group, read_names, read_password
from imsys.cli.exits import Code
from imsys.kit.errors import InputError

app = group("Subscribers: who has a line.")

Service = Literal["pppoe", "static", "hotspot"]
Status = Literal["pending", "synced", "error"]

Username = Annotated[str, typer.Argument(help="The subscriber's username.", show_default=False)]
EXPIRES_HELP = (
    "When the package ends: a date ends that day at 24:00 in IMSYS_TIME_ZONE; or a moment such as 2027-01-31T18:00. "
    "Within a minute of it the line is cut, unless too many are due there at once: `imsys expiry plan`."
)

ADDRESS_HELP = (
    "Fixed address. A static line has to have one; without it a pppoe line gets one from the profile's pool; a hotspot "
    "line has none."
)
MAC_HELP = (
    "MAC address of the device. It locks a pppoe login to that device, gives a static line its DHCP lease, and lets a "
    "hotspot device in without login."
)
ENFORCE_HELP = "Keep this subscriber right on the router, also while that is only observed."
EXACT_HELP = "The username is meant so, though it has a blank at an end or another differs by upper and lower case."

COLUMNS = {
    "username": "Username",
    "full_name": "Name",
    "router": "Router",
    "service": "Service",
    "package": "Package",
    "access": "Access",
    "sync": "Sync",
    "last_synced_at": "Last synced",
    "expires_at": "Expires",
    "sync_error": "Error",
}


@command(
    app,
    "add",
    examples=[
        "imsys subscriber add ann --router rt-ngong --package home-10m --password-file ann.pw",
        "imsys subscriber add ben --router rt-ngong --package home-10m --address 10.9.3.7 --expires-at 2027-01-31",
        "imsys subscriber add cafe --router rt-ngong --package home-10m --service static --address 10.9.8.2",
        "imsys subscriber add kiosk --router rt-ngong --package home-10m --service hotspot --mac 00:0C:42:1A:2B:3C",
    ],
)
def add(
    username: Username,
    router: Annotated[str, typer.Option(help="The router of the line.")],
    package: Annotated[str, typer.Option(help="The package bought.")],
    password_file: PasswordFile = None,
    service: Annotated[Service, typer.Option(help="Kind of line.")] = "pppoe",
    address: Annotated[str, typer.Option(help=ADDRESS_HELP)] = "",
    mac: Annotated[str, typer.Option(help=MAC_HELP)] = "",
    expires_at: Annotated[str | None, typer.Option(help=EXPIRES_HELP)] = None,
    full_name: Annotated[str, typer.Option(help="Name of the person.")] = "",
    phone: Annotated[str, typer.Option(help="Telephone number.")] = "",
    email: Annotated[str, typer.Option(help="E-mail address.")] = "",
    note: Annotated[str, typer.Option(help="Anything worth knowing.")] = "",
    exact: Annotated[bool, typer.Option("--exact", help=EXACT_HELP)] = False,
    as_json: Json = False,
) -> None:
    """Add a subscriber. Without --password-file the password is not managed: the router's own stays."""
    password = read_password(password_file) or ""
    from imsys.cli.database import actor, database

    with database():
        from imsys.subscribers import services

        services.add_subscriber(
            username=username,
            router=router,
            package=package,
            password=password,
            service=service,
            address=address,
            mac=mac,
            expires_at=parse_instant(expires_at),
            full_name=full_name,
            phone=phone,
            email=email,
            note=note,
            exact=exact,
            actor=actor(),
        )
        print_subscriber(username, as_json)


@command(
    app,
    "set",
    examples=[
        "imsys subscriber set ann --package home-20m",
        "imsys subscriber set ann --address 10.9.3.8 --mac 00:0C:42:1A:2B:3D",
        "imsys subscriber set ann --service static --address 10.9.8.3",
        "imsys subscriber set ann --expires-at never --phone '+254 712 345 678'",
        "imsys subscriber set ann --enforce",
    ],
)
def set_subscriber(
    username: Username,
    package: Annotated[str | None, typer.Option(help="The package bought.")] = None,
    password_file: PasswordFile = None,
    service: Annotated[Service | None, typer.Option(help="Kind of line.")] = None,
    address: Annotated[str | None, typer.Option(help=ADDRESS_HELP + ' "": none.')] = None,
    mac: Annotated[str | None, typer.Option(help=MAC_HELP + ' "": none.')] = None,
    expires_at: Annotated[str | None, typer.Option(help=EXPIRES_HELP + " never: no end.")] = None,
    full_name: Annotated[str | None, typer.Option(help="Name of the person.")] = None,
    phone: Annotated[str | None, typer.Option(help="Telephone number.")] = None,
    email: Annotated[str | None, typer.Option(help="E-mail address.")] = None,
    note: Annotated[str | None, typer.Option(help="Anything worth knowing.")] = None,
    enforce: Annotated[bool | None, typer.Option("--enforce/--no-enforce", help=ENFORCE_HELP)] = None,
    as_json: Json = False,
) -> None:
    """Change a subscriber; what is not named stays.

    Where a session feels the change with a new login only, its package says whether it is ended for that.
    """
    given: dict[str, Any] = {
        "package": package,
        "password": read_password(password_file),
        "service": service,
        "address": address,
        "mac": mac,
        "full_name": full_name,
        "phone": phone,
        "email": email,
        "note": note,
        "is_enforced": enforce,
    }
    changes = {key: value for key, value in given.items() if value is not None}
    if not changes and expires_at is None:
        raise InputError(
            "Nothing to change was named.", remedy="Pass at least one option; see `imsys subscriber set --help`"
        )
    from imsys.cli.database import actor, database

    with database():
        from imsys.subscribers import services

        if expires_at is not None:
            changes["expires_at"] = parse_instant(expires_at)
        services.set_subscriber(username, actor=actor(), **changes)
        print_subscriber(username, as_json)


@command(app, "remove", examples=["imsys subscriber remove ann", "imsys subscriber remove --file gone.txt"])
def remove(
    usernames: Annotated[list[str] | None, typer.Argument(help="Usernames.", show_default=False)] = None,
    file: Annotated[str | None, typer.Option(metavar="FILE|-", help="Usernames, one a line.")] = None,
    as_json: Json = False,
) -> None:
    """Remove subscribers; their rows leave the routers as soon as those can be reached. Naming is confirmation."""
    names = [*(usernames or []), *(read_names(file) if file else [])]
    if not names:
        raise InputError("Nobody was named.", remedy="Pass usernames, or --file FILE")
    from imsys.cli.database import actor, database
    from imsys.cli.output import print_json, say

    with database():
        from imsys.subscribers import services

        count = services.remove_subscribers(names, actor=actor())
    if as_json:
        print_json({"removed": count})
    else:
        say(f"removed {count} subscribers")


@command(app, "show", examples=["imsys subscriber show ann", "imsys subscriber show ann --json"])
def show(username: Username, as_json: Json = False) -> None:
    """Show one subscriber: what is wanted, how far the router has followed, and why."""
    from imsys.cli.database import database

    with database():
        print_subscriber(username, as_json)


@command(
    app,
    "list",
    examples=[
        "imsys subscriber list --router rt-ngong --suspended",
        "imsys subscriber list --status error --json",
        "imsys subscriber list --search kamau --limit 20",
    ],
)
def list_subscribers(
    router: RouterFilter = None,
    package: Annotated[str | None, typer.Option(help="Only this package.")] = None,
    status: Annotated[Status | None, typer.Option(help="Only with this sync status.")] = None,
    suspended: Annotated[
        bool | None, typer.Option("--suspended/--active", help="Only suspended ones, or only active.")
    ] = None,
    enforced: Annotated[
        bool | None, typer.Option("--enforced", help="Only those who are enforced by themselves, by set --enforce.")
    ] = None,
    search: Annotated[str, typer.Option(help="Part of username, name, phone, address or MAC (with its colons).")] = "",
    limit: Annotated[int | None, typer.Option(min=1, help="At most so many.")] = None,
    as_json: Json = False,
) -> None:
    """List subscribers, in the order of their usernames."""
    from imsys.cli.database import database
    from imsys.cli.output import print_list

    with database():
        from imsys.web.rows import SubscriberFilter, subscriber_rows

        chosen = SubscriberFilter(
            router=router or "",
            package=package or "",
            status=status or "",
            suspended=suspended,
            enforced=enforced,
            search=search,
        )
        rows = subscriber_rows(chosen, limit=limit)
    empty = "Nobody matches." if chosen.is_set else "No subscriber yet. Import them: imsys subscriber import FILE.csv"
    print_list(rows, COLUMNS, as_json=as_json, empty=empty)


@command(
    app,
    "import",
    examples=["imsys subscriber import subscribers.csv --dry-run", "imsys subscriber import subscribers.csv"],
)
def import_file(
    file: Annotated[
        Path,
        typer.Argument(metavar="FILE.csv", help="Comma-separated, UTF-8, with a heading line.", show_default=False),
    ],
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Check every line, add nobody.")] = False,
    as_json: Json = False,
) -> None:
    """Add subscribers from a CSV file: all of them, or none when a line is wrong. Every wrong line is named.

    Columns: username,password,service,router,package,address,mac,suspended,expires_at,full_name,phone,email. The
    heading line says which are there; username, router and package must be.
    """
    if not file.is_file():
        raise InputError(f"There is no file {file}.", remedy="Name a CSV file")
    from imsys.cli.database import actor, database
    from imsys.cli.output import complain, print_json
    from imsys.cli.undo import told

    with database():
        from imsys.subscribers import services

        report = services.import_rows(file, dry_run=dry_run, actor=actor())
    if as_json:
        errors = [{"line": line, "error": text} for line, text in report.errors]
        counts = {"added": report.added, "expired": report.expired, "change": report.change}
        print_json({**counts, "dry_run": dry_run, "errors": errors})
    else:
        for line, text in report.errors:
            complain(f"{file}:{line}: {text}")
    if report.errors:
        count = len(report.errors)
        complain(
            f"error: {count} {'line is' if count == 1 else 'lines are'} wrong, nobody was added. Correct the file."
        )
        raise typer.Exit(Code.FAILED)
    if not as_json:
        print(f"{report.added} would be added" if dry_run else f"added {report.added} subscribers")
        if report.expired:
            print(past_end(report.expired))
        told(report.change)


def past_end(count: int) -> str:
    """Of whom expiry cuts as soon as they are here."""
    return f"past their end of service already: {count}; expiry cuts or holds them, see imsys expiry plan"


def parse_instant(text: str | None) -> Any:
    """None for no end; Django must be set up."""
    if text is None or text in ("", "never"):
        return None
    from datetime import UTC, datetime

    from imsys.cli.database import display_zone
    from imsys.kit.times import parse_time

    return parse_time(text, zone=display_zone(), now=datetime.now(UTC))


def print_subscriber(username: str, as_json: bool) -> None:
    from imsys.cli.output import print_fields
    from imsys.web.rows import subscriber_row

    print_fields(subscriber_row(username), as_json=as_json)
