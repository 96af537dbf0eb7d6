"""What can go wrong with sealed secrets. No message here quotes a key, a secret or a sealed value."""

from imsys.kit.errors import PermanentError


class VaultError(PermanentError):
    """The key is missing, unreadable or not the one that sealed this."""

    default_code = "VaultKey"
