"""What bringing routers under our care writes: what they can do, whom we adopt, what an older system hands over.

Subscribers, packages and routers are written by their own services alone; here they are called, in one transaction.
"""

from imsys.onboarding.services.adoption import Adoption, OnRouter, adopt
from imsys.onboarding.services.capabilities import record_capability
from imsys.onboarding.services.legacy import LegacyReport, import_legacy, new_routers

__all__ = ["Adoption", "LegacyReport", "OnRouter", "adopt", "import_legacy", "new_routers", "record_capability"]
