"""Every table that holds something of a partner or of its people: what a copy shows of it, and what erasure does to it. Pure.

A test compares this list with the tables that there are: a new one has to be put here before it can be used.
"""

import enum
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


class Of(enum.StrEnum):
    """How a row belongs to somebody."""

    PARTNER = "partner"  # by its column partner_id
    ITSELF = "itself"  # the partner's own row
    PERSON = "person"  # by its column user_id, or by `parent` where one is named
    PARENT = "parent"  # by a row of another table here


class Fate(enum.StrEnum):
    """What becomes of rows at an erasure."""

    KEEP = "keep"
    BLANK = "blank"  # the row stays, what it says goes
    DELETE = "delete"


@dataclass(frozen=True, slots=True)
class Entry:
    """A table. `parent`: the column and the table whose id it holds. `hidden` columns are in no copy; null: no copy at all.

    `blank`: what erased columns hold afterwards.
    """

    table: str
    of: Of
    fate: Fate
    hidden: frozenset[str] | None = frozenset()
    parent: tuple[str, str] = ("", "")
    blank: Mapping[str, Any] = field(default_factory=dict)


def _e(table: str, of: Of, fate: Fate, hide: str | None = "", **blank: Any) -> Entry:
    hidden = None if hide is None else frozenset(hide.split())
    return Entry(table, of, fate, hidden, blank=blank)


def _child(table: str, column: str, parent: str, fate: Fate, hide: str | None = "", **blank: Any) -> Entry:
    hidden = None if hide is None else frozenset(hide.split())
    return Entry(table, Of.PARENT, fate, hidden, (column, parent), blank)


_KEEP, _BLANK, _DELETE = Fate.KEEP, Fate.BLANK, Fate.DELETE
ERASED = "erased"

ENTRIES = (
    _e("partners", Of.ITSELF, _BLANK, name=ERASED, website=None, country=None, channels=[]),
    _e("users", Of.PERSON, _KEEP, "password fs_uniquifier tf_totp_secret tf_last_counter mf_recovery_codes"),
    _e("bulk_subjects", Of.PARTNER, _KEEP, None),
    _e("user_sessions", Of.PERSON, _DELETE),
    _e("grants", Of.PERSON, _DELETE),
    _e("mail_refusals", Of.PERSON, _DELETE),
    _e("notice_refusals", Of.PERSON, _DELETE),
    _child("notice_reads", "notice_id", "partner_notices", _DELETE, None),
    _e("partner_notices", Of.PARTNER, _DELETE, "is_passed_on"),
    _e("newsletter_refusals", Of.PERSON, _DELETE),
    _child("newsletter_openings", "consent_id", "opening_consents", _DELETE),
    _e("opening_consents", Of.PERSON, _DELETE),
    _e("newsletter_deliveries", Of.PERSON, _KEEP),
    Entry(
        "application_drafts",
        Of.PERSON,
        _BLANK,
        parent=("id", "applications"),  # once received, they have the same id
        blank={"typed": {}, "files": {}, "who": {}, "answers": {}, "asked": [], "source": ""},
    ),
    _e("members", Of.PARTNER, _DELETE),
    _e("member_invitations", Of.PARTNER, _DELETE, "token_hash"),
    _e("enrollments", Of.PARTNER, _BLANK, reason=None),
    _e("acting_terms", Of.PARTNER, _BLANK, "session_id", reason=""),
    _child("applications", "enrollment_id", "enrollments", _BLANK, answers={}, asked=[], source=""),
    _child("application_messages", "application_id", "applications", _BLANK, text=""),
    _child("assessments", "application_id", "applications", _BLANK, None, note="", evidence={}),
    _e("partner_terms", Of.PARTNER, _KEEP),
    _e("partner_marks", Of.PARTNER, _DELETE, None),
    _e("partner_care", Of.PARTNER, _BLANK, trial_scope=""),
    _e("partner_tags", Of.PARTNER, _DELETE, None),
    _e("partner_notes", Of.PARTNER, _BLANK, None, text=""),
    _e("partner_momentum", Of.PARTNER, _DELETE, None),
    _e("service_entries", Of.PARTNER, _BLANK, None, note="", source=ERASED),
    _e("partner_goals", Of.PARTNER, _KEEP),
    _child("partner_goal_notes", "goal_id", "partner_goals", _BLANK, text=""),
    _e("duties", Of.PARTNER, _BLANK, task=ERASED),
    _e("links", Of.PARTNER, _BLANK, name="", subs={}),
    _e("coupons", Of.PARTNER, _KEEP),
    _e("feed_addresses", Of.PARTNER, _DELETE, "code"),
    _e("cases", Of.PARTNER, _KEEP, "trace"),
    _child("case_messages", "case_id", "cases", _BLANK, text="", file_id=None),
    _e("fraud_appeals", Of.PARTNER, _BLANK, text=""),
    _e("story_consents", Of.PARTNER, _BLANK, story={}),
    _e("saved_reports", Of.PARTNER, _DELETE),
    _child("combination_rows", "combination_id", "combinations", _DELETE, None),
    _e("combinations", Of.PARTNER, _DELETE, None),
    _e("api_keys", Of.PARTNER, _BLANK, "secret_hash", name=ERASED),
    _child("postback_deliveries", "address_id", "postback_addresses", _DELETE),
    _e("postback_addresses", Of.PARTNER, _DELETE),
    _child("chat_deliveries", "hook_id", "chat_hooks", _DELETE, None),
    _e("chat_hooks", Of.PARTNER, _DELETE, "closed_url"),
    _e("day_mails", Of.PARTNER, _DELETE, None),
    _e("payout_methods", Of.PARTNER, _BLANK, "details", details="", masked=ERASED),
    _e("payout_blocks", Of.PARTNER, _BLANK, reason=""),
    _e("data_copies", Of.PARTNER, _DELETE, None),
    _e("erasure_requests", Of.PARTNER, _KEEP),
    # What follows is the books', and the papers of the books: law wants them kept, and each amount with them.
    _e("commissions", Of.PARTNER, _KEEP, "trace"),
    _e("commission_adjustments", Of.PARTNER, _KEEP),
    _e("adjustments", Of.PARTNER, _KEEP, "facts"),
    _e("payouts", Of.PARTNER, _KEEP),
    _e("papers", Of.PARTNER, _KEEP),
    _e("filed_invoices", Of.PARTNER, _KEEP),
    _e("tax_profiles", Of.PARTNER, _KEEP),
    _e("ledger_accounts", Of.PARTNER, _KEEP, None),
    _e("credits", Of.PARTNER, _KEEP, None),
    _e("channel_losses", Of.PARTNER, _KEEP, None),
    _e("manual_credits", Of.PARTNER, _KEEP, None),
    _e("fraud_verdicts", Of.PARTNER, _KEEP, None),
    _e("fraud_decisions", Of.PARTNER, _KEEP, None),
    _e("fraud_orders", Of.PARTNER, _KEEP, None),
    _e("partner_costs", Of.PARTNER, _KEEP, None),
)
"""In the order in which erasure goes: what points to a row before the row itself."""

ELSEWHERE = {
    "audit_events": "erased by its salts: the chain still holds",
    "outbox_mails": "by address",
    "mail_bounces": "by address",
    "prospects": "by address; each erases itself by its own mails",
    "suppressed_addresses": "by address",
    "invitations": "by address; a recruiter's by its column",
    "articles": "a story by whose it is",
    "canary_runs": "the partner of our own test orders",
    "creatives": "the program's library; who proposed a piece is a partner without a name afterwards",
    "creative_versions": "addresses of videos",
    "clicks": "visitors, not partners; they have their own term",
    "active_months_partner": "sums",
    "click_days_partner": "sums",
    "click_hours_partner": "sums",
    "click_hours_link": "sums",
    "click_hours_sub": "sums",
    "click_hours_creative": "sums",
    "visitor_hours": "sums",
    "link_sub_hours": "sums",
    "step_hours_partner": "sums",
    "step_hours_source": "sums",
    "sale_days_partner": "sums",
    "sale_days_item": "sums",
    "spans_partner": "sums",
    "ledger_balances": "sums",
    "program_senders": "the program's own address",
    "tax_settings": "the program's own address",
}
"""Tables with such a column that are no partner's, or are erased in another way."""
