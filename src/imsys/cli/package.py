"""`imsys package`: what is sold."""

from decimal import Decimal, InvalidOperation
from typing import Annotated, Any, Literal

import typer

from imsys.cli.app import Json, command, group
from imsys.kit.errors import InputError

app = group("Packages: what is sold, at which speed and price.")

Name = Annotated[
    str,
    typer.Argument(help="The package's name; also its profile's on the routers, unless --profile.", show_default=False),
]
Apply = Literal["now", "next-login"]
RATE_HELP = "Upload/download as RouterOS writes it, e.g. 5M/10M; bursts too: 5M/10M 8M/16M 4M/8M 16/16."
PROFILE_HELP = "A profile that people own on the routers; IMSys refers to it and never writes it."
APPLY_HELP = (
    "When sessions feel a change that needs a new login. now: they are ended, at the router's --kicks-per-second, and "
    "dial in again. next-login: they go on until they end by themselves."
)
SHARED_HELP = "How many devices may use one hotspot login at once."
UPTIME_HELP = "Time online that a hotspot login has in all, e.g. 30d or 12h."
BYTES_HELP = "Bytes that a hotspot login has in all, e.g. 10G; k, M, G and T count in thousands."

COLUMNS = {
    "name": "Package",
    "rate_limit": "Rate",
    "price": "Price",
    "days": "Days",
    "apply": "Apply",
    "profile": "Profile",
    "subscribers": "Subscribers",
}


@command(
    app,
    "add",
    examples=[
        "imsys package add home-10m --rate-limit 10M/10M --price 20.00",
        "imsys package add office --profile office-vip --price 99 --days 365",
        "imsys package add day-pass --rate-limit 4M/4M --price 1 --days 1 --limit-uptime 24h --limit-bytes 10G",
    ],
)
def add(
    name: Name,
    price: Annotated[str, typer.Option(help="Price of one period.")],
    rate_limit: Annotated[str, typer.Option(help=RATE_HELP)] = "",
    days: Annotated[int, typer.Option(min=1, help="Days of one period.")] = 30,
    profile: Annotated[str, typer.Option(help=PROFILE_HELP)] = "",
    apply: Annotated[Apply, typer.Option(help=APPLY_HELP)] = "next-login",
    shared_users: Annotated[int, typer.Option(min=1, max=1000, help=SHARED_HELP)] = 1,
    limit_uptime: Annotated[str, typer.Option(help=UPTIME_HELP)] = "",
    limit_bytes: Annotated[str, typer.Option(help=BYTES_HELP)] = "",
    as_json: Json = False,
) -> None:
    """Add a package. Without --profile it owns a profile of its own name and keeps it right on the routers.

    The profile is made in the menu that its subscribers need: PPP's, the hotspot's, or both. A static line has its
    speed in a queue of its own.
    """
    amount = parse_price(price)
    from imsys.cli.database import actor, database

    with database():
        from imsys.subscribers import services

        services.add_package(
            name=name,
            rate_limit=rate_limit,
            price=amount,
            days=days,
            profile=profile,
            apply=apply,
            shared_users=shared_users,
            limit_uptime=limit_uptime,
            limit_bytes=limit_bytes,
            actor=actor(),
        )
        _print_package(name, as_json)


@command(app, "list", examples=["imsys package list", "imsys package list --json"])
def list_packages(as_json: Json = False) -> None:
    """List the packages."""
    from imsys.cli.database import database
    from imsys.cli.output import print_list

    with database():
        from imsys.subscribers.selectors import list_packages as read_packages

        rows = read_packages()
    empty = "No package yet. Add one: imsys package add NAME --rate-limit 10M/10M --price 20.00"
    print_list(rows, COLUMNS, as_json=as_json, empty=empty)


@command(
    app,
    "set",
    examples=[
        "imsys package set home-10m --rate-limit 12M/12M --apply now",
        "imsys package set home-10m --price 22.50",
        'imsys package set day-pass --shared-users 2 --limit-uptime 36h --limit-bytes ""',
    ],
)
def set_package(
    name: Name,
    rate_limit: Annotated[str | None, typer.Option(help=RATE_HELP)] = None,
    price: Annotated[str | None, typer.Option(help="Price of one period.")] = None,
    days: Annotated[int | None, typer.Option(min=1, help="Days of one period.")] = None,
    profile: Annotated[str | None, typer.Option(help=PROFILE_HELP + ' "" gives it one of its own.')] = None,
    apply: Annotated[Apply | None, typer.Option(help=APPLY_HELP)] = None,
    shared_users: Annotated[int | None, typer.Option(min=1, max=1000, help=SHARED_HELP)] = None,
    limit_uptime: Annotated[str | None, typer.Option(help=UPTIME_HELP + ' "": no limit.')] = None,
    limit_bytes: Annotated[str | None, typer.Option(help=BYTES_HELP + ' "": no limit.')] = None,
    as_json: Json = False,
) -> None:
    """Change a package; all its subscribers follow. --apply is for this change and those that come."""
    given: dict[str, Any] = {
        "rate_limit": rate_limit,
        "price": None if price is None else parse_price(price),
        "days": days,
        "profile": profile,
        "apply": apply,
        "shared_users": shared_users,
        "limit_uptime": limit_uptime,
        "limit_bytes": limit_bytes,
    }
    changes = {key: value for key, value in given.items() if value is not None}
    if not changes:
        raise InputError(
            "Nothing to change was named.", remedy="Pass at least one option; see `imsys package set --help`"
        )
    from imsys.cli.database import actor, database

    with database():
        from imsys.subscribers import services

        services.set_package(name, actor=actor(), **changes)
        _print_package(name, as_json)


@command(app, "remove", examples=["imsys package remove old-2m"])
def remove(name: Name, as_json: Json = False) -> None:
    """Remove a package that nobody has."""
    from imsys.cli.database import actor, database
    from imsys.cli.output import print_json, say

    with database():
        from imsys.subscribers import services

        services.remove_package(name, actor=actor())
    if as_json:
        print_json({"removed": name})
    else:
        say(f"removed package {name}")


def parse_price(text: str) -> Decimal:
    try:
        price = Decimal(text)
    except InvalidOperation:
        raise InputError(f"{text!r} is not a price.", remedy="Write it like 20 or 20.50") from None
    if not price.is_finite() or price < 0 or price != round(price, 2):
        raise InputError(f"{text!r} is not a price.", remedy="Write it like 20 or 20.50")
    return price


def _print_package(name: str, as_json: bool) -> None:
    from imsys.cli.output import print_fields
    from imsys.subscribers.selectors import package_detail

    print_fields(package_detail(name), as_json=as_json)
