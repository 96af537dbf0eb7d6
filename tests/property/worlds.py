"""Draws routers as they are found and what is wanted of them: subscribers of each service, and rows of everybody."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from random import Random

from hypothesis import strategies as st

from imsys.reconcile.batch import phases
from imsys.reconcile.desired import desired
from imsys.reconcile.diff import Step
from imsys.reconcile.intent import Ghost, Intent, PackageIntent, RouterIntent, Service, SubscriberIntent
from imsys.reconcile.kinds import (
    ADDRESS_LIST,
    BINDING,
    DROP_RULE,
    HOTSPOT_PROFILE,
    HOTSPOT_USER,
    KINDS,
    LEASE,
    PROFILE,
    QUEUE,
    SECRET,
    Resource,
)
from imsys.reconcile.observed import Table, table
from imsys.reconcile.plan import Plan, make_plan
from tests.property.tables import PASSWORDS, Gone, Refused, Tables, printed_fields, rendered
from tests.unit.reconcile.rows import Place, Row, fingerprint

NAMES = ["ann", "Ann", "ann ", "ben", "0012", "true", "cé", "*1"]
ADDRESSES = [f"10.0.0.{n}" for n in range(5, 11)]
MACS = [f"00:0C:42:00:00:{n:02X}" for n in range(10, 16)]
LISTS = ["BLOCKED_USERS", "VIP"]
RATES = ["", "5M/10M", "2M/4M 3M/6M", "5M/10M 8M/16M 4M/8M 8/8 3 1M/2M", "512k/2M 0/0 0/0 0/0 5"]
ROUNDS = 3
SERVICES: tuple[Service, ...] = ("pppoe", "static", "hotspot")


@dataclass
class World:
    """A router and the records of it; `people` change as runs record them, `placements` are by place.

    theirs: ids of rows that nobody here has a right to touch.
    """

    router: RouterIntent
    packages: Mapping[int, PackageIntent]
    people: list[SubscriberIntent]
    tables: Tables
    placements: dict[Place, int]
    ghosts: set[Ghost]
    shared: set[Place]
    chance: Random
    refused: dict[Place, Row] = field(default_factory=dict)

    @property
    def intent(self) -> Intent:
        pending = [s for s in self.people if not s.is_synced]
        placed = {
            s.subscriber_id: frozenset(place for place, i in self.placements.items() if i == s.subscriber_id)
            for s in pending
        }
        uses_list = any(s.service == "static" for s in self.people) or (
            self.router.suspend_by == "address-list" and bool(self.people)
        )
        ghosts = sorted(self.ghosts, key=lambda ghost: ghost.place)
        return Intent(self.router, self.packages, self.people, ghosts, placed, sorted(self.shared), uses_list)

    def plan(self, *, is_settled: bool = True, said_yes: set[Place] | None = None) -> Plan:
        return make_plan(self.intent, read(self.tables), is_settled=is_settled, said_yes=said_yes or set())

    def run(self, cut: int | None = None) -> Plan:
        """One pass as a keeper makes it: some rounds, each on what is placed by then, and then its records.

        cut: it is broken off after so many steps, which is all that its records then know.
        """
        intent, said_yes = self.intent, set[Place]()
        plan = make_plan(intent, read(self.tables))
        for _ in range(ROUNDS):
            if not plan.steps:
                break
            self._place(intent, plan.steps)
            intent = replace(intent, placed=self.intent.placed)
            self.refused = {}
            for step in self._in_flight(plan.steps)[:cut]:
                try:
                    self.tables.carry_out(step)
                except Refused as refusal:
                    self.refused[step.place] = refusal.row
                except Gone:
                    pass  # the router's complaint is no reason to stop: the next look tells
                else:
                    said_yes.add(step.place)
            if cut is not None:
                return plan
            plan = make_plan(intent, read(self.tables), said_yes=said_yes)
        self._record(plan)
        return plan

    def _in_flight(self, steps: Sequence[Step]) -> list[Step]:
        """Phase after phase; within one the commands overtake each other."""
        order = []
        for batches in phases(steps):
            self.chance.shuffle(batches)
            order += [step for batch in batches for step in batch.steps]
        return order

    def _place(self, intent: Intent, steps: Sequence[Step]) -> None:
        for step in steps:
            if step.action == "remove":
                continue
            if step.subscriber_id is not None:
                self.placements[step.place] = step.subscriber_id
                self.ghosts = {ghost for ghost in self.ghosts if ghost.place != step.place}
            elif step.is_shared and step.action == "add":
                self.shared.add(step.place)

    def _record(self, plan: Plan) -> None:
        for ghost in plan.forgotten:
            self.ghosts.discard(ghost)
            self.shared.discard(ghost.place)
            if self.placements.get(ghost.place) == ghost.subscriber_id:
                self.placements.pop(ghost.place, None)
        unfinished = plan.unfinished()
        self.people = [s if s.subscriber_id in unfinished else _synced(s) for s in self.people]


def _synced(subscriber: SubscriberIntent) -> SubscriberIntent:
    return replace(
        subscriber,
        applied_generation=subscriber.generation,
        is_synced=True,
        applied_mac=subscriber.password_mac,
        has_lock=bool(subscriber.mac),
    )


def read(tables: Tables) -> dict[str, Table]:
    return {menu: table(kind, tables.rows[menu], fingerprint) for menu, kind in KINDS.items()}


def row_of(resource: Resource) -> Row:
    fields = {**KINDS[resource.menu].key_fields(resource.key), **rendered(resource.menu, resource.values)}
    return printed_fields(resource.menu, fields)


# Drawing


def pick(options: Sequence[str]) -> st.SearchStrategy[str]:
    return st.sampled_from(options)


flags = st.sampled_from(["true", "false", "yes", "no"])


def before(draw: st.DrawFn, now: Sequence[str], pool: Sequence[str]) -> list[str]:
    """What each had before: mostly the same, some a different one; or all in turn what another has by now."""
    if draw(st.integers(0, 3)) == 0:
        turned = [*now[1:], *now[:1]]
        return turned if draw(st.booleans()) else [*turned[:-1], *[value for value in pool if value not in now][:1]]
    is_changed = [draw(st.integers(0, 2)) == 0 for _ in now]
    kept = {value for value, changed in zip(now, is_changed, strict=True) if not changed}
    others = draw(st.permutations([value for value in pool if value not in kept]))
    return [others.pop() if changed else value for value, changed in zip(now, is_changed, strict=True)]


@st.composite
def worlds(draw: st.DrawFn, most: int = 4) -> World:
    router = RouterIntent(1, draw(st.sampled_from(["disable", "profile", "address-list"])), "walled", LISTS[0])
    packages = {
        1: PackageIntent(1, "home", True, draw(pick(RATES)), draw(st.integers(1, 3)), draw(pick(["", "1d"]))),
        2: PackageIntent(2, draw(pick(["default", "fast", "hom"])), is_owned=False, limit_bytes=10**9),
    }
    count = draw(st.sampled_from([0, 1, *range(2, most + 1), *range(2, most + 1)]))
    services = draw(st.sampled_from([SERVICES, SERVICES, *((service,) for service in SERVICES)]))
    now = {"username": draw(st.permutations(NAMES))[:count], "address": draw(st.permutations(ADDRESSES))[:count]}
    now["mac"] = draw(st.permutations(MACS))[:count]
    old = {name: before(draw, now[name], pool) for name, pool in zip(now, (NAMES, ADDRESSES, MACS), strict=True)}
    people, then = [], []
    for n in range(count):
        person = draw(persons(n, services, now["username"][n], now["address"][n], now["mac"][n]))
        people.append(person)
        was = draw(st.sampled_from(["placed", "placed", "placed", "new", "synced"]))
        if was == "synced":
            people[-1] = _synced(person)
            then.append(person)
        elif was == "placed":
            then.append(_former(draw, person, old["username"][n], old["address"][n], old["mac"][n]))
    then.sort(key=lambda s: s.is_synced)  # whoever is synced has the places that both may have had
    tables, placements = draw(printed(router, packages, then))
    ghosts = draw(drawn_ghosts(placements))
    shared = draw(st.sets(st.sampled_from([(DROP_RULE.menu, LISTS[0]), (DROP_RULE.menu, "OLD")])))
    for ghost in ghosts:
        if draw(st.booleans()):
            tables.insert_if_free(ghost.menu, draw(foreign_rows(ghost.menu, ghost.key)))
    for menu in KINDS:
        for _ in range(draw(st.integers(0, 3 if menu == LEASE.menu else 2))):
            tables.insert_if_free(menu, draw(foreign_rows(menu)), draw(st.integers(0, 9)))
    return World(router, packages, people, tables, placements, ghosts, shared, draw(st.randoms()))


def _former(draw: st.DrawFn, person: SubscriberIntent, username: str, address: str, mac: str) -> SubscriberIntent:
    return replace(
        person,
        username=username,
        address=address if person.address else "",
        mac=draw(st.sampled_from([mac, mac, ""])),
        is_suspended=draw(st.booleans()),
        package_id=1,
    )


@st.composite
def persons(
    draw: st.DrawFn, n: int, services: Sequence[Service], username: str, address: str, mac: str
) -> SubscriberIntent:
    service = draw(st.sampled_from(services))
    has_address = service == "static" or (service == "pppoe" and draw(st.booleans()))
    return SubscriberIntent(
        subscriber_id=n,
        username=username,
        generation=2,
        applied_generation=1,
        package_id=draw(st.sampled_from([1, 1, 2])),
        address=address if has_address else "",
        is_suspended=draw(st.booleans()),
        password_mac=None if service == "static" else draw(st.none() | st.sampled_from(list(PASSWORDS))),
        service=service,
        mac=draw(st.sampled_from([mac, mac, ""])),
        has_lock=service == "pppoe" and draw(st.booleans()),
        is_held_back=draw(st.integers(0, 4)) == 0,
    )


@st.composite
def printed(
    draw: st.DrawFn, router: RouterIntent, packages: Mapping[int, PackageIntent], then: Sequence[SubscriberIntent]
) -> tuple[Tables, dict[Place, int]]:
    """The rows that earlier runs left, some of them changed or removed since by other people, and their records."""
    tables = Tables()
    for menu in (PROFILE.menu, HOTSPOT_PROFILE.menu):
        for name in ("default", "walled", "fast", "home"):
            if name == "default" or draw(st.integers(0, 3)):
                tables.insert(menu, {"name": name, "rate-limit": draw(pick(["5000k/10000k", "1M/2M", "as typed"]))})
    uses_list = any(s.service == "static" for s in then) or router.suspend_by == "address-list"
    resources = desired(Intent(router, packages, then, uses_list=uses_list)).rows.values()
    placements: dict[Place, int] = {}
    for resource in resources:
        if resource.subscriber_id is None and resource.menu != DROP_RULE.menu:
            continue
        if resource.subscriber_id is not None:
            placements[resource.menu, resource.key] = resource.subscriber_id
        row = row_of(resource) | draw(st.fixed_dictionaries({}, optional={"disabled": flags, "comment": pick("xy")}))
        if "profile" in row and draw(st.booleans()):
            row["profile"] = "default"
        if "profile" in row and not any(p["name"] == row["profile"] for p in tables.rows[PROFILE.menu]):
            row["profile"] = "*F1"  # it was removed, and what named it dangles
        if resource.menu == HOTSPOT_USER.menu and row["profile"] != "default":
            row["profile"] = "*F1"
        if draw(st.integers(0, 5)):
            tables.insert_if_free(resource.menu, row, draw(st.integers(0, 9)))
    return tables, placements


@st.composite
def drawn_ghosts(draw: st.DrawFn, placements: Mapping[Place, int]) -> set[Ghost]:
    places = (
        st.tuples(st.sampled_from([SECRET.menu, HOTSPOT_USER.menu, QUEUE.menu]), pick(NAMES))
        | st.tuples(st.just(LEASE.menu), pick(ADDRESSES))
        | st.tuples(st.just(BINDING.menu), pick(MACS))
        | st.tuples(st.just(ADDRESS_LIST.menu), pick(ADDRESSES).map(lambda a: f"{LISTS[0]} {a}"))
        | st.tuples(st.sampled_from([PROFILE.menu, HOTSPOT_PROFILE.menu]), pick(["former"]))
    )
    drawn = draw(st.sets(places, max_size=3))
    return {Ghost(*place, draw(st.sampled_from([None, 99]))) for place in sorted(drawn) if place not in placements}


def foreign_rows(menu: str, key: str | None = None) -> st.SearchStrategy[Row]:
    """Rows of people and of the router itself; with a key, one that has it."""
    names = pick(NAMES) if key is None else st.just(key)
    common = {"disabled": flags, "comment": pick(["", "a", "IMSys: ann", "caf\udce9"])}
    if menu in (PROFILE.menu, HOTSPOT_PROFILE.menu):
        profile = st.just(key or "gold")
        return st.fixed_dictionaries({"name": profile}, optional={"rate-limit": pick(["1M/1M", "odd"])})
    if menu == SECRET.menu:
        more = {"service": pick(["any", "l2tp"]), "remote-address": pick(ADDRESSES), "password": pick(["pw", "x"])}
        return st.fixed_dictionaries({"name": names}, optional={**common, **more})
    if menu == HOTSPOT_USER.menu:
        server = {} if key is not None else {"server": pick(["all", "hs1"])}
        return st.fixed_dictionaries({"name": names}, optional={**common, **server, "limit-uptime": pick(["1d", "x"])})
    if menu == BINDING.menu:
        macs = pick([*MACS, *(m.lower() for m in MACS)]) if key is None else st.just(key)
        server = {} if key is not None else {"server": pick(["all", "hs1"])}
        return st.fixed_dictionaries({"mac-address": macs}, optional={**common, **server, "type": pick(["blocked"])})
    if menu == QUEUE.menu:
        return _queues(names, common)
    if menu == LEASE.menu:
        where = pick(ADDRESSES) if key is None else st.just(key)
        more = {"server": pick(["dhcp1", "dhcp2"]), "dynamic": pick(["true", "false"])}
        if key is not None:
            del more["dynamic"]
        macs = pick([*MACS, *(m.lower() for m in MACS)])
        return st.fixed_dictionaries({"address": where, "mac-address": macs}, optional={**common, **more})
    if menu == ADDRESS_LIST.menu:
        return _entries(key, common)
    return _rules()


def _queues(names: st.SearchStrategy[str], common: Mapping[str, st.SearchStrategy[str]]) -> st.SearchStrategy[Row]:
    targets = pick(["10.0.0.0/24", "ether1", "10.0.0.5/32", "10.0.0.6", "10.0.0.7/32,10.9.0.0/16", "0.0.0.0/0"])
    more = {"max-limit": pick(["10000000/10000000", "0/0"]), "parent": pick(["none", "top"])}
    static = st.fixed_dictionaries({"name": names | pick(["all"]), "target": targets}, optional={**common, **more})
    dynamic = pick(ADDRESSES).map(lambda a: {"name": f"<pppoe-{a}>", "target": f"{a}/32", "dynamic": "true"})
    return static | dynamic


def _entries(key: str | None, common: Mapping[str, st.SearchStrategy[str]]) -> st.SearchStrategy[Row]:
    where = pick([*ADDRESSES, "10.0.0.5/32", "10.0.0.5-10.0.0.6"]) if key is None else st.just(key.split()[1])
    lists = pick(LISTS) if key is None else st.just(LISTS[0])
    static = st.fixed_dictionaries({"list": lists, "address": where}, optional=common)
    timed = st.fixed_dictionaries(
        {"list": lists, "address": where, "dynamic": st.just("true"), "timeout": st.just("1h")}
    )
    return static if key is not None else static | timed


def _rules() -> st.SearchStrategy[Row]:
    passes = {"chain": "forward", "action": "accept", "connection-state": "established,related"}
    drop = {"chain": "forward", "action": "drop"}
    return st.sampled_from(
        [
            passes,
            {**passes, "disabled": "true"},
            {"chain": "forward", "action": "fasttrack-connection", "connection-state": "established,related"},
            {"chain": "forward", "action": "passthrough", "dynamic": "true"},
            {"chain": "input", "action": "accept"},
            {**drop, "src-address-list": LISTS[0]},
            {**drop, "src-address-list": LISTS[0], "disabled": "true"},
            {**drop, "src-address-list": LISTS[0], "protocol": "tcp"},
            {**drop, "src-address-list": LISTS[1]},
        ]
    )
