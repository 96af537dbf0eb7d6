"""One router of a story: what is there before us, and what technicians and customers do on it.

What is done here runs on the routers' loop; it returns whether it came about.
"""

import zlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar

from imsys.sim.router import SimRouter
from imsys.sim.traps import SimTrap

if TYPE_CHECKING:
    from tests.scenario.story import Tale

SECRET, PPP_PROFILE = "/ppp/secret", "/ppp/profile"
QUEUE, LEASE = "/queue/simple", "/ip/dhcp-server/lease"
ENTRY, RULE, CONNECTION = "/ip/firewall/address-list", "/ip/firewall/filter", "/ip/firewall/connection"
HOTSPOT_USER, HOTSPOT_PROFILE, BINDING = "/ip/hotspot/user", "/ip/hotspot/user/profile", "/ip/hotspot/ip-binding"
MANAGED = (SECRET, PPP_PROFILE, QUEUE, LEASE, ENTRY, RULE, HOTSPOT_USER, HOTSPOT_PROFILE, BINDING)
ISP_PROFILE = "isp-own"
FOREIGN_SECRETS = ("router-to-router", "pptp of the owner", "anna")
VIP = "10.9.0.1"
"""An address that is also on a list of somebody else's."""
THEIR_LOCK = "4E:FF:00:00:00:01"
"""A caller-id that technicians set: where we lock nobody, it is theirs."""


@dataclass(slots=True)
class Site:
    """theirs: (menu, id) of rows that others made where ours may be: they may stay. foreign: rows that must stay as
    they were. misled: names whose profile others changed, so that a session may have come up under it.
    isp_profiles: the menus in which the ISP made its own profile.
    """

    router: SimRouter
    suspend_by: str = "disable"
    suspend_list: str = "BLOCKED_USERS"
    theirs: set[tuple[str, str]] = field(default_factory=set)
    foreign: dict[tuple[str, str], dict[str, str]] = field(default_factory=dict)
    misled: set[str] = field(default_factory=set)
    isp_profiles: set[str] = field(default_factory=set)

    profile_menus: ClassVar = {"pppoe": PPP_PROFILE, "hotspot": HOTSPOT_PROFILE}

    @property
    def name(self) -> str:
        return self.router.name

    # -- what is there before us

    def furnish(self) -> None:
        put = self.router.table
        put(PPP_PROFILE).add(name="walled", rate_limit="64k/64k")
        for number, name in enumerate(FOREIGN_SECRETS, 1):
            put(SECRET).add(name=name, password=f"theirs-{number}", remote_address=f"10.9.9.{number}")
        put(QUEUE).add(name="everything", target="10.0.0.0/8", max_limit="900M/900M")
        put(QUEUE).add(name="the owner's office", target="10.7.0.0/24", max_limit="5M/5M")
        put(LEASE).add(address="10.80.0.250", mac_address="4E:FF:00:00:00:09", comment="printer")
        put(ENTRY).add(list="VIP", address=VIP)
        put(ENTRY).add(list="BLOCKED_USERS", address="10.7.7.7", comment="a neighbour")
        put(RULE).add(chain="forward", action="accept", src_address_list="VIP", dst_address="10.7.0.1")
        put(HOTSPOT_USER).add(name="guest", password="free", limit_uptime="1h")
        put(BINDING).add(mac_address="4E:FF:00:00:00:08", type="bypassed", comment="the till")
        old = put(QUEUE).add(name="IMSys-4", target="10.9.0.4/32", max_limit="1M/1M", comment="IMSys: 2019")
        self.theirs.add((QUEUE, old))
        self.look_at_foreign()

    def look_at_foreign(self) -> None:
        """Whatever is not ours by now is somebody else's for good."""
        known = self.foreign.keys() or {
            (menu, row[".id"]) for menu in MANAGED for row in self.router.table(menu).rows if not _is_dynamic(row)
        }
        found = {(menu, row[".id"]): row for menu in MANAGED for row in self.router.table(menu).rows}
        self.foreign = {place: found[place] for place in known - self.theirs if place in found}

    # -- technicians

    def tamper(self, tale: "Tale", menu: str, name: str, fields: dict[str, str | None]) -> bool:
        """A row of a removed subscriber is ours or nobody's, depending on who was faster."""
        if "profile" in fields:
            self.misled.add(name)
        return self._at(tale, menu, name, "set", fields) is not None

    def tamper_remove(self, tale: "Tale", menu: str, name: str) -> bool:
        return self._at(tale, menu, name, "remove") is not None

    def tamper_move(self, tale: "Tale", menu: str, name: str) -> bool:
        """To the end of its table."""
        return self._at(tale, menu, name, "move") is not None

    def tamper_add(self, tale: "Tale", menu: str, name: str, fields: dict[str, str]) -> bool:
        """A row under the key of a subscriber, whose own may be there or not."""
        key = self._key(tale, menu, name)
        if key is None or tale.wanted[name].site != tale.sites.index(self):
            return False
        outcome = self._write(menu, "", {**{_dashed(k): v for k, v in key.items()}, **fields}, "add")
        if outcome is not None:
            self.theirs.add((menu, outcome.ret))
        return outcome is not None

    def tamper_profile(self, tale: "Tale", menu: str, package: str, fields: dict[str, str] | None) -> bool:
        if self.router.table(menu).find(name=package) is None:
            return False
        return self._write(menu, package, fields or {}, "set" if fields else "remove") is not None

    def tamper_foreign(self, tale: "Tale", which: int, comment: str) -> bool:
        places = sorted(place for place in self.foreign if place[0] not in (PPP_PROFILE, HOTSPOT_PROFILE))
        menu, row_id = places[which % len(places)]
        done = self._write(menu, row_id, {"comment": comment}) is not None
        self.look_at_foreign()
        return done

    def make_isp_profile(self, tale: "Tale", menu: str) -> bool:
        if menu in self.isp_profiles:
            return False
        self._write(menu, ISP_PROFILE, {"rate-limit": "1M/1M"}, "add")
        self.isp_profiles.add(menu)
        return True

    def _at(self, tale: "Tale", menu: str, name: str, verb: str, fields: dict[str, str | None] | None = None) -> Any:
        key = self._key(tale, menu, name)
        row = self.router.table(menu).find(**key) if key is not None else None
        if row is None or (menu, row[".id"]) in self.foreign:
            return None
        return self._write(menu, row[".id"], fields or {}, verb)

    def _key(self, tale: "Tale", menu: str, name: str) -> dict[str, str] | None:
        """Where a subscriber's row is, were it there."""
        wanted = tale.wanted.get(name)
        if menu == RULE:
            return {"src_address_list": self.suspend_list, "action": "drop", "chain": "forward"}
        if wanted is None:
            return None
        if menu in (LEASE, ENTRY):
            own = {"list": self.suspend_list} if menu == ENTRY else {}
            return {**own, "address": wanted.address} if wanted.address else None
        if menu == BINDING:
            return {"mac_address": wanted.mac} if wanted.mac else None
        return {"name": name}

    def _write(self, menu: str, key: str, fields: dict[str, Any], verb: str = "set") -> Any:
        try:
            return self.router.tamper(menu, key, fields, verb=verb)
        except SimTrap:
            return None

    # -- customers

    def customers_dial(self, tale: "Tale") -> bool:
        """Each with the password and the device that the row has at the first dial; a device dials under one name."""
        cpes, rows = self.router.cpes, self.router.table(SECRET)
        known = {cpe.name for cpe in cpes}
        for name, wanted in tale.wanted.items():
            if name not in known and rows.find(name=name) is not None:
                cpes.add(name, redial_s=0.03, mac=wanted.mac)
                known.add(name)
                for old in known - tale.wanted.keys():
                    if wanted in tale.former.get(old, ()):
                        cpes.hang_up(old, redial=False)
        for name in known & tale.wanted.keys():
            cpes.dial(name)
        return bool(known)

    def customers_hang_up(self, tale: "Tale") -> bool:
        for cpe in self.router.cpes:
            self.router.cpes.hang_up(cpe.name)
        return True

    def customers_browse(self, tale: "Tale") -> bool:
        """Connections from all addresses that subscribers have."""
        if not self.router.is_up:
            return False
        firewall = self.router.firewall
        number = tale.sites.index(self)
        addresses = [wanted.address for wanted in tale.on(number).values() if wanted.address in tale.addresses]
        opened = [firewall.open(address) for address in addresses]
        for address in addresses:
            firewall.passes(address)
        return any(opened)

    def customers_ask_for_addresses(self, tale: "Tale") -> bool:
        """By DHCP: a device without a static lease gets one of the pool."""
        dhcp, known = self.router.dhcp, {device.mac for device in self.router.dhcp}
        asked = False
        for wanted in tale.on(tale.sites.index(self)).values():
            if wanted.service == "static" and wanted.mac:
                if wanted.mac not in known:
                    dhcp.add(wanted.mac)
                    known.add(wanted.mac)
                dhcp.ask(wanted.mac)
                asked = True
        return asked

    def customers_log_in(self, tale: "Tale") -> bool:
        """On the hotspot's page, each with the password that the login has by then."""
        hotspot, users = self.router.hotspot, self.router.table(HOTSPOT_USER)
        known = {device.mac for device in hotspot}
        for name, wanted in tale.on(tale.sites.index(self)).items():
            mac = device_of(name)
            if wanted.service == "hotspot" and mac not in known:
                hotspot.add(mac, redial_s=0.03)
                known.add(mac)
            if wanted.service == "hotspot" and wanted.mac and wanted.mac not in known:
                hotspot.add(wanted.mac, redial_s=0.03)
                known.add(wanted.mac)
            if mac in known and self.router.is_up and users.find(name=name) is not None:
                hotspot.login(mac, name)
        return bool(known)

    def customers_log_out(self, tale: "Tale") -> bool:
        for device in self.router.hotspot:
            self.router.hotspot.logout(device.mac, again=True)
        return len(self.router.hotspot) > 0


def device_of(name: str) -> str:
    """The device that a name logs in from."""
    return "4E:" + ":".join(f"{byte:02X}" for byte in zlib.crc32(name.encode()).to_bytes(4) + b"\x01")


def _is_dynamic(row: dict[str, str]) -> bool:
    return row.get("dynamic") == "true"


def _dashed(name: str) -> str:
    return name.replace("_", "-")
