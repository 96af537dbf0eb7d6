"""The kinds of rows that we manage; adding one is a file here, its page in docs/spec and its simulator menu."""

from imsys.reconcile.kinds.base import UNVERIFIABLE, Field, Kind, Observed, Resource, Value
from imsys.reconcile.kinds.ppp_profile import PROFILE
from imsys.reconcile.kinds.ppp_secret import SECRET

KINDS = {kind.menu: kind for kind in (PROFILE, SECRET)}

__all__ = ["KINDS", "PROFILE", "SECRET", "UNVERIFIABLE", "Field", "Kind", "Observed", "Resource", "Value"]
