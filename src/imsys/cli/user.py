"""`imsys user`: people who log in to the web pages."""

import secrets
import sys
from typing import Annotated, Literal

import typer

from imsys.cli.app import Json, PasswordFile, command, group, read_password
from imsys.kit.errors import InputError

app = group("People who log in to the web pages.")

Role = Literal["admin", "operator", "technician", "viewer"]


@app.callback()
def users() -> None:
    """People who log in to the web pages."""


@command(
    app,
    "add",
    examples=["imsys user add wanjiku --role admin", "imsys user add juma --role technician --password-file juma.pw"],
)
def add(
    name: Annotated[str, typer.Argument(help="Login name.", show_default=False)],
    role: Annotated[Role, typer.Option(help="What the person may do.")],
    password_file: PasswordFile = None,
    as_json: Json = False,
) -> None:
    """Add a person. Without --password-file the password is asked for, or made and printed where nobody answers."""
    password = read_password(password_file)
    if password is None and sys.stdin.isatty():
        password = str(typer.prompt(f"Password of {name}", hide_input=True, confirmation_prompt=True, err=True))
    if password == "":
        raise InputError("The password is empty.", remedy="Put it on the first line of the file")
    made = None if password else secrets.token_urlsafe(12)
    from imsys.cli.database import actor, database
    from imsys.cli.output import print_json

    with database():
        from imsys.accounts import services

        services.add_user(name=name, role=role, password=password or made or "", actor=actor())
    if as_json:
        print_json({"user": name, "role": role, **({"password": made} if made else {})})
    else:
        print(f"added {name} as {role}" + (f", with the password {made}" if made else ""))
