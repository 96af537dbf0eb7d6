"""The four TLS modes as contexts, and the check of a pinned certificate."""

import asyncio
import hashlib
import hmac
import ssl
from pathlib import Path

from imsys.kit.errors import InputError
from imsys.routeros.endpoint import Endpoint
from imsys.routeros.errors import TlsMismatch


def make_context(endpoint: Endpoint) -> ssl.SSLContext | None:
    """The context for the endpoint's mode; None when it is off."""
    if endpoint.tls == "off":
        return None
    if endpoint.tls == "verify":
        return _verifying(endpoint.ca_file)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    if endpoint.tls == "pin":
        context.set_ciphers("DEFAULT:@SECLEVEL=0")  # the pin is the proof; routers sign with short keys
        return context
    context.set_ciphers("ADH:@SECLEVEL=0")
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.maximum_version = ssl.TLSVersion.TLSv1_2  # anonymous suites do not exist in 1.3
    return context


def check_pin(endpoint: Endpoint, transport: asyncio.BaseTransport) -> None:
    """Raise TlsMismatch unless the peer's certificate is the pinned one. To be called before anything is sent."""
    session = transport.get_extra_info("ssl_object")
    certificate = session.getpeercert(binary_form=True) if session is not None else None
    seen = hashlib.sha256(certificate).hexdigest() if certificate else "none"
    if not hmac.compare_digest(seen, endpoint.fingerprint):
        raise TlsMismatch(f"{endpoint.address} showed another certificate than the pinned one (SHA-256 {seen}).")


def _verifying(ca_file: Path | str | None) -> ssl.SSLContext:
    try:
        context = ssl.create_default_context(cafile=ca_file)
    except (OSError, ssl.SSLError) as exc:
        raise InputError(f"The authority's certificates cannot be read from {ca_file}: {exc}") from exc
    # Certificates made on a router lack extensions that this flag (on by default in newer Pythons) insists on.
    context.verify_flags &= ~ssl.VERIFY_X509_STRICT
    return context
