"""TLS of api-ssl: anonymous Diffie-Hellman, as routers without a certificate speak, or a certificate of its own."""

import ssl
import tempfile
from pathlib import Path

# The 2048-bit group of RFC 7919: anonymous suites need parameters and these are nobody's secret.
_DH_PARAMETERS = """-----BEGIN DH PARAMETERS-----
MIIBCAKCAQEA//////////+t+FRYortKmq/cViAnPTzx2LnFg84tNpWp4TZBFGQz
+8yTnc4kmz75fS/jY2MMddj2gbICrsRhetPfHtXV/WVhJDP1H18GbtCFY2VVPe0a
87VXE15/V8k1mE8McODmi3fipona8+/och3xWKE2rec1MKzKT0g6eXq8CrGCsyT7
YdEIqUuyyOP7uWrat2DX9GgdT0Kj3jlN9K5W7edjcrsZCwenyO4KbXCeAvzhzffi
7MA0BM0oNC9hkXL+nOmFg/+OTxIy7vKBg8P+OxtMb61zO7X8vC7CIAXFjvGDfRaD
ssbzSibBsu/6iGtCOGEoXJf//////////wIBAg==
-----END DH PARAMETERS-----
"""


def server_context(tls: ssl.SSLContext | str) -> ssl.SSLContext:
    """The context of a router's api-ssl: the given one, or "anonymous"."""
    if isinstance(tls, ssl.SSLContext):
        return tls
    if tls != "anonymous":
        raise ValueError("tls is an SSLContext or 'anonymous'")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.maximum_version = ssl.TLSVersion.TLSv1_2  # anonymous suites do not exist in 1.3
    context.set_ciphers("ADH:@SECLEVEL=0")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "dh.pem")
        path.write_text(_DH_PARAMETERS)
        context.load_dh_params(str(path))
    return context


def certificate_context(certificate: Path, key: Path) -> ssl.SSLContext:
    """The context of a router with a certificate."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    return context
