"""`imsys router script`, `snapshot` and `adopt`: letting IMSys in on a router, and taking over what is there."""

import secrets
import string
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from imsys.cli.app import Json, PasswordFile, command, read_password
from imsys.cli.exits import Code
from imsys.cli.router import TLS_HELP, Name, Tls, app
from imsys.cli.subscriber import past_end
from imsys.kit.errors import InputError

PASSWORD_LENGTH = 24
NEW_PASSWORD_HELP = "Make a password up and keep it in this new file."  # noqa: S105

CSV_HELP = "Write the lines to this file, to edit in a spreadsheet and adopt."
MAP_HELP = "The file of `snapshot --csv`, edited: UTF-8, with commas or semicolons."


@command(
    app,
    "script",
    examples=[
        "imsys router script --username imsys --address 192.0.2.10 --new-password core.password",
        "imsys router script --username imsys --address 192.0.2.10 --tls pin --password-file core.password",
        "imsys router script rt-ngong --address 192.0.2.0/24",
    ],
)
def script(
    name: Annotated[
        str | None, typer.Argument(help="A router that is kept here: its login and its password.", show_default=False)
    ] = None,
    username: Annotated[str | None, typer.Option(help="Login to make, for a router that is not added yet.")] = None,
    address: Annotated[
        list[str] | None, typer.Option(help="Admit the login from this address or network alone; may be repeated.")
    ] = None,
    password_file: PasswordFile = None,
    new_password: Annotated[Path | None, typer.Option(metavar="FILE", help=NEW_PASSWORD_HELP)] = None,
    tls: Annotated[Tls | None, typer.Option(help=TLS_HELP)] = None,
    as_json: Json = False,
) -> None:
    """Print the RouterOS commands that let IMSys in, with the least rights that it needs. Contacts no router.

    They make a group with the policies api, read, write, sensitive and test, a user in it, and enable the API. The text
    holds the password: paste it in the router's terminal, twice if you like, and keep it to yourself.
    """
    if (name is None) == (username is None):
        raise InputError("Nobody to let in was named.", remedy="Pass a router's NAME, or --username for a new one")
    if password_file is not None and new_password is not None:
        raise InputError("A password is given or made up.", remedy="Pass --password-file or --new-password, not both")
    from imsys.cli.output import print_json
    from imsys.onboarding.script import Access, check_addresses
    from imsys.onboarding.script import script as written

    addresses = check_addresses(address or [])
    password = read_password(password_file)
    if new_password is not None:
        password = _keep(new_password)
    if name is not None:
        login, stored, stored_tls = _stored(name)
        access = Access(login, stored if password is None else password, addresses, tls or stored_tls)
    else:
        assert username is not None
        made_up = _make_up() if password is None else password
        access = Access(username, made_up, addresses, tls or "off")
    text = written(access)
    if as_json:
        print_json(
            {"username": access.username, "addresses": addresses, "tls": access.tls, "script": text.splitlines()}
        )
    else:
        print(text, end="")


def _stored(name: str) -> tuple[str, str, Tls]:
    from imsys.cli.database import database

    with database():
        from imsys.onboarding.check import stored_endpoint

        endpoint = stored_endpoint(name)
    return endpoint.username, endpoint.password, endpoint.tls


def _make_up() -> str:
    """Letters and digits: no terminal has a meaning of its own for them."""
    return "".join(secrets.choice(string.ascii_letters + string.digits) for _ in range(PASSWORD_LENGTH))


def _keep(path: Path) -> str:
    from imsys.cli.output import say

    password = _make_up()
    try:
        path.touch(mode=0o600, exist_ok=False)
        path.write_text(f"{password}\n")
    except FileExistsError:
        raise InputError(
            f"There is a file {path} already.", remedy="Name a new one, or use it with --password-file"
        ) from None
    except OSError as error:
        raise InputError(f"The file {path} cannot be written: {error.strerror}.") from error
    say(f"the password is in {path}, and in the commands below")
    return password


@command(
    app,
    "snapshot",
    examples=[
        "imsys router snapshot rt-ngong",
        "imsys router snapshot rt-ngong --csv rt-ngong.csv",
        "imsys router snapshot rt-ngong --json",
    ],
)
def snapshot(
    name: Name,
    csv: Annotated[Path | None, typer.Option(metavar="FILE", help=CSV_HELP)] = None,
    force: Annotated[bool, typer.Option("--force", help="Write over the file when it is there.")] = False,
    as_json: Json = False,
) -> None:
    """Look at what is on a router: lines, conflicts, likely packages, how it cuts lines off, who is online.

    Writes nothing to the router and adopts nobody. Passwords are counted, and shown nowhere. With --csv the lines go to
    a file for a spreadsheet: edit it, and hand it to `imsys router adopt`.
    """
    from imsys.cli.database import database
    from imsys.cli.output import print_json

    if csv is not None and csv.exists() and not force:
        raise InputError(f"There is a file {csv} already.", remedy="Name a new one, or pass --force to write over it")
    with database():
        from imsys.onboarding.mapfile import write_map
        from imsys.onboarding.snapshot import snapshot_router

        found = snapshot_router(name)
    if csv is not None:
        try:
            csv.write_bytes(write_map(found.rows))
        except OSError as error:
            raise InputError(f"The file {csv} cannot be written: {error.strerror}.") from error
    if as_json:
        print_json(found.as_dict())
    else:
        for line in summary(found.as_dict()):
            print(line)
        if csv is not None:
            print(f"written to {csv}: {len(found.rows)} lines, to edit and adopt")


def summary(found: dict[str, Any]) -> Iterator[str]:
    """What a person looks for first; the whole of it is in --json."""
    lines, suspension = found["lines"], found["suspension"]
    yield f"{found['router']}: {found['identity']}, RouterOS {found['version']}"
    yield f"lines: {', '.join(f'{lines[service]} {service}' for service in ('pppoe', 'static', 'hotspot'))}"
    yield f"to adopt as they stand: {lines['adopt']}; cut off: {lines['cut']}; online: {lines['online']}"
    yield f"passwords: {', '.join(f'{count} {state}' for state, count in found['passwords'].items())}"
    if found["missing"]:
        yield f"menus that it lacks: {', '.join(found['missing'])}"
    if found["without_row"]:
        yield f"online without a row of their own (RADIUS?): {_some(found['without_row'])}"
    for package in found["packages"]:
        of = f"the profile {package['profile']!r}" if package["profile"] else "queues of that speed"
        rate = f" at {package['rate']}" if package["rate"] else ""
        yield f"package: {package['package']}, {package['lines']} lines, from {of}{rate}"
    likely = suspension["likely"]
    if likely:
        yield f"cuts lines off by {' '.join(filter(None, (likely['by'], likely['name'])))}, it seems"
    for way in suspension["ways"]:
        yield f"suspension: {way['by']} {way['name']}: {way['lines']} lines; {way['grounds']}"
    kinds = Counter(conflict["kind"] for conflict in found["conflicts"])
    for kind, count in kinds.items():
        first = next(conflict["text"] for conflict in found["conflicts"] if conflict["kind"] == kind)
        yield f"conflict: {count} of {kind}, such as: {first}"


def _some(names: Sequence[str]) -> str:
    from imsys.kit.nearest import first_few

    return first_few(names)


@command(
    app,
    "adopt",
    examples=[
        "imsys router adopt rt-ngong --map rt-ngong.csv --dry-run",
        "imsys router adopt rt-ngong --map rt-ngong.csv",
    ],
)
def adopt(
    name: Name,
    map_file: Annotated[Path, typer.Option("--map", metavar="FILE", help=MAP_HELP)],
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Check every line, adopt nobody.")] = False,
    as_json: Json = False,
) -> None:
    """Make subscribers, and their packages, of the lines that stand on a router: all of the file's, or none.

    The router is only read, for passwords and for who is cut off there; nothing is written to it. The columns of the
    file: adopt,username,service,package,profile,rate,price,address,mac,suspended,expires_at,full_name,phone,email. An
    empty `suspended` follows the router; an empty `expires_at` never ends. Who is a subscriber already stays so.
    """
    from dataclasses import asdict

    from imsys.cli.database import actor, database
    from imsys.cli.output import complain, print_json

    if not map_file.is_file():
        raise InputError(
            f"There is no file {map_file}.", remedy="Write one with: imsys router snapshot NAME --csv FILE"
        )
    with database():
        from imsys.onboarding.adopting import adopt_router
        from imsys.subscribers.csvfile import read

        outcome = adopt_router(name, read(map_file), dry_run=dry_run, actor=actor())
    if as_json:
        problems = [{"line": line, "error": text} for line, text in outcome.problems]
        print_json({**asdict(outcome), "problems": problems, "dry_run": dry_run, "router": name})
    else:
        for line, text in outcome.problems:
            complain(f"{map_file}:{line}: {text}")
    if outcome.problems:
        count = len(outcome.problems)
        what = "thing is" if count == 1 else "things are"
        complain(f"error: {count} {what} wrong, nobody was adopted. Correct the file.")
        raise typer.Exit(Code.FAILED)
    if not as_json:
        verb = "would be adopted" if dry_run else "adopted"
        print(f"{verb}: {outcome.subscribers} subscribers, {outcome.suspended} of them suspended")
        print(f"new packages: {', '.join(outcome.packages) or 'none'}")
        if outcome.expired:
            print(past_end(outcome.expired))
        print(
            f"subscribers already: {outcome.already}; left out by the file: {outcome.left_out}; "
            f"not in the file: {outcome.not_in_map}; without a password kept here: {outcome.without_password}"
        )
