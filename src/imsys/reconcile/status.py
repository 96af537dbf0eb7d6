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


def unknown_profile(profile: str) -> Problem:
    return Problem(
        "UnknownProfile",
        f"The router has no PPP profile named {profile!r}.",
        "Create it on the router, or give the package another profile.",
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


REASONS = ("UnknownProfile", "NotHolding", "SessionStays", "Settling", "OtherRouter", "RowsVanished")
