"""Text that came as bytes: routers take what is no UTF-8, databases and terminals do not."""


def storable(text: str) -> str:
    """The text with its undecodable bytes (surrogates) written out, such as caf\\xe9; any other as it is."""
    return text.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
