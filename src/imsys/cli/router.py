"""`imsys router`: the routers that IMSys keeps, and how it may treat each."""

from collections.abc import Sequence
from typing import Annotated, Any, Literal

import typer

from imsys.cli.app import Json, PasswordFile, command, group, read_password
from imsys.cli.exits import Code
from imsys.kit.errors import InputError
from imsys.reconcile.caps import KINDS

app = group("Routers: add, test, change, remove.")

Tls = Literal["off", "verify", "pin", "anonymous"]
Mode = Literal["observe", "enforce", "paused"]
SuspendBy = Literal["disable", "profile", "address-list"]
Unmanaged = Literal["keep", "quarantine", "remove"]

Name = Annotated[str, typer.Argument(help="The router's name.", show_default=False)]
TLS_HELP = (
    "off: plain TCP. verify: a certificate that this machine trusts. pin: the certificate of --tls-fingerprint alone. "
    "anonymous: encrypted, but anybody can answer."
)
MODE_HELP = "observe: read only. enforce: keep it right. paused: leave it alone."
SUSPEND_HELP = (
    "How pppoe lines are cut off. disable: the login. profile: a walled garden. address-list: packets from a fixed "
    "address; lines without one are disabled. Static lines always are by address list, hotspot ones by disabling."
)
GARDEN_HELP = "The walled garden's profile, for --suspend-by profile."
LIST_HELP = "The address list of who is cut off, whose packets a firewall rule of ours drops."
KICKS_HELP = "Most sessions a second ended for a change that a new login brings."
WINDOW_HELP = "Write to it in these minutes alone, in five fields of cron: '* 2-5 * * *' is from 02:00 to 05:59."
ZONE_HELP = "The window's time zone; until one is given IMSYS_TIME_ZONE."
CAP_HELP = (
    f"The most steps of a kind that a machine may cause in one run before a person is asked: {', '.join(KINDS)}. Once "
    "for each. default: the larger of 20 and 5 % of the router's subscribers. Never more than half of them."
)
UNMANAGED_HELP = "Rows on the router that IMSys neither wants nor put there."

Caps = Annotated[list[str] | None, typer.Option("--cap", metavar="KIND=N", help=CAP_HELP)]

COLUMNS = {
    "name": "Router",
    "mode": "Mode",
    "state": "State",
    "version": "RouterOS",
    "subscribers": "Subscribers",
    "pending": "Pending",
    "error": "Error",
    "online": "Online",
    "last_seen_at": "Last seen",
    "address": "Address",
}


@command(
    app,
    "add",
    examples=[
        "imsys router add rt-ngong --host 10.0.4.1 --username imsys --password-file rt-ngong.pw",
        "imsys router add rt-thika --host 10.0.5.1 --username imsys --password-file - --tls verify --mode enforce",
        "imsys router add rt-juja --host 10.0.6.1 --username imsys --password-file rt-juja.pw --window '* 2-5 * * *'",
    ],
)
def add(
    name: Name,
    host: Annotated[str, typer.Option(help="Address or host name.")],
    username: Annotated[str, typer.Option(help="Login of its API user.")],
    port: Annotated[int | None, typer.Option(min=1, max=65535, help="API port; 8728, or 8729 with TLS.")] = None,
    password_file: PasswordFile = None,
    tls: Annotated[Tls, typer.Option(help=TLS_HELP)] = "off",
    tls_fingerprint: Annotated[str, typer.Option(help="SHA-256 of the certificate, for --tls pin.")] = "",
    mode: Annotated[Mode, typer.Option(help=MODE_HELP)] = "observe",
    suspend_by: Annotated[SuspendBy, typer.Option(help=SUSPEND_HELP)] = "disable",
    suspend_profile: Annotated[str, typer.Option(help=GARDEN_HELP)] = "suspended",
    suspend_list: Annotated[str, typer.Option(help=LIST_HELP)] = "BLOCKED_USERS",
    unmanaged: Annotated[Unmanaged, typer.Option(help=UNMANAGED_HELP)] = "keep",
    pace: Annotated[int, typer.Option(min=1, help="Most commands a second.")] = 100,
    kicks_per_second: Annotated[int, typer.Option(min=1, max=1000, help=KICKS_HELP)] = 5,
    window: Annotated[str, typer.Option(help=WINDOW_HELP)] = "",
    window_zone: Annotated[str, typer.Option(help=ZONE_HELP)] = "",
    cap: Caps = None,
    as_json: Json = False,
) -> None:
    """Add a router. It is only read until its mode is enforce.

    The password is asked for on a terminal; in scripts pass --password-file.
    """
    password = read_password(password_file, prompt=f"Password of {username} on {name}")
    if password is None:
        raise InputError(
            "The router's password is missing.", remedy="Pass --password-file FILE, or - to read standard input"
        )
    from imsys.cli.database import actor, database

    with database():
        from imsys.network import services

        services.add_router(
            name=name,
            host=host,
            port=port or (8728 if tls == "off" else 8729),
            username=username,
            password=password,
            tls=tls,
            tls_fingerprint=tls_fingerprint,
            mode=mode,
            suspend_by=suspend_by,
            suspend_profile=suspend_profile,
            suspend_list=suspend_list,
            unmanaged=unmanaged,
            pace_per_s=pace,
            kicks_per_s=kicks_per_second,
            window=window,
            window_zone=window_zone,
            caps=parse_caps(cap or ()),
            actor=actor(),
        )
        _print_router(name, as_json)


@command(app, "list", examples=["imsys router list", "imsys router list --json"])
def list_routers(as_json: Json = False) -> None:
    """List the routers, those that need a person first."""
    from imsys.cli.database import database
    from imsys.cli.output import print_list

    with database():
        from imsys.web.rows import router_rows

        rows = router_rows()
    empty = "No router yet. Add one, it is only read at first: imsys router add NAME --host H --username U"
    print_list(rows, COLUMNS, as_json=as_json, empty=empty)


@command(app, "show", examples=["imsys router show rt-ngong", "imsys router show rt-ngong --json"])
def show(name: Name, as_json: Json = False) -> None:
    """Show one router: settings, condition, what was last learned of it, and its last runs."""
    from imsys.cli.database import database

    with database():
        _print_router(name, as_json, with_runs=True)


@command(app, "test", examples=["imsys router test rt-ngong"])
def try_router(name: Name, as_json: Json = False) -> None:
    """Try to reach, log in to and read a router, step by step; say which step fails and what to do. Changes nothing."""
    from imsys.cli.database import database
    from imsys.cli.output import print_json

    with database():
        from imsys.onboarding.check import check_router

        report = check_router(name)
    if as_json:
        print_json({"router": name, **report.as_dict()})
    else:
        for step in report.steps:
            print(f"{step.result:<7}  {step.name:<10}  {step.text}")
            if step.remedy:
                print(f"{'':<7}  {'':<10}  {step.remedy}")
    if not report.ok:
        raise typer.Exit(Code.FAILED)


@command(
    app,
    "set",
    examples=[
        "imsys router set rt-ngong --mode enforce",
        "imsys router set rt-ngong --password-file new.pw",
        "imsys router set rt-ngong --suspend-by profile --suspend-profile walled-garden",
        "imsys router set rt-ngong --suspend-by address-list --suspend-list NO_PAY --kicks-per-second 20",
        "imsys router set rt-ngong --window '* 2-5 * * *' --window-zone Africa/Nairobi",
        "imsys router set rt-ngong --window '' --cap removes=5 --cap kicks=default",
    ],
)
def set_router(
    name: Name,
    host: Annotated[str | None, typer.Option(help="Address or host name.")] = None,
    port: Annotated[int | None, typer.Option(min=1, max=65535, help="API port.")] = None,
    username: Annotated[str | None, typer.Option(help="Login of its API user.")] = None,
    password_file: PasswordFile = None,
    tls: Annotated[Tls | None, typer.Option(help=TLS_HELP)] = None,
    tls_fingerprint: Annotated[str | None, typer.Option(help="SHA-256 of the certificate, for --tls pin.")] = None,
    mode: Annotated[Mode | None, typer.Option(help=MODE_HELP)] = None,
    suspend_by: Annotated[SuspendBy | None, typer.Option(help=SUSPEND_HELP)] = None,
    suspend_profile: Annotated[str | None, typer.Option(help=GARDEN_HELP)] = None,
    suspend_list: Annotated[str | None, typer.Option(help=LIST_HELP)] = None,
    unmanaged: Annotated[Unmanaged | None, typer.Option(help=UNMANAGED_HELP)] = None,
    pace: Annotated[int | None, typer.Option(min=1, help="Most commands a second.")] = None,
    kicks_per_second: Annotated[int | None, typer.Option(min=1, max=1000, help=KICKS_HELP)] = None,
    window: Annotated[str | None, typer.Option(help=WINDOW_HELP + ' "": always.')] = None,
    window_zone: Annotated[str | None, typer.Option(help=ZONE_HELP + ' "": that again.')] = None,
    cap: Caps = None,
    as_json: Json = False,
) -> None:
    """Change a router's settings; what is not named stays."""
    given: dict[str, Any] = {
        "host": host,
        "port": port,
        "username": username,
        "password": read_password(password_file),
        "tls": tls,
        "tls_fingerprint": tls_fingerprint,
        "mode": mode,
        "suspend_by": suspend_by,
        "suspend_profile": suspend_profile,
        "suspend_list": suspend_list,
        "unmanaged": unmanaged,
        "pace_per_s": pace,
        "kicks_per_s": kicks_per_second,
        "window": window,
        "window_zone": window_zone,
        "caps": parse_caps(cap) if cap else None,
    }
    changes = {key: value for key, value in given.items() if value is not None}
    if not changes:
        raise InputError(
            "Nothing to change was named.", remedy="Pass at least one option; see `imsys router set --help`"
        )
    from imsys.cli.database import actor, database

    with database():
        from imsys.subscribers import services

        services.set_router(name, actor=actor(), **changes)
        _print_router(name, as_json)
    if mode == "enforce" and not as_json:
        print(f"IMSys writes to {name} from now on. What is to be done there, and why: imsys plan --router {name}")


@command(app, "remove", examples=["imsys router remove rt-old", "imsys router remove rt-burnt --forget"])
def remove(
    name: Name,
    forget: Annotated[
        bool,
        typer.Option("--forget", help="Write off the rows that we put on it, for a router that will not come back."),
    ] = False,
    as_json: Json = False,
) -> None:
    """Remove a router that has no subscribers.

    Refused while rows that IMSys put on it are still there, unless --forget.
    """
    from imsys.cli.database import actor, database
    from imsys.cli.output import print_json, say

    with database():
        from imsys.network import services

        written_off = services.remove_router(name, forget=forget, actor=actor())
    if as_json:
        print_json({"removed": name, "written_off": written_off})
    else:
        say(f"removed router {name}")


def parse_caps(given: Sequence[str]) -> dict[str, int | None]:
    """By kind, None for its default. Raises: InputError; whether there is such a kind, the service says."""
    caps: dict[str, int | None] = {}
    for text in given:
        kind, _, number = text.partition("=")
        if number != "default" and not (number.isascii() and number.isdigit()):
            raise InputError(
                f"{text!r} is no cap.",
                remedy=f"Write KIND=N such as removes=5, or KIND=default; KIND is one of: {', '.join(KINDS)}.",
            )
        caps[kind] = None if number == "default" else int(number)
    return caps


def _print_router(name: str, as_json: bool, *, with_runs: bool = False) -> None:
    from imsys.cli.output import print_fields
    from imsys.web.rows import router_row

    print_fields(router_row(name, with_runs=with_runs), as_json=as_json)
