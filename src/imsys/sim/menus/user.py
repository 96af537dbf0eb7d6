"""/user: who may log in, their groups, and who is logged in."""

from imsys.sim.fields import Duration, Enum, Flag, Name, Optional, Policies, PrefixList, Reference, Text
from imsys.sim.menu import ROW_VERBS, SWITCH_VERBS, Column, Menu
from imsys.sim.table import Table
from imsys.sim.traps import SimTrap


def _check_group_removal(table: Table, row_id: int) -> None:
    users = table.router.table("/user")
    slot = users.shape.slots["group"]
    if any(row[slot] == row_id for _, row in users.items()):
        raise SimTrap("failure: group has some users")


USER = Menu(
    "/user",
    (
        Column("name", Name(), required=True),
        Column("group", Reference("/user/group"), required=True),
        Column("address", PrefixList(), ""),
        Column("password", Text(), "", hidden=True, sensitive=True),
        Column("last-logged-in", Text(), read_only=True, diverse=True),
        Column("inactivity-timeout", Duration(), "10m", since=(7, 16)),
        Column("inactivity-policy", Enum(("none", "lockscreen", "logout")), "none", since=(7, 16)),
        Column("expired", Flag(), "false", read_only=True, since=(7,)),
        Column("disabled", Flag(), "false"),
        Column("comment", Optional()),
    ),
    verbs=ROW_VERBS | SWITCH_VERBS,
    key="name",
    duplicate="failure: user with the same name already exists",
    noun="user",
    write_policy="policy",
)

GROUP = Menu(
    "/user/group",
    (
        Column("name", Name(), required=True),
        Column("policy", Policies(), required=True),
        Column("skin", Text(), "default"),
        Column("comment", Optional()),
    ),
    verbs=ROW_VERBS,
    key="name",
    duplicate="failure: group with the same name already exists",
    noun="group",
    write_policy="policy",
    check_remove=_check_group_removal,
)

ACTIVE = Menu(
    "/user/active",
    (
        Column("when", Text(), read_only=True, diverse=True),
        Column("name", Text(), read_only=True),
        Column("address", Text(), read_only=True),
        Column("via", Text(), read_only=True),
        Column("group", Text(), read_only=True),
        Column("radius", Flag(), "false", read_only=True),
    ),
    verbs=frozenset({"print", "getall", "get", "listen"}),
    key="name",
    key_is_unique=False,
    is_dynamic=True,
)

MENUS = [USER, GROUP, ACTIVE]
