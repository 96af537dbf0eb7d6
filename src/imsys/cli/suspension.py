"""`imsys subscriber suspend` and `resume`: by name, by file, or everybody on a router."""

from typing import Annotated, Any

import typer

from imsys.cli.app import Json, Yes, command, confirm_number, read_names
from imsys.cli.subscriber import app
from imsys.kit.errors import InputError

PAST = {"suspend": "suspended", "resume": "resumed"}
CAUSES = ("expiry", "non-payment", "abuse", "request", "other")

Usernames = Annotated[
    list[str] | None, typer.Argument(help="Usernames; naming them is confirmation.", show_default=False)
]
File = Annotated[str | None, typer.Option(metavar="FILE|-", help="Usernames, one a line.")]
OnRouter = Annotated[str | None, typer.Option(metavar="NAME", help="Everybody on this router; needs --all.")]
All = Annotated[
    bool, typer.Option("--all", help="With --router: everybody there. Asks for their number, or takes --yes.")
]


@command(
    app,
    "suspend",
    examples=[
        "imsys subscriber suspend ann ben",
        "imsys subscriber suspend --file unpaid.txt --reason non-payment",
        "imsys subscriber suspend ann --reason 'moved house'",
        "imsys subscriber suspend --router rt-ngong --all --yes --reason request",
    ],
)
def suspend(
    usernames: Usernames = None,
    file: File = None,
    router: OnRouter = None,
    everybody: All = False,
    reason: Annotated[
        str,
        typer.Option(
            "--reason", "--cause", help="expiry, non-payment, abuse, request; any other text is kept as a note."
        ),
    ] = "non-payment",
    yes: Yes = False,
    as_json: Json = False,
) -> None:
    """Suspend subscribers: their service ends as soon as the router has followed. All of them in one step, or nobody.

    One who is suspended for the same reason already is left as he is.
    """
    _check_spelling(reason)
    cause, note = (reason, "") if reason in CAUSES else ("other", reason)
    _change("suspend", usernames, file, router, everybody, yes, as_json, cause=cause, note=note)


@command(
    app,
    "resume",
    examples=[
        "imsys subscriber resume ann",
        "imsys subscriber resume --file paid.txt --cause non-payment",
        "imsys subscriber resume --router rt-ngong --all --yes",
    ],
)
def resume(
    usernames: Usernames = None,
    file: File = None,
    router: OnRouter = None,
    everybody: All = False,
    cause: Annotated[
        str | None, typer.Option("--cause", "--reason", help="Lift only this one; without it, all that people set.")
    ] = None,
    yes: Yes = False,
    as_json: Json = False,
) -> None:
    """Lift suspensions. A subscriber stays suspended while another cause stands."""
    if cause is not None and cause not in CAUSES:
        raise InputError(f"{cause!r} is not a cause.", remedy=f"Use one of {', '.join(CAUSES)}")
    _change("resume", usernames, file, router, everybody, yes, as_json, cause=cause)


def _check_spelling(reason: str) -> None:
    """A cause that is misspelt would be kept as a note, and no later word for that cause would lift it."""
    from imsys.kit.nearest import did_you_mean

    if reason not in CAUSES and " " not in reason.strip() and (guess := did_you_mean(reason.lower(), CAUSES)):
        raise InputError(f"{reason!r} is not a cause. {guess}", remedy="Write a note of your own with a blank in it")


def _change(
    verb: str,
    usernames: list[str] | None,
    file: str | None,
    router: str | None,
    everybody: bool,
    yes: bool,
    as_json: bool,
    **how: Any,
) -> None:
    names = list(dict.fromkeys([*(usernames or []), *(read_names(file) if file else [])]))
    check_scope(names, router, everybody)
    from imsys.cli.database import actor, database
    from imsys.cli.output import print_json, say_without_a_worker
    from imsys.cli.undo import told

    with database():
        from imsys.subscribers import services

        if router is not None:
            _confirm_all(verb, router, yes)
            one_router = services.suspend_all if verb == "suspend" else services.resume_all
            outcome = one_router(router, actor=actor(), **how)
        else:
            some = services.suspend if verb == "suspend" else services.resume
            outcome = some(names, actor=actor(), **how)
        say_without_a_worker()
    if as_json:
        fields = {"changed": len(outcome.changed), "already": outcome.already, "change": outcome.change}
        print_json(fields | ({"still_suspended": outcome.still_suspended} if verb == "resume" else {}))
    else:
        already = (
            f", {outcome.already} {'was' if outcome.already == 1 else 'were'} so already" if outcome.already else ""
        )
        print(f"{PAST[verb]} {len(outcome.changed)}{already}")
        told(outcome.change)
        if outcome.hint:
            print(outcome.hint)


def check_scope(names: list[str], router: str | None, everybody: bool) -> None:
    if names and (router or everybody):
        raise InputError(
            "Both names and a whole router were given.", remedy="Pass usernames (or --file), or --router R --all"
        )
    if bool(router) != everybody:
        raise InputError("A whole router needs both options.", remedy="Pass --router R and --all together")
    if not names and not router:
        raise InputError("Nobody was named.", remedy="Pass usernames, --file FILE, or --router R --all")


def _confirm_all(verb: str, router: str, yes: bool) -> None:
    if yes:
        return
    from imsys.subscribers.selectors import count_subscribers

    count = count_subscribers(router=router)
    confirm_number(f"{verb} all {count} subscribers of {router}", count)
