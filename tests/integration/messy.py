"""A router as years of hands have left it: of its 2,000 secrets every second one is odd in some way."""

from itertools import count

from imsys.sim import SimRouter
from tests.integration.onboarding import USERS

SECRETS = 2_000
CLEAN = 1_000
WITH_BLANK = 100
TWINS = 100  # pairs
SAME_ADDRESS = 100  # pairs
DISABLED = 200
CODE_PAGE = 150
DANGLING = 50
NOT_UTF8 = 20
L2TP = 30
UNSTORABLE = NOT_UTF8 + DANGLING + L2TP
WALLED = SECRETS - CLEAN - WITH_BLANK - 2 * TWINS - 2 * SAME_ADDRESS - DISABLED - CODE_PAGE - UNSTORABLE
STATIC = 40
HOTSPOT = 30
LISTED = 5


def messy_router(version: str = "7.18.2", name: str = "core") -> SimRouter:
    sim = SimRouter(name, version=version, users=USERS)
    profiles = sim.table("/ppp/profile")
    ids = {
        profile: profiles.put(name=profile, rate_limit=rate)
        for profile, rate in (("10M", "10M/10M"), ("30MegasSt ", "30M/30M"), ("MOROSOS", "64k/64k"), ("odd", "a lot"))
    }
    numbers = count(1)

    def secret(username: str, profile: int = ids["10M"], **values: object) -> None:
        number = next(numbers)
        sim.table("/ppp/secret").put(
            **{"name": username, "password": f"pw-{number}", "profile": profile, "service": "pppoe", **values}
        )

    for number in range(CLEAN):
        address = f"10.20.{number // 250}.{number % 250 + 1}"
        secret(f"clean{number:04d}", remote_address=address, service="any" if number % 2 else "pppoe")
    for number in range(WITH_BLANK):
        lock = {0: "anybody", 1: "00:0c:42:aa:bb:01"}.get(number, "00:0C:42:AA:BB:01")
        secret(f"blank{number:03d} ", ids["30MegasSt "], caller_id=lock)
    for number in range(TWINS):
        secret(f"twin{number:03d}")
        secret(f"Twin{number:03d}", ids["odd"])
    for number in range(SAME_ADDRESS):
        secret(f"first{number:03d}", remote_address=f"10.30.0.{number + 1}")
        secret(
            f"second{number:03d}", remote_address=f"10.30.0.{number + 1}", disabled="true" if number % 2 else "false"
        )
    for number in range(DISABLED):
        secret(f"off{number:03d}", disabled="true")
    for number in range(CODE_PAGE):
        secret(f"jose{number:03d}", comment="Jos\udce9 P\udce9rez")
    for number in range(DANGLING):
        secret(f"lost{number:03d}", 0xDEAD)
    for number in range(NOT_UTF8):
        secret(f"se\udcf1or{number:03d}")
    for number in range(L2TP):
        secret(f"tunnel{number:03d}", service="l2tp")
    for number in range(WALLED):
        secret(f"debtor{number:03d}", ids["MOROSOS"])
    assert len(sim.table("/ppp/secret")) == SECRETS
    _static_lines(sim)
    _hotspot(sim)
    _sessions(sim)
    return sim


def _static_lines(sim: SimRouter) -> None:
    queues, leases = sim.table("/queue/simple"), sim.table("/ip/dhcp-server/lease")
    for number in range(STATIC):
        speed = "5000000/20000000" if number % 2 else "2000000/2000000"
        queues.put(name=f"shop{number:02d}", target=f"10.40.0.{number + 1}/32", max_limit=speed)
        if number % 2:
            mac = f"00:0C:42:00:00:{number:02X}"
            leases.put(address=f"10.40.0.{number + 1}", mac_address=mac, rate_limit="1M/1M" if number == 1 else None)
    queues.put(name="of clean0000", target="10.20.0.1/32", max_limit="1000000/1000000")
    queues.put(name="everybody", target="10.0.0.0/8", max_limit="0/0")
    queues.put(name="<pppoe-clean0001>", target="10.20.0.2/32", dynamic="true")
    leases.put(address="10.80.0.9", mac_address="00:0C:42:00:01:01", dynamic="true")
    for number in range(LISTED):
        sim.table("/ip/firewall/address-list").put(list="MOROSOS", address=f"10.40.0.{number + 1}", disabled="false")
    sim.table("/ip/firewall/filter").put(chain="forward", action="drop", src_address_list="MOROSOS")


def _hotspot(sim: SimRouter) -> None:
    profile = sim.table("/ip/hotspot/user/profile").put(name="day", rate_limit="1M/1M")
    users = sim.table("/ip/hotspot/user")
    for number in range(HOTSPOT):
        users.put(name=f"guest{number:02d}", password=f"{number:04d}", profile=profile)
    server = sim.table("/ip/hotspot").id_of("hotspot1")
    users.put(name="guest00", password="other", profile=profile, server=server)
    users.put(name="clean0003", password="same", profile=profile)
    users.put(name="voucher", password="1h", profile=profile, limit_uptime="1h")


def _sessions(sim: SimRouter) -> None:
    for name in ("clean0001", "clean0002", "first000", "by-radius"):
        sim.table("/ppp/active").put(name=name, service="pppoe", address="10.20.0.2", caller_id="00:0C:42:00:00:01")
