"""What a run means for a subscriber or router: named reasons with remedies. docs/reference/reasons.md lists them."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Problem:
    """Why a subscriber's rows cannot be as they should; `text` is ours or the router's own words."""

    code: str
    text: str
    remedy: str = ""

    def __str__(self) -> str:
        return f"{self.text} {self.remedy}".strip()


def unknown_profile(menu: str, profile: str) -> Problem:
    what = "PPP profile" if menu.startswith("/ppp") else "hotspot user profile"
    return Problem(
        "UnknownProfile",
        f"The router has no {what} named {profile!r}.",
        "Create it on the router, or give the package another profile.",
    )


def missing_menu(menu: str) -> Problem:
    return Problem(
        "NoSuchMenu",
        f"This router has no {menu}.",
        "Install or enable the package it belongs to, or move the subscriber to a router that has it.",
    )


def taken(words: str) -> Problem:
    return Problem(
        "Taken",
        f"The router said: {words}",
        "Another row there has the same name or address; change or remove it, or give the subscriber another.",
    )


def kick_waits() -> Problem:
    return Problem(
        "KickWaits",
        "The router is right; the session is ended in its turn, so that not all dial in again at once.",
        "Nothing to do; the pace is set with: imsys router set NAME --kicks-per-second N",
    )


def moving() -> Problem:
    return Problem(
        "Moving",
        "Its rows are made here; it may log in once they are gone from the router that it left.",
        "Nothing to do: it goes on by itself, also when that router cannot be reached.",
    )


def only_observed() -> Problem:
    return Problem(
        "OnlyObserved",
        "What its rows refer to and others here use too is not as wanted, and the router is only observed.",
        "Enforce the router, or make the package say what the router has; imsys plan shows the difference.",
    )


def fight(what: str) -> Problem:
    return Problem(
        "Fight",
        f"{what} is changed back each time it is put right, so that its repair rests.",
        "Stop whatever changes it, or want what it wants; who it is, and how not to wait: imsys fight list",
    )


def not_holding(rounds: int) -> Problem:
    return Problem(
        "NotHolding",
        f"The router said yes {rounds} times, but the row still differs when read back.",
        "Look for a script or a person that changes it back: imsys events shows who.",
    )


def session_stays(username: str) -> Problem:
    return Problem(
        "SessionStays",
        f"The session of {username!r} is still there after it was ended.",
        "It is tried again; look at the router's active connections if it lasts.",
    )


def settling() -> Problem:
    return Problem(
        "Settling",
        "The router has just booted, and what it does not list yet may still appear.",
        "Nothing to do: it goes on by itself, within a minute of the boot.",
    )


def refused(code: str, words: str, remedy: str) -> Problem:
    return Problem(code, f"The router said: {words}", remedy)


REASONS = (
    *("UnknownProfile", "NoSuchMenu", "Taken", "NotHolding", "SessionStays", "KickWaits", "Moving", "Settling"),
    *("OnlyObserved", "Fight"),
    *("OtherRouter", "RowsVanished", "TooManySteps"),
)
