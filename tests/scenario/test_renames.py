"""A subscriber who gets another name: the same row, the same session, and names that go round."""

import pytest

from imsys.sim.faults import Refuse
from tests.scenario.isp import ACTIVE, DROP_RULE, QUEUE, SECRET, VERSIONS, Isp, profile, queue, secret

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.timeout(60)]

HOME = profile()


@pytest.fixture
def three(shop: Isp) -> Isp:
    shop.router()
    for name in ("ann", "ben", "cat"):
        shop.add(name, password=f"of {name}")
    shop.sync()
    return shop


class Away:
    """While inside, the router cannot be reached; it goes on serving its subscribers."""

    def __init__(self, shop: Isp) -> None:
        self._shop, self._router, self._fault = shop, shop.world.routers["r1"], Refuse()

    def __enter__(self) -> None:
        self._shop.do(lambda: self._router.faults.arm(self._fault))
        self._shop.do(self._router.drop_links)
        self._shop("reconcile", code=1)  # it is known to be away

    def __exit__(self, *_error: object) -> None:
        self._shop.do(lambda: self._router.faults.disarm(self._fault))


def rename(shop: Isp, *pairs: str) -> None:
    for pair in pairs:
        old, new = pair.split(">")
        shop("subscriber", "rename", old, new)


@pytest.mark.parametrize("version", VERSIONS)
def test_a_rename_keeps_the_row_its_comment_and_the_session(shop: Isp, version: str) -> None:
    router = shop.router(version=version)
    shop.add("ann", password="one")
    shop.sync()
    shop.online("ann")
    shop.do(lambda: router.tamper(SECRET, "ann", {"comment": "third floor"}))
    before, session = shop.row(SECRET, name="ann"), shop.row(ACTIVE, name="ann")
    shop("subscriber", "rename", "ann", "ann wanjiku")
    shop.sync()
    assert shop.row(SECRET, name="ann wanjiku")[".id"] == before[".id"]
    assert shop.world.rows(menu=ACTIVE)[0]["session-id"] == session["session-id"]
    shop.has(HOME, secret("ann wanjiku", password="one", comment="third floor"))

    shop("subscriber", "suspend", "ann wanjiku")
    shop.sync()
    assert shop.world.online() == set()  # also the session that began under the old name
    shop.has(HOME, secret("ann wanjiku", password="one", comment="third floor", disabled="yes"))


@pytest.mark.parametrize("end", ["suspend", "remove"])
@pytest.mark.parametrize("names", [["b"], ["b", "c"], ["b", "ann"]], ids=["once", "twice", "and-back"])
def test_a_session_of_any_earlier_name_ends_with_the_right_to_it(shop: Isp, names: list[str], end: str) -> None:
    shop.router()
    shop.add("ann", password="one")
    shop.sync()
    shop.online("ann")
    name = "ann"
    for new in names:
        rename(shop, f"{name}>{new}")
        shop.sync()
        name = new
    assert shop.world.online() == {"ann"}
    shop("subscriber", end, name)
    shop.sync()
    assert shop.world.online() == set()
    shop.has(HOME, *([secret(name, password="one", disabled="yes")] if end == "suspend" else []))


@pytest.mark.parametrize(
    ("pairs", "owners"),
    [
        (("ann>dan",), {"ann": "dan", "ben": "ben", "cat": "cat"}),
        (("cat>dan", "ben>cat", "ann>ben"), {"ann": "ben", "ben": "cat", "cat": "dan"}),
        (("ann>x", "ben>ann", "x>ben"), {"ann": "ben", "ben": "ann", "cat": "cat"}),
        (("ann>x", "ben>y", "cat>z", "x>ben", "y>cat", "z>ann"), {"ann": "ben", "ben": "cat", "cat": "ann"}),
        (("ann>dan", "dan>eve", "eve>ann"), {"ann": "ann", "ben": "ben", "cat": "cat"}),
        (("cat>x", "x>dan", "ben>cat", "ann>ben", "ben>ann"), {"ann": "ann", "ben": "cat", "cat": "dan"}),
    ],
    ids=["one", "chain", "swap", "circle", "back-again", "half-chain"],
)
@pytest.mark.parametrize("is_away", [True, False], ids=["router-away", "router-up"])
def test_names_go_on_and_round(three: Isp, pairs: tuple[str, ...], owners: dict[str, str], is_away: bool) -> None:
    if is_away:
        with Away(three):
            rename(three, *pairs)
    else:
        rename(three, *pairs)
    three.sync()
    three.has(HOME, *(secret(now, password=f"of {was}") for was, now in owners.items()))


def test_after_a_swap_each_is_online_under_her_own_name_alone(three: Isp) -> None:
    """Whose session it is can no longer be told by its name: who would be let in by the wrong one is not."""
    three.online("ann", "ben", redial_s=0.05)
    with Away(three):
        rename(three, "ann>x", "ben>ann", "x>ben")
    three.sync()
    three.has(
        HOME, secret("ben", password="of ann"), secret("ann", password="of ben"), secret("cat", password="of cat")
    )
    three("subscriber", "suspend", "ann", "ben")
    three.sync()
    assert three.world.online() == set()


@pytest.mark.parametrize("is_away", [True, False], ids=["router-away", "router-up"])
def test_a_name_that_was_given_up_is_used_again_at_once(three: Isp, is_away: bool) -> None:
    """Whose session it is can be told by its name alone, so the one that began under it ends: it would be another's."""
    three.online("ann", "ben")
    sessions = {row["name"]: row["session-id"] for row in three.world.rows(menu=ACTIVE)}

    def change() -> None:
        rename(three, "ann>zoe")
        three.add("ann", password="new")

    if is_away:
        with Away(three):
            change()
    else:
        change()
    three.sync()
    others = (secret("ben", password="of ben"), secret("cat", password="of cat"))
    three.has(HOME, secret("zoe", password="of ann"), secret("ann", password="new"), *others)
    three.world.until(lambda: three.world.online() == {"ben"}, "nobody is online by another one's right")
    assert three.row(ACTIVE, name="ben")["session-id"] == sessions["ben"]


@pytest.mark.parametrize("is_away", [True, False], ids=["router-away", "router-up"])
def test_of_a_chain_of_names_a_session_goes_on_whose_name_is_nobody_elses(three: Isp, is_away: bool) -> None:
    three.online("ann", "ben")
    session = three.row(ACTIVE, name="ann")["session-id"]
    if is_away:
        with Away(three):
            rename(three, "ben>bea", "ann>ben")
    else:
        rename(three, "ben>bea", "ann>ben")
    three.sync()
    three.world.until(lambda: three.world.online() == {"ann"}, "the session of ben would be hers by its name")
    assert three.row(ACTIVE, name="ann")["session-id"] == session
    three("subscriber", "suspend", "ben")
    three.sync()
    assert three.world.online() == set()


@pytest.mark.parametrize("is_away", [True, False], ids=["router-away", "router-up"])
def test_a_removed_ones_name_and_address_are_used_again_at_once(shop: Isp, is_away: bool) -> None:
    shop.router()
    shop.add("ann", "--address", "10.20.0.7", password="one")
    shop.add("sue", "--service", "static", "--address", "10.20.0.9", "--mac", "AA:BB:CC:00:00:01")
    shop("subscriber", "suspend", "sue")
    shop.sync()
    shop.online("ann")

    def change() -> None:
        shop("subscriber", "remove", "ann", "sue")
        shop.add("ann", "--address", "10.20.0.7", password="two")
        shop.add("sue", "--service", "static", "--address", "10.20.0.9")

    if is_away:
        with Away(shop):
            change()
    else:
        change()
    shop.sync()
    assert shop.world.online() == set()  # the one who was removed does not know the password
    new = (secret("ann", password="two", remote_address="10.20.0.7"), queue("sue", "10.20.0.9"), DROP_RULE)
    shop.world.until(lambda: shop.find("/ip/dhcp-server/lease", address="10.20.0.9") is None)
    shop.has(HOME, *new)


def test_static_lines_swap_their_addresses(shop: Isp) -> None:
    shop.router()
    shop.add("ann", "--service", "static", "--address", "10.20.0.7", "--mac", "AA:BB:CC:00:00:01")
    shop.add("ben", "--service", "static", "--address", "10.20.0.8", "--mac", "AA:BB:CC:00:00:02")
    shop.sync()
    with Away(shop):
        shop("subscriber", "set", "ann", "--address", "10.20.0.9")
        shop("subscriber", "set", "ben", "--address", "10.20.0.7")
        shop("subscriber", "set", "ann", "--address", "10.20.0.8")
    shop.sync()
    assert {row["mac-address"]: row["address"] for row in shop.world.rows(menu="/ip/dhcp-server/lease")[1:]} == {
        "AA:BB:CC:00:00:01": "10.20.0.8",
        "AA:BB:CC:00:00:02": "10.20.0.7",
    }
    assert {name: shop.row(QUEUE, name=name)["target"] for name in ("ann", "ben")} == {
        "ann": "10.20.0.8/32",
        "ben": "10.20.0.7/32",
    }
    shop.is_idle()


def test_static_lines_exchange_their_devices(shop: Isp) -> None:
    shop.router()
    shop.add("ann", "--service", "static", "--address", "10.20.0.7", "--mac", "AA:BB:CC:00:00:01")
    shop.add("ben", "--service", "static", "--address", "10.20.0.8", "--mac", "AA:BB:CC:00:00:02")
    shop.sync()
    with Away(shop):
        shop("subscriber", "set", "ann", "--mac", "")
        shop("subscriber", "set", "ben", "--mac", "AA:BB:CC:00:00:01")
        shop("subscriber", "set", "ann", "--mac", "AA:BB:CC:00:00:02")
    shop.sync()
    assert {row["mac-address"]: row["address"] for row in shop.world.rows(menu="/ip/dhcp-server/lease")[1:]} == {
        "AA:BB:CC:00:00:02": "10.20.0.7",
        "AA:BB:CC:00:00:01": "10.20.0.8",
    }
    shop.is_idle()
