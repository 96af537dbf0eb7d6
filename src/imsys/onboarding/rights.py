"""What the login may do on the router: its group's policies, whether it may write, whether it is shown passwords."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from imsys.onboarding.report import Report
from imsys.reconcile.kinds.ppp_secret import HIDDEN
from imsys.routeros.client import Client
from imsys.routeros.errors import NotPermitted, TrapError

POLICIES = ("api", "read", "write", "sensitive", "test")
"""What IMSys needs, and nothing else."""
NO_SUCH_ROW = "*FFFFFFFF"
MOST_KNOWN = 5
OTHER_GROUP = "Give it a group of its own: `imsys router script` prints the commands."


@dataclass(frozen=True, slots=True)
class Known:
    """Passwords that we keep, by username, as fingerprints: one that the router shows is recognised by its own.

    routers: by serial number, the other routers that we keep.
    """

    passwords: Mapping[str, bytes] = field(default_factory=dict, repr=False)
    fingerprint: Callable[[str], bytes] = field(default=str.encode, repr=False)
    routers: Mapping[str, str] = field(default_factory=dict)


async def check_policies(client: Client, username: str, report: Report) -> None:
    try:
        users = await client.print("/user", proplist=("name", "group", "address"), queries=(f"?name={username}",))
        group = users[0].get("group", "") if users else ""
        groups = await client.print("/user/group", proplist=("name", "policy"), queries=(f"?name={group}",))
    except NotPermitted:
        users, groups = [], []
    if not groups:
        report.add("policies", "warning", "the router does not tell what the login's group may do", OTHER_GROUP)
        return
    granted = frozenset(word for word in groups[0].get("policy", "").split(",") if word and word[0] != "!")
    report.policies = granted
    lacks = [policy for policy in POLICIES if policy not in granted]
    more = sorted(granted - set(POLICIES))
    where = f"from {users[0]['address']}" if users[0].get("address") else "from any address"
    if lacks:
        remedy = f"Give the group these policies on the router: {','.join(lacks)}."
        report.add("policies", "warning", f"the group {group} lacks {', '.join(lacks)}", remedy)
    elif more:
        report.add("policies", "warning", f"more than is needed: {', '.join(more)}; {where}", OTHER_GROUP)
    else:
        report.add("policies", "ok", f"{', '.join(POLICIES)}; {where}")


async def check_write(client: Client, report: Report) -> None:
    """Asks to change a row that cannot exist: who may write is told that there is none, who may not is told that."""
    try:
        await client.set("/ppp/secret", [NO_SUCH_ROW], {"disabled": "no"})
    except NotPermitted:
        report.can_write = False
        report.add("write", "warning", "the login may only read", "Enough for observe; enforce needs the write policy.")
        return
    except TrapError:
        pass  # no such item
    report.can_write = True
    report.add("write", "ok", "the login may write")


async def check_sensitive(client: Client, known: Known, report: Report) -> None:
    if await _reads_back(client, known, report):
        return
    rows = await client.print("/ppp/secret", proplist=(".id", "password"))
    shown = [row["password"] for row in rows if row.get("password")]
    if any(password != HIDDEN for password in shown):
        report.shows_passwords = True
        report.add("sensitive", "ok", "passwords can be compared")
    elif shown or (rows and "sensitive" not in (report.policies or ())):
        _hidden(report)
    elif report.policies is not None and "sensitive" not in report.policies:
        _hidden(report)
    elif report.policies is not None:
        report.add("sensitive", "ok", "the group has the policy; there is no password yet to read back")
    else:
        report.add("sensitive", "warning", "unknown until the router has a secret", "Test again later.")


async def _reads_back(client: Client, known: Known, report: Report) -> bool:
    """Whether the password of a subscriber of ours settled it."""
    for username in sorted(known.passwords)[:MOST_KNOWN]:
        rows = await client.print("/ppp/secret", proplist=("name", "password"), queries=(f"?name={username}",))
        password = rows[0].get("password", "") if rows else ""
        if password and known.fingerprint(password) == known.passwords[username]:
            report.shows_passwords = True
            report.add("sensitive", "ok", f"the password of {username} reads back as it is kept here")
            return True
    return False


def _hidden(report: Report) -> None:
    report.shows_passwords = False
    report.add(
        "sensitive",
        "warning",
        "the router shows no password, so a changed one is not noticed and none can be adopted",
        "Give the login's group the sensitive policy.",
    )
