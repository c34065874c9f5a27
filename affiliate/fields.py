"""Fields of forms that several surfaces share."""

from typing import Any

from flask_babel import gettext as _
from wtforms import DateField

from affiliate import days


class DayField(DateField):  # type: ignore[misc] # the library is not typed
    """A day of our time; others are refused as if none were chosen."""

    data: Any

    def process_formdata(self, valuelist: list[Any]) -> None:
        """Read what was sent.

        Raises:
            ValueError: it is no day, or none of our time.
        """
        super().process_formdata(valuelist)
        if self.data is not None and not days.is_ours(self.data):
            self.data = None
            raise ValueError(_("Choose a day."))
