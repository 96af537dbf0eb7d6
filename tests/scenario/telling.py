"""Makes stories up: some subscribers to begin with, then anything, as the seed has it."""

import random
from collections.abc import Sequence
from typing import TypeVar

from tests.scenario.sites import (
    BINDING,
    ENTRY,
    HOTSPOT_PROFILE,
    HOTSPOT_USER,
    LEASE,
    MANAGED,
    PPP_PROFILE,
    QUEUE,
    RULE,
    SECRET,
    THEIR_LOCK,
)
from tests.scenario.story import ADDRESSES, LISTS, MACS, OWNED, PASSWORDS, RATES, REFERRED, REFUSED, WALLED, Step

PACKAGES = (*["home", "gold"] * 12, *[REFERRED] * 5, "seldom")
SERVICES = ("pppoe", "static", "hotspot")
MENUS = MANAGED
T = TypeVar("T")


def tell(chance: random.Random, names: Sequence[str]) -> list[Step]:
    """Some subscribers to begin with, then anything."""
    story: list[Step] = [
        ("add", site(chance), name, line(chance), False) for name in chance.sample(names, chance.randint(4, 6))
    ]
    story += [
        ("set_suspend_by", number, way)
        for number in (0, 1)
        if (way := pick(chance, ["disable", "profile", "address-list"])) != "disable"
    ]
    come: list[Step] = [("outsider", number, verb) for number in (0, 1) for verb in CUSTOMERS]
    rest: Step = ("wait_until_synced",)
    story += pick(chance, [[], [rest], [rest, *come]])
    kinds, weights = zip(*KINDS_OF_STEPS, strict=True)
    for (kind,) in (chance.choices(kinds, weights) for _ in range(chance.randint(10, 22))):
        story.append(kind(chance, names))
    return story


def pick(chance: random.Random, values: Sequence[T]) -> T:
    return chance.choice(values)


def one_of(chance: random.Random, steps: Sequence[Step]) -> Step:
    return chance.choice(steps)


def site(chance: random.Random) -> int:
    return pick(chance, [0, 0, 1])


def line(chance: random.Random) -> dict[str, str]:
    """A service with what it needs."""
    service = pick(chance, SERVICES)
    return {
        "service": service,
        "package": pick(chance, PACKAGES),
        "password": pick(chance, PASSWORDS),
        "address": address_for(chance, service),
        "mac": pick(chance, ["", *MACS]),
    }


def address_for(chance: random.Random, service: str) -> str:
    choices = {"pppoe": ["", "", *ADDRESSES, REFUSED], "static": ADDRESSES, "hotspot": [""]}
    return pick(chance, choices[service])


def office(chance: random.Random, names: Sequence[str]) -> Step:
    """What is asked for at the desk."""
    return pick(chance, [people, people, changes, changes, events, events, packages, settings])(chance, names)


def people(chance: random.Random, names: Sequence[str]) -> Step:
    one, two, three = chance.choices(names, k=3)
    return one_of(
        chance,
        [
            ("add", site(chance), one, line(chance), pick(chance, [True, False])),
            ("remove", one),
            ("add_again", site(chance), one, line(chance)),
            ("suspend", one),
            ("suspend", one, two, three),
            ("suspend_everybody",),
            ("resume", one, two),
            ("resume_everybody",),
        ],
    )


def changes(chance: random.Random, names: Sequence[str]) -> Step:
    """Of one field of a line."""
    name, service = pick(chance, names), pick(chance, SERVICES)
    return one_of(
        chance,
        [
            ("change", name, "package", pick(chance, [*PACKAGES, *["seldom"] * 12])),
            ("change", name, "password", pick(chance, PASSWORDS)),
            ("change", name, "address", address_for(chance, pick(chance, ["pppoe", "static"]))),
            ("change", name, "mac", pick(chance, ["", *MACS])),
            ("change_service", name, service, address_for(chance, service), pick(chance, ["", *MACS])),
        ],
    )


def events(chance: random.Random, names: Sequence[str]) -> Step:
    """A line under another name, or on another router."""
    one, two, three = chance.sample(list(names), k=3)
    number = pick(chance, [0, 1])
    return one_of(
        chance,
        [
            ("rename", one, two),
            ("rename_onto_freed", one, two),
            ("rename_chain", one, two, three),
            ("swap", one, two),
            ("move", number, one),
            ("move", number, one, two, three),
            ("move_everybody", number),
            ("there_and_back", one),
        ],
    )


def packages(chance: random.Random, _names: Sequence[str]) -> Step:
    owned = pick(chance, OWNED)
    return one_of(
        chance,
        [
            ("change_package", owned, {"rate_limit": pick(chance, RATES[owned])}),
            ("change_package", owned, {"rate_limit": pick(chance, RATES[owned]), "apply": "now"}),
            ("change_package", pick(chance, PACKAGES), {"apply": pick(chance, ["now", "next-login"])}),
            ("change_package", owned, {"shared_users": pick(chance, [1, 2, 3])}),
            ("change_package", pick(chance, PACKAGES), {"limit_uptime": pick(chance, ["", "30d", "1h"])}),
            ("change_package", pick(chance, PACKAGES), {"limit_bytes": pick(chance, [0, 5_000_000_000])}),
            ("drop_package", "seldom"),
            ("drop_package", "seldom"),
            ("drop_package", pick(chance, ["seldom", REFERRED])),
        ],
    )


def settings(chance: random.Random, _names: Sequence[str]) -> Step:
    number = site(chance)
    return one_of(
        chance,
        [
            ("set_mode", number, pick(chance, ["enforce", "observe", "paused"])),
            ("set_mode", number, "enforce"),
            ("set_suspend_by", number, pick(chance, ["disable", "profile", "address-list"])),
            ("set_suspend_list", number, pick(chance, LISTS)),
            ("ask_for_a_resync", number),
        ],
    )


def others(chance: random.Random, names: Sequence[str]) -> Step:
    """Technicians, where the line is that they touch, and customers."""
    name, number = pick(chance, names), site(chance)
    step = pick(chance, [ppp_tampering, static_tampering, hotspot_tampering, other_tampering, customers])(chance, name)
    return ("outsider", None if name in step else number, *step)


CUSTOMERS = ("customers_dial", "customers_browse", "customers_ask_for_addresses", "customers_log_in")


def customers(chance: random.Random, _name: str) -> Step:
    return (pick(chance, [*CUSTOMERS, "customers_hang_up", "customers_log_out"]),)


def ppp_tampering(chance: random.Random, name: str) -> Step:
    return one_of(
        chance,
        [
            ("tamper", SECRET, name, {"disabled": pick(chance, ["yes", "no"])}),
            ("tamper", SECRET, name, {"profile": pick(chance, ["default", *OWNED, WALLED])}),
            ("tamper", SECRET, name, {"password": pick(chance, PASSWORDS), "comment": "seen by juma"}),
            ("tamper", SECRET, name, {"remote-address": pick(chance, ["10.8.8.8", "10.8.8.9"])}),
            ("tamper", SECRET, name, {"service": pick(chance, ["any", "l2tp"])}),
            ("tamper", SECRET, name, {"caller-id": pick(chance, ["", THEIR_LOCK])}),
            ("tamper_remove", SECRET, name),
            ("tamper_add", SECRET, name, {"password": "of a technician"}),
            ("tamper_profile", PPP_PROFILE, pick(chance, OWNED), pick(chance, [{"rate-limit": "1M/1M"}, None])),
        ],
    )


def static_tampering(chance: random.Random, name: str) -> Step:
    switch = {"disabled": pick(chance, ["yes", "no"])}
    return one_of(
        chance,
        [
            ("tamper", QUEUE, name, switch),
            (
                "tamper",
                QUEUE,
                name,
                pick(chance, [{"max-limit": "1M/1M"}, {"target": "10.8.8.8/32"}, {"priority": "1/1"}]),
            ),
            ("tamper_remove", QUEUE, name),
            ("tamper_move", QUEUE, name),
            ("tamper_add", QUEUE, name, {"target": "10.8.8.7/32"}),
            ("tamper", LEASE, name, switch),
            ("tamper", LEASE, name, {"mac-address": "4E:FF:00:00:00:05"}),
            ("tamper_remove", LEASE, name),
            ("tamper_add", LEASE, name, {"mac-address": "4E:FF:00:00:00:06"}),
            ("tamper", ENTRY, name, switch),
            ("tamper_remove", ENTRY, name),
            ("tamper_add", ENTRY, name, {}),
            ("tamper_add", ENTRY, name, {"timeout": "1h"}),
            ("tamper", RULE, name, switch),
            ("tamper_remove", RULE, name),
            ("tamper_move", RULE, name),
        ],
    )


def hotspot_tampering(chance: random.Random, name: str) -> Step:
    switch = {"disabled": pick(chance, ["yes", "no"])}
    return one_of(
        chance,
        [
            ("tamper", HOTSPOT_USER, name, switch),
            ("tamper", HOTSPOT_USER, name, {"profile": pick(chance, ["default", *OWNED])}),
            ("tamper", HOTSPOT_USER, name, {"password": pick(chance, PASSWORDS), "comment": "seen by juma"}),
            ("tamper", HOTSPOT_USER, name, pick(chance, [{"limit-uptime": "2h"}, {"limit-bytes-total": "7"}])),
            ("tamper_remove", HOTSPOT_USER, name),
            ("tamper_add", HOTSPOT_USER, name, {"password": "of a technician"}),
            ("tamper", BINDING, name, switch),
            ("tamper", BINDING, name, {"type": pick(chance, ["blocked", "regular", "bypassed"])}),
            ("tamper_remove", BINDING, name),
            ("tamper_add", BINDING, name, {"type": "bypassed"}),
            (
                "tamper_profile",
                HOTSPOT_PROFILE,
                pick(chance, OWNED),
                pick(chance, [{"rate-limit": "1M/1M"}, {"shared-users": "9"}, None]),
            ),
        ],
    )


def other_tampering(chance: random.Random, _name: str) -> Step:
    return one_of(
        chance,
        [
            ("tamper_foreign", chance.randrange(20), pick(chance, ["mine", "keep off"])),
            ("make_isp_profile", pick(chance, [PPP_PROFILE, HOTSPOT_PROFILE])),
        ],
    )


def on_writes(chance: random.Random, _names: Sequence[str]) -> Step:
    nth, verb, menu = chance.randint(1, 4), pick(chance, ["add", "set", "remove"]), pick(chance, MENUS)
    number, is_applied = site(chance), pick(chance, [True, False])
    return one_of(
        chance,
        [
            ("fault", number, "drop-before", {"nth": nth}),
            ("fault", number, "drop-after", {"nth": nth}),
            *[("fault", number, "partial-write", {"ids": 1})] * 3,  # few writes name more than one row
            ("fault", number, "busy", {"nth": nth, "applied": is_applied, "times": chance.randint(1, 3)}),
            ("fault", number, "trap", {"menu": menu, "verb": verb}),
            ("fault", number, "trap", {"nth": nth, "verb": "add"}),
            ("fault", number, "reboot", {"nth": nth, "verb": verb, "applied": is_applied, "down_s": 0.02}),
            ("fault", number, "delay", {"nth": nth, "menu": menu, "verb": verb, "seconds": pick(chance, [0.01, 0.05])}),
        ],
    )


def on_anything(chance: random.Random, _names: Sequence[str]) -> Step:
    nth, number = chance.randint(1, 12), site(chance)
    return one_of(
        chance,
        [
            ("fault", number, "drop", {"nth": nth}),
            ("fault", number, "truncate", {"nth": nth, "keep": pick(chance, [0.1, 0.5, 0.9])}),
            ("fault", number, "garbage", {"nth": nth, "size": pick(chance, [1, 30, 200])}),
            ("fault", number, "refuse", {"seconds": 0.05}),
            ("fault", number, "reboot", {"nth": nth, "down_s": 0.02}),
            ("fault", number, "delay", {"nth": nth, "seconds": 0.02, "times": 3}),
            ("half_loaded_after_a_boot", number, pick(chance, MENUS), pick(chance, [0.0, 0.5])),
            ("power_off", number),
            ("power_on", number),
        ],
    )


def workers(chance: random.Random, _names: Sequence[str]) -> Step:
    return one_of(chance, [("crash", chance.randrange(2)), ("restart",)])


def time(chance: random.Random, _names: Sequence[str]) -> Step:
    return one_of(chance, [("wait_until_synced",), ("wait_for_answers", site(chance), chance.randint(1, 8))])


# Workers seldom: each time a lease must run out.
KINDS_OF_STEPS = ((office, 11), (others, 12), (on_writes, 4), (on_anything, 3), (workers, 1), (time, 3))
