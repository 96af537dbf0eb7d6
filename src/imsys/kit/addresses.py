"""IP addresses in one spelling, so that equal addresses compare equal."""

import ipaddress


def canonical_address(text: str) -> str:
    """The address in its usual spelling; text that is no address comes back unchanged, to differ from every address."""
    try:
        return str(ipaddress.ip_address(text.strip()))
    except ValueError:
        return text


def canonical_range(text: str) -> str:
    """A host bare, a prefix with its length, a range as the prefix that it is where it is one; other text unchanged."""
    text = text.strip()
    try:
        if "-" in text:
            first, last = (ipaddress.IPv4Address(part) for part in text.split("-"))
            networks = list(ipaddress.summarize_address_range(first, last))
            return _bare(networks[0]) if len(networks) == 1 else f"{first}-{last}"
        return _bare(ipaddress.ip_network(text, strict=False))
    except (ValueError, TypeError):
        return text


def networks(text: str) -> tuple[ipaddress.IPv4Network | ipaddress.IPv6Network | str, ...]:
    """A list of prefixes separated by commas; what is no prefix, such as an interface, stays text."""
    return tuple(_network(part) for part in text.split(",") if part)


def _network(text: str) -> ipaddress.IPv4Network | ipaddress.IPv6Network | str:
    try:
        return ipaddress.ip_network(text.strip(), strict=False)
    except ValueError:
        return text


def _bare(network: ipaddress.IPv4Network | ipaddress.IPv6Network) -> str:
    return str(network.network_address) if network.prefixlen == network.max_prefixlen else str(network)


def is_ipv6(text: str) -> bool:
    try:
        return ipaddress.ip_address(text.strip("[]")).version == 6
    except ValueError:
        return False
