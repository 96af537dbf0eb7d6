"""Login, what is said before it, and what a group may do after it."""

import pytest

from imsys.routeros.protocol import challenge_response
from imsys.sim import Behaviour, SimRouter, SimUser
from imsys.sim.accounts import ALL_POLICIES
from tests.unit.sim.talker import Talker, connect, login

REFUSED = "invalid user name or password (6)"


async def test_a_good_login_leaves_its_traces(router: SimRouter) -> None:
    talker = await login(router)
    assert router.counters.logins == 1
    (row,) = await talker.rows("/user/active/print")
    assert {key: row[key] for key in ("name", "via", "address", "group")} == {
        "name": "admin",
        "via": "api",
        "address": "127.0.0.1",
        "group": "full",
    }
    log = await talker.rows("/log/print", "?topics=system,info,account")
    assert log[-1]["message"] == "user admin logged in from 127.0.0.1 via api"
    talker.transport.close()
    await talker.until_lost()
    assert not router.table("/user/active").rows
    assert router.table("/log").rows[-1]["message"] == "user admin logged out from 127.0.0.1 via api"


async def test_a_wrong_password_is_refused_and_logged(router: SimRouter) -> None:
    talker = await connect(router)
    trap, done = await talker.say("/login", "=name=admin", "=password=wrong")
    assert (trap.kind, trap.message, trap.attributes.get("category"), done.kind) == ("!trap", REFUSED, None, "!done")
    assert router.table("/log").rows[-1] | {".id": "", "time": ""} == {
        ".id": "",
        "time": "",
        "topics": "system,error,critical",
        "message": "login failure for user admin from 127.0.0.1 via api",
        "extra-info": "",
    }
    await talker.ret("/login", "=name=admin", "=password=")  # the same connection may try again
    assert (router.counters.logins, router.counters.failed_logins) == (1, 1)


async def test_too_many_failures_are_fatal(router: SimRouter) -> None:
    talker = await connect(router)
    for _ in range(4):
        assert await talker.trap("/login", "=name=admin", "=password=wrong") == REFUSED
    talker.send("/login", "=name=admin", "=password=")
    await talker.until_lost()
    assert (talker.replies[-1].kind, talker.replies[-1].message) == ("!fatal", "too many commands before login")


async def test_nothing_else_is_said_before_login(router: SimRouter) -> None:
    talker = await connect(router)
    talker.send("/ppp/secret/print", tag="1")
    await talker.until_lost()
    assert [(reply.kind, reply.message) for reply in talker.replies] == [("!fatal", "not logged in")]


async def test_quit_is_answered_by_fatal(talker: Talker) -> None:
    talker.send("/quit", tag="1")
    await talker.until_lost()
    assert (talker.replies[-1].kind, talker.replies[-1].message) == ("!fatal", "session terminated on request")


@pytest.mark.parametrize("user", ["no-api", "elsewhere", "off", "nobody"])
async def test_other_reasons_have_the_same_words(user: str) -> None:
    router = SimRouter(
        "r1",
        users={
            "no-api": SimUser("pw", "web-only", policies=ALL_POLICIES - {"api"}),
            "elsewhere": SimUser("pw", address="192.168.0.0/16"),
            "off": SimUser("pw"),
        },
    )
    router.table("/user").set("off", disabled="yes")
    assert await (await connect(router)).trap("/login", f"=name={user}", "=password=pw") == REFUSED


async def test_the_login_before_6_43() -> None:
    router = SimRouter("r1", version="6.42.12", users={"admin": SimUser("pässword")})
    talker = await connect(router)
    challenge = await talker.ret("/login")
    assert len(challenge) == 32
    bad = challenge_response("wrong", challenge)
    assert await talker.trap("/login", "=name=admin", f"=response={bad}") == "cannot log in"
    challenge = await talker.ret("/login")
    good = challenge_response("pässword", challenge)
    await talker.ret("/login", "=name=admin", f"=response={good}")
    assert len(await talker.rows("/system/identity/print")) == 1


async def test_without_sensitive_passwords_are_stars() -> None:
    users = {
        "all": SimUser("pw"),
        "some": SimUser("pw", "isp", policies=frozenset({"api", "read", "write"})),
        "read": SimUser("pw", "viewer", policies=frozenset({"api", "read", "sensitive"})),
        "blind": SimUser("pw", "blind", policies=frozenset({"api", "write"})),
    }
    router = SimRouter("r1", users=users)
    router.seed_secrets(2, password="hush")
    passwords = {}
    for name in ("all", "some", "read"):
        rows = await (await login(router, name, "pw")).rows("/ppp/secret/print", "=.proplist=.id,password")
        passwords[name] = {row["password"] for row in rows}
    assert passwords == {"all": {"hush"}, "some": {"*****"}, "read": {"hush"}}
    some = await login(router, "some", "pw")
    await some.ret("/ppp/secret/set", "=.id=*1", "=password=new")
    assert router.table("/ppp/secret").rows[0]["password"] == "new"
    assert await some.ret("/ppp/secret/get", "=.id=*1", "=value-name=password") == "*****"
    viewer = await login(router, "read", "pw")
    assert await viewer.trap("/ppp/secret/disable", "=.id=*1") == "not enough permissions (9)"
    assert await viewer.trap("/system/reboot") == "not enough permissions (9)"
    assert await viewer.trap("/ping", "=address=10.0.0.1") == "not enough permissions (9)"
    assert await (await login(router, "blind", "pw")).trap("/ppp/secret/print") == "not enough permissions (9)"


async def test_users_are_changed_with_policy_and_sessions_keep_theirs(router: SimRouter, talker: Talker) -> None:
    await talker.ret("/user/group/add", "=name=isp", "=policy=api,read,write")
    await talker.ret("/user/add", "=name=imsys", "=group=isp", "=password=pw")
    ours = await login(router, "imsys", "pw")
    assert await ours.trap("/user/set", "=.id=imsys", "=group=full") == "not enough permissions (9)"
    assert all("password" not in row for row in await talker.rows("/user/print"))
    assert await talker.trap("/user/group/remove", "=.id=isp") == "failure: group has some users"
    await talker.ret("/user/group/set", "=.id=isp", "=policy=!write,sensitive")
    policy = router.table("/user/group").rows[-1]["policy"].split(",")
    assert {"api", "read", "sensitive", "!write"} <= set(policy)  # what was not named stays
    await ours.ret("/ppp/secret/add", "=name=x")  # until it logs in again
    again = await login(router, "imsys", "pw")
    assert await again.trap("/ppp/secret/add", "=name=y") == "not enough permissions (9)"


@pytest.mark.parametrize("switch", ["close", "hang"])
async def test_at_most_max_sessions(switch: str) -> None:
    router = SimRouter("r1", behaviour=Behaviour(over_max_sessions=switch))  # type: ignore[arg-type]
    router.table("/ip/service").set("api", max_sessions="2")
    talkers = [await login(router) for _ in range(2)]
    third = await connect(router)
    if switch == "close":
        await third.until_lost()
    else:
        third.send("/login", "=name=admin", "=password=")
        await talkers[0].rows("/system/identity/print")
        assert not third.replies
        assert not third.is_lost


async def test_a_closed_service_accepts_and_closes(router: SimRouter) -> None:
    router.table("/ip/service").set("api", address="192.168.88.0/24")
    talker = await connect(router)
    await talker.until_lost()
    router.table("/ip/service").set("api", address="127.0.0.0/8")
    await login(router)
