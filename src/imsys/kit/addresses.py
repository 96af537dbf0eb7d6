"""IP addresses in one spelling, so that equal addresses compare equal."""

import ipaddress


def canonical_address(text: str) -> str:
    """The address in its usual spelling; text that is no address comes back unchanged, to differ from every address."""
    try:
        return str(ipaddress.ip_address(text.strip()))
    except ValueError:
        return text


def is_ipv6(text: str) -> bool:
    try:
        return ipaddress.ip_address(text.strip("[]")).version == 6
    except ValueError:
        return False
