"""`imsys unmanaged`: logins that stand on the routers and that nobody here owns."""

from typing import Annotated, Any, Literal

import typer

from imsys.cli.app import Json, RouterFilter, Yes, command, confirm_number, group
from imsys.cli.exits import Code
from imsys.kit.errors import InputError

app = group("Logins on the routers that nobody here owns: keep, adopt, quarantine or remove them.")

COLUMNS = {
    "router": "Router",
    "name": "Login",
    "is_live": "Online",
    "state": "State",
    "menu": "Menu",
    "shown": "Says",
    "first_seen_at": "First seen",
    "last_seen_at": "Last seen",
}
DONE = {"keep": "to keep", "quarantine": "to quarantine", "remove": "to remove"}

Names = Annotated[list[str] | None, typer.Argument(help="Logins; naming them is confirmation.", show_default=False)]
Match = Annotated[str, typer.Option("--match", metavar="PATTERN", help="Those whose name is like this, such as test*.")]
Live = Annotated[bool, typer.Option("--live", help="Only those who are online.")]
Service = Annotated[Literal["pppoe", "hotspot"] | None, typer.Option(help="Only PPP secrets, or only hotspot users.")]
Everything = Annotated[bool, typer.Option("--all", help="All that the other options leave. Asks, or takes --yes.")]


@command(
    app, "list", examples=["imsys unmanaged list --live", "imsys unmanaged list --router rt-ngong --match 'test*'"]
)
def list_rows(
    router: RouterFilter = None,
    service: Service = None,
    match: Match = "",
    live: Live = False,
    as_json: Json = False,
) -> None:
    """List logins that nobody owns, those who are online first. Workers look at each whole read of a router."""
    from imsys.cli.database import database
    from imsys.cli.output import print_list

    with database():
        from imsys.fleet.inbox import Choice, rows

        found = rows(Choice(router or "", service or "", match=match, live=live))
    shown = found if as_json else [{**row, "shown": _line(row["shown"])} for row in found]
    print_list(shown, COLUMNS, as_json=as_json, empty="No login is nobody's, as far as the routers were read.")


def _line(said: dict[str, str]) -> str:
    return ", ".join(f"{name}={text}" for name, text in said.items())


def declare(decision: str, says: str, *examples: str) -> None:
    def decide(
        names: Names = None,
        router: RouterFilter = None,
        service: Service = None,
        match: Match = "",
        live: Live = False,
        everything: Everything = False,
        yes: Yes = False,
        as_json: Json = False,
    ) -> None:
        _decide(decision, names, router, service, match, live, everything, yes, as_json)

    decide.__doc__ = says
    command(app, decision, examples=examples)(decide)


declare(
    "keep",
    "They may stay as they are: known to people, and whatever the router's policy is.",
    "imsys unmanaged keep noc-tunnel --router rt-ngong",
)
declare(
    "quarantine",
    "Disable them and end their sessions. Nothing of them is lost: keep, and a person on the router, undo it.",
    "imsys unmanaged quarantine test1 test2",
    "imsys unmanaged quarantine --live --all --yes",
)
declare(
    "remove",
    "Take them off the router and end their sessions.",
    "imsys unmanaged remove old-neighbour --router rt-ngong",
)


@command(
    app,
    "adopt",
    examples=[
        "imsys unmanaged adopt ann ben --router rt-ngong",
        "imsys unmanaged adopt --router rt-ngong --match 'fiber-*' --package fiber-20 --all --yes",
    ],
)
def adopt(
    router: Annotated[str, typer.Option("--router", metavar="NAME", help="The router that they are on.")],
    names: Names = None,
    service: Service = None,
    match: Match = "",
    live: Live = False,
    package: Annotated[str, typer.Option(metavar="NAME", help="Their package; else it is guessed.")] = "",
    everything: Everything = False,
    yes: Yes = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Check every one, adopt nobody.")] = False,
    as_json: Json = False,
) -> None:
    """Make subscribers of them as they stand, all or nobody. The router is only read.

    Without --package each gets the one that its profile suggests, as in `imsys router snapshot`.
    """
    from dataclasses import asdict

    from imsys.cli.database import actor, database
    from imsys.cli.output import complain, print_json

    with database():
        from imsys.fleet.inbox import Choice, rows
        from imsys.onboarding.adopting import adopt_some

        chosen = rows(_choice(Choice, names, router, service, match, live, everything))
        _confirm("adopt", chosen, names, yes or dry_run)
        logins = [(row["menu"], row["name"]) for row in chosen]
        outcome, wrong = adopt_some(router, logins, package=package, dry_run=dry_run, actor=actor())
    if as_json:
        problems = [{"name": name, "error": text} for name, text in wrong]
        print_json({**asdict(outcome), "problems": problems, "dry_run": dry_run, "router": router})
    else:
        for name, text in wrong:
            complain(f"{name}: {text}")
    if wrong:
        complain(f"error: {len(wrong)} cannot be adopted, so nobody was. Correct them, or leave them out.")
        raise typer.Exit(Code.FAILED)
    if not as_json:
        print(f"{'would be adopted' if dry_run else 'adopted'}: {outcome.subscribers} subscribers")
        print(f"new packages: {', '.join(outcome.packages) or 'none'}")


def _decide(
    decision: str,
    names: list[str] | None,
    router: str | None,
    service: str | None,
    match: str,
    live: bool,
    everything: bool,
    yes: bool,
    as_json: bool,
) -> None:
    from imsys.cli.database import actor, database
    from imsys.cli.output import print_json

    with database():
        from imsys.fleet.inbox import Choice, decide, rows

        choice = _choice(Choice, names, router, service, match, live, everything)
        _confirm(decision, rows(choice), names, yes)
        decided = decide(choice, decision, actor=actor())
    if as_json:
        print_json({"decision": decision, "rows": [{"router": r["router"], "name": r["name"]} for r in decided]})
        return
    print(f"{len(decided)} {'login' if len(decided) == 1 else 'logins'} {DONE[decision]}")
    idle = sorted({row["router"] for row in decided if row["mode"] != "enforce"})
    if idle and decision != "keep":
        print(f"Nothing is written to {', '.join(idle)} until its mode is enforce.")


def _choice(
    make: Any,
    names: list[str] | None,
    router: str | None,
    service: str | None,
    match: str,
    live: bool,
    everything: bool,
) -> Any:
    if not names and not everything:
        raise InputError("No login was named.", remedy="Name them, or pass --all with --router, --match or --live")
    if names and everything:
        raise InputError("Both names and --all were given.", remedy="Pass the one or the other")
    return make(router or "", service or "", names or (), match, live)


def _confirm(verb: str, chosen: list[dict[str, Any]], names: list[str] | None, yes: bool) -> None:
    """Naming them is confirmation; all of a kind is confirmed by their number."""
    if names or yes:
        return
    live = sum(row["is_live"] for row in chosen)
    confirm_number(f"{verb} {len(chosen)} logins, {live} of them online", len(chosen))
