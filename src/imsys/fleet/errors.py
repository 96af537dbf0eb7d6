"""What can stop a keeper."""

from imsys.kit.errors import PermanentError, TransientError


class LeaseLost(TransientError):
    """Another worker may own the router by now: nothing more may be written or recorded."""

    default_code = "LeaseLost"


class SameRouter(PermanentError):
    """What answers is kept here under another name already: whose rows are nobody's to the one are the other's."""

    default_code = "SameRouter"
