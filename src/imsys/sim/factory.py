"""What is on a router before anybody touches it: factory rows, and the small ISP set-up that most tests want."""

from typing import TYPE_CHECKING

from imsys.sim.accounts import GROUPS, render_policies
from imsys.sim.menus import hotspot
from imsys.sim.menus.ppp import DEFAULT_PROFILE_ID, ENCRYPTION_PROFILE_ID

if TYPE_CHECKING:
    from imsys.sim.router import SimRouter
    from imsys.sim.table import Table

# How a factory script names what it made.
DEFCONF = "defconf"
DHCP_RANGES = "10.80.0.2-10.80.255.254"
LOCAL_ADDRESS = "10.64.0.1"
POOL_RANGES = "10.64.0.2-10.64.255.254"
BUILTIN_LIST_ID = 0x2000000
_SERVICES = (
    ("telnet", "23"),
    ("ftp", "21"),
    ("www", "80"),
    ("ssh", "22"),
    ("api", "8728"),
    ("winbox", "8291"),
    ("api-ssl", "8729"),
    ("www-ssl", "443"),
)


def fill(router: "SimRouter", table: "Table") -> None:
    """Put the first rows into a table that was just made."""
    if (filler := _FILLERS.get(table.shape.menu.path)) is not None:
        filler(router, table)
    elif table.shape.menu.is_settings:
        table.put(0)


def _profiles(router: "SimRouter", table: "Table") -> None:
    site = {} if router.is_blank else {"local_address": LOCAL_ADDRESS, "remote_address": _pool_id(router)}
    table.put(DEFAULT_PROFILE_ID, name="default", default="true", **site)
    table.put(ENCRYPTION_PROFILE_ID, name="default-encryption", default="true", use_encryption="yes")


def _pool_id(router: "SimRouter") -> int | None:
    return router.table("/ip/pool").id_of("pppoe")


def _pools(router: "SimRouter", table: "Table") -> None:
    if not router.is_blank:
        table.put(name="pppoe", ranges=POOL_RANGES)
        table.put(name="dhcp", ranges=DHCP_RANGES)


def _interfaces(router: "SimRouter", table: "Table") -> None:
    for number in range(1, 6):
        name = f"ether{number}"
        table.put(name=name, default_name=name, mac_address=f"48:A9:8A:{router.number & 0xFF:02X}:00:{number:02X}")


def _pppoe_servers(router: "SimRouter", table: "Table") -> None:
    if not router.is_blank:
        table.put(
            service_name="pppoe",
            interface=router.table("/interface").id_of("ether2"),
            default_profile=DEFAULT_PROFILE_ID,
            disabled="false",
        )


def _interface_lists(router: "SimRouter", table: "Table") -> None:
    for row_id, name in enumerate(("all", "none", "dynamic", "static")):
        table.put(BUILTIN_LIST_ID + row_id, name=name, builtin="true")
    if not router.is_blank:
        for name in ("WAN", "LAN"):
            table.put(name=name, comment=DEFCONF)


def _list_members(router: "SimRouter", table: "Table") -> None:
    if router.is_blank:
        return
    lists, interfaces = router.table("/interface/list"), router.table("/interface")
    for number in range(1, 6):
        name = "WAN" if number == 1 else "LAN"
        table.put(list=lists.id_of(name), interface=interfaces.id_of(f"ether{number}"), comment=DEFCONF)


def _dhcp_servers(router: "SimRouter", table: "Table") -> None:
    if not router.is_blank:
        table.put(
            name="dhcp1",
            interface=router.table("/interface").id_of("ether3"),
            address_pool=router.table("/ip/pool").id_of("dhcp"),
            lease_time="10m" if router.version.is_v6 else "30m",
        )


def _hotspot_servers(router: "SimRouter", table: "Table") -> None:
    if not router.is_blank:
        profile = router.table(hotspot.SERVER_PROFILES).id_of("hsprof1")
        ether4 = router.table("/interface").id_of("ether4")
        table.put(name="hotspot1", interface=ether4, profile=profile, disabled="false")


def _hotspot_server_profiles(router: "SimRouter", table: "Table") -> None:
    table.put(hotspot.DEFAULT_ID, name="default", default="true")
    if not router.is_blank:
        table.put(name="hsprof1", hotspot_address="10.90.0.1", login_by="http-chap,mac-cookie")


def _hotspot_profiles(router: "SimRouter", table: "Table") -> None:
    table.put(hotspot.DEFAULT_ID, name="default", default="true")


def _hotspot_users(router: "SimRouter", table: "Table") -> None:
    note = "counters and limits for trial users"
    table.put(hotspot.DEFAULT_ID, name="default-trial", default="true", comment=note)


def _filter_rules(router: "SimRouter", table: "Table") -> None:
    """The forward chain that MikroTik's default configuration makes."""
    if router.is_blank:
        return
    wan = router.table("/interface/list").id_of("WAN")

    def rule(comment: str, **values: str | int | None) -> None:
        table.insert(
            table.shape.changed(table.shape.defaults, chain="forward", comment=f"{DEFCONF}: {comment}", **values)
        )

    rule("fasttrack", action="fasttrack-connection", hw_offload="true", connection_state="established,related")
    rule("accept established,related, untracked", connection_state="established,related,untracked")
    rule("drop invalid", action="drop", connection_state="invalid")
    not_forwarded = {"connection_state": "new", "connection_nat_state": "!dstnat", "in_interface_list": wan}
    rule("drop all from WAN not DSTNATed", action="drop", **not_forwarded)


def _services(router: "SimRouter", table: "Table") -> None:
    for name, port in _SERVICES:
        is_tls = name in ("api-ssl", "www-ssl")
        table.put(
            name=name,
            port=port,
            certificate="none" if is_tls else None,
            tls_version="any" if is_tls else None,
            disabled="true" if name == "www-ssl" else "false",
        )


def _groups(router: "SimRouter", table: "Table") -> None:
    groups = dict(GROUPS) | {
        user.group: user.policies for user in router.first_users.values() if user.policies is not None
    }
    for name, policies in groups.items():
        table.put(name=name, policy=render_policies(policies))


def _users(router: "SimRouter", table: "Table") -> None:
    groups = router.table("/user/group")
    for name, user in router.first_users.items():
        table.put(name=name, password=user.password, group=groups.id_of(user.group), address=user.address)


def _resource(router: "SimRouter", table: "Table") -> None:
    is_chr = router.is_chr
    table.put(
        0,
        version=str(router.version),
        build_time=router.local_text() if router.version.has_iso_dates else "Jan/15/2024 09:00:00",
        factory_software=None if is_chr else "6.47.10",
        board_name=router.board,
        architecture_name="x86_64" if is_chr else "arm",
        cpu="QEMU" if is_chr else "ARM",
        bad_blocks=None if is_chr else "0",
    )


def _identity(router: "SimRouter", table: "Table") -> None:
    table.put(0, name=router.name)


def _routerboard(router: "SimRouter", table: "Table") -> None:
    if router.is_chr:
        nothing = dict.fromkeys(("firmware_type", "factory_firmware"))
        table.put(0, routerboard="false", **nothing)
    else:
        table.put(
            0,
            board_name=router.board,
            model=router.board,
            serial_number=router.serial,
            current_firmware=router.version.text,
            upgrade_firmware=router.version.text,
        )


def _license(router: "SimRouter", table: "Table") -> None:
    if router.is_chr:
        table.put(0, system_id=f"{router.serial}{router.serial[:3]}", nlevel="p1")
    else:
        table.put(0, software_id=f"{router.serial[:4]}-{router.serial[4:8]}")


_FILLERS = {
    "/ppp/profile": _profiles,
    "/ip/pool": _pools,
    "/interface": _interfaces,
    "/interface/list": _interface_lists,
    "/interface/list/member": _list_members,
    "/ip/dhcp-server": _dhcp_servers,
    "/ip/firewall/filter": _filter_rules,
    hotspot.SERVERS: _hotspot_servers,
    hotspot.SERVER_PROFILES: _hotspot_server_profiles,
    hotspot.PROFILES: _hotspot_profiles,
    hotspot.USERS: _hotspot_users,
    "/interface/pppoe-server/server": _pppoe_servers,
    "/ip/service": _services,
    "/user/group": _groups,
    "/user": _users,
    "/system/resource": _resource,
    "/system/identity": _identity,
    "/system/routerboard": _routerboard,
    "/system/license": _license,
}
