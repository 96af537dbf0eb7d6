"""Which sessions must end. A session is known by its row id and session-id, both new at each login."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

from imsys.reconcile.diff import Step
from imsys.reconcile.intent import RouterIntent
from imsys.reconcile.kinds import SECRET

MENU = "/ppp/active"
PROPLIST = (".id", "name", "session-id", "service")


@dataclass(frozen=True, slots=True)
class Session:
    row_id: str
    name: str
    session_id: str

    @property
    def identity(self) -> tuple[str, str]:
        return self.row_id, self.session_id


def sessions(printed: Iterable[Mapping[str, str]]) -> list[Session]:
    return [Session(row.get(".id", ""), row.get("name", ""), row.get("session-id", "")) for row in printed]


def without_right(present: Iterable[Session], forbidden: Collection[str]) -> list[Session]:
    """Sessions of logins that may have none: suspended under `disable`, or removed."""
    return [session for session in present if session.name in forbidden]


def of_earlier_login(present: Iterable[Session], names: Collection[str]) -> list[Session]:
    """Sessions that were there before a confirmed change and must redial to come under it."""
    return [session for session in present if session.name in names]


def still_there(ended: Collection[Session], present: Iterable[Session]) -> list[Session]:
    """Of the sessions that were ended, those that a later read still shows."""
    identities = {session.identity for session in ended}
    return [session for session in present if session.identity in identities]


def owes_kick(step: Step, router: RouterIntent) -> bool:
    """Does this change take effect only when the live session redials? Into and out of the walled garden it does."""
    if router.suspend_by != "profile" or step.menu != SECRET.menu or step.action == "remove":
        return False
    return router.suspend_profile in (step.changes.get("profile"), step.before.get("profile")) and (
        "profile" in step.changes
    )
