"""/ip/hotspot: what its menus accept, refuse and print."""

import pytest

from imsys.sim import Behaviour, SimRouter, SimTrap, SimUser
from tests.unit.sim.talker import Talker, login

SERVERS = "/ip/hotspot"
USERS = "/ip/hotspot/user"
PROFILES = "/ip/hotspot/user/profile"
BINDINGS = "/ip/hotspot/ip-binding"
TAKEN = "failure: already have user with this name for this server"
MAC, OTHER_MAC = "48:8F:5A:00:00:01", "48:8F:5A:00:00:02"


async def test_the_server_of_a_small_isp(talker: Talker) -> None:
    (row,) = await talker.rows(f"{SERVERS}/print")
    shown = {name: row[name] for name in ("name", "interface", "address-pool", "profile", "idle-timeout", "disabled")}
    assert shown == {
        "name": "hotspot1",
        "interface": "ether4",
        "address-pool": "none",
        "profile": "hsprof1",
        "idle-timeout": "5m",
        "disabled": "false",
    }
    await talker.ret(f"{SERVERS}/add", "=interface=ether5")
    added = (await talker.rows(f"{SERVERS}/print"))[1]
    assert (added["name"], added["profile"], added["disabled"]) == ("hotspot2", "default", "true")
    assert await talker.trap(f"{SERVERS}/add", "=name=x") == "missing =interface="
    assert await talker.trap(f"{SERVERS}/add", "=interface=ether5", "=comment=x") == "unknown parameter comment"
    assert await talker.trap(f"{SERVERS}/add", "=interface=ether5", "=address-pool=nope") == (
        "input does not match any value of address-pool"
    )


async def test_a_blank_router_has_no_server() -> None:
    talker = await login(SimRouter("r1", is_blank=True))
    assert await talker.rows(f"{SERVERS}/print") == []
    assert [row["name"] for row in await talker.rows(f"{PROFILES}/print")] == ["default"]


async def test_users_from_the_factory_and_added(talker: Talker) -> None:
    await talker.ret(f"{USERS}/add", "=name=ann", "=password=pw")
    counted = dict.fromkeys(("bytes-in", "bytes-out", "packets-in", "packets-out"), "0")
    common = {"profile": "default", "uptime": "0s", "dynamic": "false", "disabled": "false"} | counted
    trial = {".id": "*0", "name": "default-trial", "default": "true"} | common
    assert await talker.rows(f"{USERS}/print") == [
        trial | {"comment": "counters and limits for trial users"},
        {".id": "*1", "name": "ann", "password": "pw"} | common,
    ]
    assert await talker.trap(f"{USERS}/remove", "=.id=*0") == "default trial user can not be removed"
    await talker.ret(f"{USERS}/set", "=.id=*0", "=disabled=yes")


async def test_a_name_is_unique_per_server(router: SimRouter, talker: Talker) -> None:
    router.table(SERVERS).add(name="roof", interface="ether5")
    await talker.ret(f"{USERS}/add", "=name=ann")
    assert await talker.trap(f"{USERS}/add", "=name=ann", "=server=all") == TAKEN
    roof = await talker.ret(f"{USERS}/add", "=name=ann", "=server=roof")
    assert await talker.trap(f"{USERS}/add", "=name=ann", "=server=roof") == TAKEN
    await talker.ret(f"{USERS}/add", "=name=ann", "=server=hotspot1")
    assert await talker.trap(f"{USERS}/set", f"=.id={roof}", "=server=all") == TAKEN
    await talker.ret(f"{USERS}/add", "=name=Ann")
    shown = await talker.rows(f"{USERS}/print", "?name=ann", "=.proplist=server")
    assert shown == [{}, {"server": "roof"}, {"server": "hotspot1"}]
    await talker.ret(f"{SERVERS}/remove", "=.id=roof")
    assert (await talker.rows(f"{USERS}/print", f"?.id={roof}"))[0]["server"] == "*2"  # nobody minds


@pytest.mark.parametrize(
    ("field", "message"),
    [
        ("server=nope", "input does not match any value of server"),
        ("server=ho", "ambiguous value of server, more than one possible value matches input"),
        ("server=", "ambiguous value of server, more than one possible value matches input"),
        ("profile=nope", "input does not match any value of profile"),
        ("profile=100", "ambiguous value of profile, more than one possible value matches input"),
        ("limit-uptime=soon", "invalid time value for argument limit-uptime"),
        ("limit-bytes-total=1G", "invalid value for argument limit-bytes-total"),
        ("address=", "invalid value for argument address"),
        ("mac-address=x", "invalid value of mac-address, mac address required"),
        ("uptime=1h", "unknown parameter uptime"),
        ("disabled=maybe", "input does not match any value of disabled"),
    ],
)
async def test_what_a_user_may_not_have(router: SimRouter, talker: Talker, field: str, message: str) -> None:
    router.table(SERVERS).add(name="hotspot2", interface="ether5")
    for name in ("100Megas", "100MegasSt"):
        router.table(PROFILES).add(name=name)
    assert await talker.trap(f"{USERS}/add", "=name=ann", f"={field}") == message


async def test_references_by_prefix_and_id(router: SimRouter, talker: Talker) -> None:
    gold = router.table(PROFILES).add(name="gold")
    await talker.ret(f"{USERS}/add", "=name=a", "=profile=go", "=server=hot")
    await talker.ret(f"{USERS}/add", "=name=b", f"=profile={gold}", "=server=al")
    router.table(SERVERS).add(name="alley", interface="ether5")
    assert "ambiguous" in await talker.trap(f"{USERS}/add", "=name=c", "=server=al")
    await talker.ret(f"{USERS}/add", "=name=c", "=server=all")
    rows = await talker.rows(f"{USERS}/print", "=.proplist=name,profile,server", "?>name=", "?profile=gold")
    assert rows == [{"name": "a", "profile": "gold", "server": "hotspot1"}, {"name": "b", "profile": "gold"}]


async def test_limits_and_how_they_are_cleared(talker: Talker) -> None:
    limits = ("=limit-uptime=01:30:00", "=limit-bytes-total=1000", "=limit-bytes-in=5")
    await talker.ret(f"{USERS}/add", "=name=ann", *limits, "=mac-address=48:8f:5a:00:00:01")
    wanted = "=.proplist=limit-uptime,limit-bytes-total,limit-bytes-in,mac-address"
    (_, row) = await talker.rows(f"{USERS}/print", wanted)
    assert row == {"limit-uptime": "1h30m", "limit-bytes-total": "1000", "limit-bytes-in": "5", "mac-address": MAC}
    await talker.ret(
        f"{USERS}/set", "=.id=ann", "=limit-uptime=0", "=!limit-bytes-total=", "=limit-bytes-in=0", "=!mac-address="
    )
    assert (await talker.rows(f"{USERS}/print", wanted))[1] == {"limit-uptime": "0s", "limit-bytes-in": "0"}


async def test_there_is_no_unset_but_for_profiles(talker: Talker) -> None:
    await talker.ret(f"{USERS}/add", "=name=ann", "=email=ann@example.org")
    assert await talker.trap(f"{USERS}/unset", "=.id=ann", "=value-name=email") == "no such command"
    await talker.ret(f"{PROFILES}/add", "=name=gold", "=rate-limit=5M/10M")
    await talker.ret(f"{PROFILES}/unset", "=.id=gold", "=value-name=rate-limit")
    assert "rate-limit" not in (await talker.rows(f"{PROFILES}/print", "?name=gold"))[0]


async def test_profiles(talker: Talker) -> None:
    await talker.ret(f"{PROFILES}/add", "=name=gold", "=rate-limit=5M/10M", "=shared-users=3")
    rows = await talker.rows(f"{PROFILES}/print")
    assert (rows[0][".id"], rows[0]["name"], rows[0]["default"]) == ("*0", "default", "true")
    assert rows[1] == {
        ".id": "*1",
        "name": "gold",
        "rate-limit": "5M/10M",
        "idle-timeout": "none",
        "keepalive-timeout": "2m",
        "status-autorefresh": "1m",
        "shared-users": "3",
        "add-mac-cookie": "true",
        "mac-cookie-timeout": "3d",
        "address-list": "",
        "open-status-page": "always",
        "on-login": "",
        "on-logout": "",
        "advertise": "false",
        "transparent-proxy": "false",
        "default": "false",
    }
    assert await talker.trap(f"{PROFILES}/add", "=name=x", "=comment=x") == "unknown parameter comment"
    assert await talker.trap(f"{PROFILES}/comment", "=.id=gold", "=comment=x") == "no such command"
    assert "already exists" in await talker.trap(f"{PROFILES}/add", "=name=gold")
    assert await talker.trap(f"{PROFILES}/set", "=.id=gold", "=shared-users=0") == (
        "value of shared-users out of range (1..4294967295)"
    )
    await talker.ret(f"{PROFILES}/set", "=.id=gold", "=shared-users=unlimited", "=keepalive-timeout=none")
    assert "default" in await talker.trap(f"{PROFILES}/remove", "=.id=*0")
    await talker.ret(f"{USERS}/add", "=name=ann", "=profile=gold")
    await talker.ret(f"{PROFILES}/remove", "=.id=gold")
    assert (await talker.rows(f"{USERS}/print", "?name=ann"))[0]["profile"] == "*1"


def test_a_used_profile_when_removing_it_is_refused() -> None:
    router = SimRouter("r1", behaviour=Behaviour(profile_in_use="refused"))
    router.table(PROFILES).add(name="gold")
    router.table(USERS).add(name="ann", profile="gold")
    with pytest.raises(SimTrap, match="in use"):
        router.table(PROFILES).remove("gold")
    with pytest.raises(SimTrap, match="in use"):
        router.table("/ip/hotspot/profile").remove("hsprof1")
    router.table(USERS).remove("ann")
    router.table(PROFILES).remove("gold")


@pytest.mark.parametrize(
    ("version", "known"),
    [("7.20.8", ""), ("7.21", "totp-secret"), ("7.21.2", "totp-secret"), ("7.21.5", "otp-secret"), ("6.49.15", "")],
)
async def test_secrets_of_one_time_passwords(version: str, known: str) -> None:
    router = SimRouter("r1", version=version)
    talker = await login(router)
    for name in ("totp-secret", "otp-secret"):
        replies = await talker.say(f"{USERS}/add", f"=name={name}", f"={name}=abc")
        assert replies[0].message == ("" if name == known else f"unknown parameter {name}")


async def test_passwords_need_the_policy_sensitive(router: SimRouter) -> None:
    router.table("/user/group").add(name="isp", policy="api,read,write")
    router.table("/user").add(name="imsys", group="isp")
    router.table(USERS).add(name="ann", password="pw")
    (row,) = await (await login(router, "imsys")).rows(f"{USERS}/print", "?name=ann")
    assert row["password"] == "*****"


async def test_bindings_have_an_order(talker: Talker) -> None:
    first = await talker.ret(f"{BINDINGS}/add", "=mac-address=48-8f-5a-00-00-01", "=type=bypassed")
    await talker.ret(f"{BINDINGS}/add", "=address=10.90.0.0/16", "=server=hotspot1", f"=place-before={first}")
    rows = await talker.rows(f"{BINDINGS}/print")
    assert rows == [
        {
            ".id": "*2",
            "address": "10.90.0.0/16",
            "server": "hotspot1",
            "type": "regular",
            "blocked": "false",
            "bypassed": "false",
            "disabled": "false",
        },
        {
            ".id": "*1",
            "mac-address": MAC,
            "type": "bypassed",
            "blocked": "false",
            "bypassed": "true",
            "disabled": "false",
        },
    ]
    await talker.ret(f"{BINDINGS}/move", "=numbers=*2")
    await talker.ret(f"{BINDINGS}/set", "=.id=*1", "=type=blocked", "=comment=x", "=server=all")
    rows = await talker.rows(f"{BINDINGS}/print", "=.proplist=.id,type,blocked,bypassed,comment")
    blocked = {".id": "*1", "type": "blocked", "blocked": "true", "bypassed": "false", "comment": "x"}
    assert rows == [blocked, {".id": "*2", "type": "regular", "blocked": "false", "bypassed": "false"}]
    assert await talker.trap(f"{BINDINGS}/set", "=.id=*1", "=place-before=*2") == "unknown parameter place-before"
    assert await talker.trap(f"{BINDINGS}/add", "=address=ten") == "value of address expects range of ip addresses"
    assert await talker.trap(f"{BINDINGS}/add", "=type=b") == (
        "ambiguous value of type, more than one possible value matches input"
    )
    await talker.ret(f"{BINDINGS}/disable", "=.id=*1,*2")
    assert len(await talker.rows(f"{BINDINGS}/print", "?disabled=true")) == 2


def test_duplicate_binding() -> None:
    for switch in (Behaviour(duplicate_binding="accepted"), Behaviour(duplicate_binding="refused")):
        table = SimRouter("r1", behaviour=switch).table(BINDINGS)
        table.add(mac_address=MAC, type="bypassed")
        table.add(mac_address=OTHER_MAC, type="bypassed")
        table.add(mac_address=MAC, server="hotspot1")
        table.add(mac_address=MAC, address="10.90.0.2")
        if switch.duplicate_binding == "accepted":
            table.add(mac_address=MAC.lower(), type="blocked")
            continue
        with pytest.raises(SimTrap, match="failure: already have"):
            table.add(mac_address=MAC.lower(), type="blocked")
        with pytest.raises(SimTrap, match="failure: already have"):
            table.set("*4", address=None)


@pytest.mark.parametrize(
    ("switch", "shown"), [(Behaviour(), None), (Behaviour(hotspot_server_all="printed"), "all")], ids=["absent", "all"]
)
async def test_hotspot_server_all(switch: Behaviour, shown: str | None) -> None:
    talker = await login(SimRouter("r1", behaviour=switch))
    for menu, own, others in ((USERS, "=name=ann", "=name=ben"), (BINDINGS, f"=mac-address={MAC}", "=type=blocked")):
        row_id = await talker.ret(f"{menu}/add", own, "=server=hotspot1")
        (row,) = await talker.rows(f"{menu}/print", "?server=hotspot1")
        assert row[".id"] == row_id
        for word in ("=server=all", "=!server="):
            await talker.ret(f"{menu}/set", f"=.id={row_id}", "=server=hotspot1")
            await talker.ret(f"{menu}/set", f"=.id={row_id}", word)
            assert (await talker.rows(f"{menu}/print", f"?.id={row_id}"))[0].get("server") == shown
        other = await talker.ret(f"{menu}/add", others)
        assert (await talker.rows(f"{menu}/print", f"?.id={other}"))[0].get("server") == shown
    assert (await talker.rows(f"{USERS}/print"))[0].get("server") == shown
    assert await talker.trap(f"{USERS}/add", "=name=ben", "=server=all") == TAKEN


def test_hotspot_all_clashes() -> None:
    for is_on in (False, True):
        table = SimRouter("r1", behaviour=Behaviour(hotspot_all_clashes=is_on)).table(USERS)
        table.add(name="ann")
        table.add(name="ben", server="hotspot1")
        if is_on:
            with pytest.raises(SimTrap, match=TAKEN):
                table.add(name="ann", server="hotspot1")
            with pytest.raises(SimTrap, match=TAKEN):
                table.add(name="ben")
        else:
            table.add(name="ann", server="hotspot1")


def test_renaming_keeps_the_id_and_the_rule(router: SimRouter) -> None:
    table = router.table(USERS)
    ann, ben = table.add(name="ann"), table.add(name="ben")
    table.set("ann", name="zoe")
    assert (table.find(name="zoe") or {})[".id"] == ann
    with pytest.raises(SimTrap, match=TAKEN):
        table.set(ben, name="zoe")


def test_the_configuration_has_users_profiles_and_bindings() -> None:
    router = SimRouter("r1", users={"admin": SimUser("pw")})
    router.table(USERS).add(name="ann")
    router.table(BINDINGS).add(mac_address=MAC)
    router.hotspot.add(MAC)
    router.hotspot.login(MAC, "ann")
    dump = router.dump()
    assert [row["name"] for row in dump[USERS]] == ["default-trial", "ann"]
    assert [row["mac-address"] for row in dump[BINDINGS]] == [MAC]
    assert [row["name"] for row in dump[SERVERS]] == ["hotspot1"]
    assert not {"/ip/hotspot/active", "/ip/hotspot/host", "/ip/hotspot/cookie"} & dump.keys()


def test_a_router_without_hotspot_makes_no_tables_for_it(router: SimRouter) -> None:
    router.seed_secrets(3)
    router.cpes.add_all()
    router.power_off()
    router.boot()
    assert not [path for path in ("/ip/hotspot", USERS, PROFILES, BINDINGS) if router.peek(path) is not None]
