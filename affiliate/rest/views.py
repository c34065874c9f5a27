"""All routes of the API's reading side: importing this module puts them on the blueprint."""

from affiliate.rest import figures, funnel, payouts, performance, replays, shop_totals, things
from affiliate.rest.blueprint import blueprint

__all__ = ["blueprint", "figures", "funnel", "payouts", "performance", "replays", "shop_totals", "things"]
