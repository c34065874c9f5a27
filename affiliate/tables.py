"""Every table in one place, for migrations and for tools that must know them all."""

from affiliate import files, mailer
from affiliate.accounts import models as accounts
from affiliate.attribution import models as attribution
from affiliate.canary import models as canary
from affiliate.commissions import models as commissions
from affiliate.creatives import models as creatives
from affiliate.currencies import models as currencies
from affiliate.db import Base
from affiliate.fraud import models as fraud
from affiliate.ingest import day_models as changed_days
from affiliate.ingest import models as ingest
from affiliate.ingest import step_models as steps
from affiliate.joining import models as joining
from affiliate.ledger import models as ledger
from affiliate.links import models as links
from affiliate.newsletters import models as newsletters
from affiliate.notifications import models as notifications
from affiliate.papers import models as papers
from affiliate.partners import models as partners
from affiliate.payouts import models as payouts
from affiliate.privacy import models as privacy
from affiliate.programs import models as programs
from affiliate.relations import bulk_models as bulk
from affiliate.relations import care_models as care
from affiliate.relations import models as relations
from affiliate.replay import models as replay
from affiliate.reports import combined_models as combined
from affiliate.reports import day_models as days
from affiliate.reports import landing_models as landings
from affiliate.reports import models as reports
from affiliate.reports import shared_models as shared
from affiliate.reports import written_models as written
from affiliate.steering import models as steering
from affiliate.taxes import models as taxes
from affiliate.vetting import models as vetting

__all__ = [
    "accounts",
    "attribution",
    "bulk",
    "canary",
    "care",
    "changed_days",
    "combined",
    "commissions",
    "creatives",
    "currencies",
    "days",
    "files",
    "fraud",
    "ingest",
    "joining",
    "landings",
    "ledger",
    "links",
    "mailer",
    "metadata",
    "newsletters",
    "notifications",
    "papers",
    "partners",
    "payouts",
    "privacy",
    "programs",
    "relations",
    "replay",
    "reports",
    "shared",
    "steering",
    "steps",
    "taxes",
    "vetting",
    "written",
]

metadata = Base.metadata
