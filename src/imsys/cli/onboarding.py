"""`imsys router script`, `snapshot` and `adopt`: letting IMSys in on a router, and taking over what is there."""

import secrets
import string
from pathlib import Path
from typing import Annotated

import typer

from imsys.cli.app import Json, PasswordFile, command, read_password
from imsys.cli.router import TLS_HELP, Tls, app
from imsys.kit.errors import InputError

PASSWORD_LENGTH = 24
NEW_PASSWORD_HELP = "Make a password up and keep it in this new file."  # noqa: S105


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
