"""The TLS modes against a simulated api-ssl: what each accepts, and what it refuses before the password is sent."""

import datetime
import hashlib
import ipaddress
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from imsys.kit.clock import SystemClock
from imsys.routeros.client import Client
from imsys.routeros.endpoint import Endpoint
from imsys.routeros.errors import ConnectFailed, TlsFailed, TlsMismatch
from imsys.sim.router import SimRouter
from imsys.sim.server import SimServer
from imsys.sim.tls import certificate_context


def make_certificate(folder: Path) -> tuple[Path, Path, str]:
    """A self-signed certificate for 127.0.0.1 with its key, and its SHA-256 fingerprint."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "router")])
    now = datetime.datetime.now(datetime.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    paths = folder / "router.crt", folder / "router.key"
    paths[0].write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    paths[1].write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    return *paths, hashlib.sha256(certificate.public_bytes(serialization.Encoding.DER)).hexdigest()


async def login(port: int, **options: object) -> int:
    """How many secrets the router shows to that endpoint."""
    endpoint = Endpoint("127.0.0.1", port, "admin", **options)  # type: ignore[arg-type]
    async with await Client.connect(endpoint, clock=SystemClock()) as client:
        return len(await client.print("/ppp/secret"))


async def test_anonymous() -> None:
    router = SimRouter("r1", tls="anonymous")
    async with await SimServer.start([router]) as server:
        assert await login(server.tls_port(router), tls="anonymous") == 0
        with pytest.raises((TlsFailed, ConnectFailed), match="TLS"):  # an alert, or a peer that just closes
            await login(server.tls_port(router), tls="verify")
        assert router.counters.logins == 1


async def test_pin_takes_the_one_certificate_and_no_other(tmp_path: Path) -> None:
    certificate, key, fingerprint = make_certificate(tmp_path)
    router = SimRouter("r1", tls=certificate_context(certificate, key))
    async with await SimServer.start([router]) as server:
        port = server.tls_port(router)
        assert await login(port, tls="pin", fingerprint=fingerprint) == 0
        spelled = ":".join(fingerprint[at : at + 2].upper() for at in range(0, 64, 2))
        assert await login(port, tls="pin", fingerprint=spelled) == 0
        logins = router.counters.logins
        with pytest.raises(TlsMismatch, match=fingerprint):
            await login(port, tls="pin", fingerprint="0" * 64)
        assert router.counters.logins == logins
        assert router.counters.failed_logins == 0


async def test_verify_wants_a_known_authority(tmp_path: Path) -> None:
    certificate, key, _ = make_certificate(tmp_path)
    router = SimRouter("r1", tls=certificate_context(certificate, key))
    async with await SimServer.start([router]) as server:
        port = server.tls_port(router)
        assert await login(port, tls="verify", ca_file=certificate) == 0
        with pytest.raises((TlsFailed, TlsMismatch)):
            await login(port, tls="verify")
        assert router.counters.failed_logins == 0
