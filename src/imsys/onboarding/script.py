"""The RouterOS commands that let IMSys in: a group with the policies it needs, a user in it, the API service. Pure.

Each line stands by itself, since a terminal takes a pasted text line by line, and given again it changes nothing. All
words are of RouterOS 6.49 and 7 alike; what one of them alone knows is tried, and passed over where it is not known.
A user who was there with other rights is somebody else's, and is left alone.
Sources: RouterOS manual, "Scripting", "User", "Services", "Certificates".
"""

import ipaddress
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

from imsys.kit.errors import InputError
from imsys.onboarding.rights import POLICIES

Tls = Literal["off", "verify", "pin", "anonymous"]

OTHER_POLICIES = ("local", "telnet", "ssh", "ftp", "reboot", "policy", "winbox", "password", "web", "sniff", "romon")
"""Those that 6.49 and 7 both know."""
POLICIES_OF_SOME = ("rest-api", "dude", "tikapp")
GROUP = "imsys"
CERTIFICATE = "imsys-api"
_ESCAPED = {'"': '\\"', "\\": "\\\\", "$": "\\$", "?": "\\?"}


@dataclass(frozen=True, slots=True)
class Access:
    """Who is let in. `addresses`: from where alone; none is from anywhere."""

    username: str
    password: str = field(repr=False)
    addresses: Sequence[str] = ()
    tls: Tls = "off"

    def __post_init__(self) -> None:
        if not self.username.strip() or not self.username.isprintable():
            raise InputError(f"The username {self.username!r} is empty or holds a control character.")
        if not self.password.isprintable():
            raise InputError("The password holds a control character.", remedy="Give one line of text.")


def script(access: Access) -> str:
    """The commands as a text to paste, or to run with `/import`."""
    return "\n".join((*_head(access), *_group(), *_user(access), *_service(access), ""))


def check_addresses(addresses: Sequence[str]) -> list[str]:
    """Addresses and networks as RouterOS takes them."""
    checked = []
    for text in addresses:
        try:
            checked.append(str(ipaddress.ip_network(text.strip(), strict=False)))
        except ValueError:
            raise InputError(
                f"{text!r} is no address or network.", remedy="Write one like 192.0.2.10 or 192.0.2.0/24."
            ) from None
    return checked


def quoted(text: str) -> str:
    """A RouterOS string. Bytes beyond ASCII are written as their codes, since terminals differ about them."""
    parts = (
        _ESCAPED.get(char) or (char if char.isascii() else "".join(f"\\{byte:02X}" for byte in char.encode()))
        for char in text
    )
    return f'"{"".join(parts)}"'


def _head(access: Access) -> list[str]:
    where = f"from {', '.join(access.addresses)}" if access.addresses else "from any address: better limit it"
    return [f"# Lets IMSys in as {access.username}, {where}. Paste it in a terminal; a second time changes nothing."]


def _group() -> list[str]:
    """`add` grants what it names, `set` changes what it names: a group that was there loses what is not needed."""
    name = quoted(GROUP)
    granted, denied = ",".join(POLICIES), ",".join(f"!{policy}" for policy in OTHER_POLICIES)
    of_some = ";".join(quoted(f"!{policy}") for policy in POLICIES_OF_SOME)
    return [
        f":if ([:len [/user group find name={name}]] = 0) do={{/user group add name={name} policy={granted}}}",
        f"/user group set [find name={name}] policy={granted},{denied}",
        f":foreach p in={{{of_some}}} do={{:do {{/user group set [find name={name}] policy=$p}} on-error={{}}}}",
    ]


def _user(access: Access) -> list[str]:
    name, password, group = quoted(access.username), quoted(access.password), quoted(GROUP)
    fields = f"password={password} address={quoted(','.join(access.addresses))}"
    taken = quoted(f"The user {access.username} is there with other rights, and was left alone: choose another name.")
    return [
        f":if ([:len [/user find name={name}]] = 0) do={{/user add name={name} group={group} {fields}}}",
        f":if ([:len [/user find name={name} group={group}]] = 0) do={{:put {taken}}} "
        f"else={{/user set [find name={name}] {fields} disabled=no}}",
    ]


def _service(access: Access) -> list[str]:
    if access.tls == "off":
        return [
            "# Passwords cross the network in clear text with this service; for an encrypted one: --tls pin.",
            "/ip service set api disabled=no",
            *_who_is_admitted("api"),
        ]
    if access.tls == "anonymous":
        return [
            "# Without a certificate the service is encrypted, and anybody can answer in the router's name.",
            "/ip service set api-ssl disabled=no",
            *_who_is_admitted("api-ssl"),
        ]
    return [*_certificate(), *_who_is_admitted("api-ssl")]


def _certificate() -> list[str]:
    """A self-signed one where api-ssl has none yet; it takes some seconds, and its fingerprint is shown at the end."""
    name = quoted(CERTIFICATE)
    usage = "digital-signature,key-encipherment,key-cert-sign,crl-sign,tls-server"
    by_hand = (
        "This router made no certificate. Make one by hand, in /certificate, and name it: "
        "/ip service set api-ssl certificate=NAME disabled=no"
    )
    made = f"[:len [/certificate find name={name}]]"
    signed = f"[:len [/certificate get [find name={name}] fingerprint]]"
    return [
        f":if ({made} = 0) do={{:do {{/certificate add name={name} common-name={name} days-valid=3650 "
        f"key-usage={usage}}} on-error={{:put {quoted(by_hand)}}}}}",
        f":if ({made} > 0) do={{:if ({signed} = 0) do={{/certificate sign [find name={name}]}}}}",
        f':if ({made} > 0 and [/ip service get api-ssl certificate] = "none") do={{'
        f"/ip service set api-ssl certificate={name}}}",
        "/ip service set api-ssl disabled=no",
        "# The SHA-256 for --tls pin --tls-fingerprint:",
        ":do {:put [/certificate get [/ip service get api-ssl certificate] fingerprint]} on-error={"
        f":put {quoted('api-ssl has no certificate.')}}}",
    ]


def _who_is_admitted(service: str) -> list[str]:
    return [f"# Where /ip service {service} has an address list of its own, add the machine of IMSys to it."]
