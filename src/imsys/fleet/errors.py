"""What can stop a keeper."""

from imsys.kit.errors import TransientError


class LeaseLost(TransientError):
    """Another worker may own the router by now: nothing more may be written or recorded."""

    default_code = "LeaseLost"
