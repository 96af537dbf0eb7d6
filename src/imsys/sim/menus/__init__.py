"""The menus of the simulator, one module per branch of RouterOS's tree. Add one as a `Menu` in a module's list."""

from imsys.sim.menu import Menu
from imsys.sim.menus import (
    address_list,
    dhcp,
    firewall,
    hotspot,
    hotspot_host,
    interface,
    ip,
    ntp,
    ppp,
    queue,
    system,
    user,
)

_MODULES = (address_list, dhcp, firewall, hotspot, hotspot_host, interface, ip, ntp, ppp, queue, system, user)
MENUS: dict[str, Menu] = {menu.path: menu for module in _MODULES for menu in module.MENUS}
