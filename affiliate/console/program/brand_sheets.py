"""What the page of the brand says: how its colour reads, whom mails are from, and how a host is proved."""

import base64
from email.utils import parseaddr
from typing import Any

from flask import url_for
from flask_babel import gettext as _

from affiliate.files import File
from affiliate.programs import addresses, domains, rules
from affiliate.programs import sender as senders
from affiliate.programs.models import Program, ProgramDomain, ProgramSender
from affiliate.senders import signing_domains
from affiliate.settings import Settings


def colour(program: Program) -> dict[str, str | None]:
    """The colour, and its contrast on its own tint."""
    accent = program.accent
    return {"accent": accent, "ratio": f"{rules.contrast_on_tint(accent):.1f}" if accent else None}


def look(
    program: Program, *, logo: File | None, logo_url: str | None, colour: str, name: str, address: str
) -> dict[str, Any]:
    """How heads of pages and mails look with what was typed; what was not typed is as it is."""
    problem = rules.accent_problem(colour) if colour else None
    shown = (program.accent if problem else colour or program.accent) or ""
    return {
        "brand": {"name": program.name, "url": "#look", "logo_url": picture(logo)["url"] if logo else logo_url},
        "colour": colour or program.accent or "",
        "problem": problem and _(problem),
        "css_url": url_for("console.brand_colour", colour=shown) if shown else None,
        "suggestion": rules.readable_accent(colour) if problem and rules.is_colour(colour) else None,
        "sender": name or program.name,
        "address": address,
    }


def picture(of: File) -> dict[str, str]:
    """A picture that is stored nowhere, inside the page that shows it."""
    text = base64.b64encode(of.content).decode()
    return {"name": of.name, "text": text, "url": f"data:{of.media_type};base64,{text}"}


def sender(program: Program, own: ProgramSender | None, to: Settings) -> dict[str, Any]:
    """From whom mails are now, which address waits, and what receivers of mail look at."""
    installation = parseaddr(to.mail_from)[1]
    address = own.address if own and own.address else installation
    waits = own.asked_address if own else None
    return {
        "name": own.name if own and own.name else program.name,
        "address": address,
        "waits": waits,
        "ends_at": own.asked_at + senders.PROVED_WITHIN if own and own.asked_at else None,
        "domain": _domain(waits or address),
        "returned_to": to.bounce_address or installation,
        "is_foreign": _domain(waits or address) != _domain(installation),
        "key": _key(waits or address, to),
    }


def _key(address: str, to: Settings) -> dict[str, str] | None:
    """The record by which another domain publishes the key that newsletters are signed with; nothing where none is needed."""
    signed_for = signing_domains(to.mail_from, address)
    if not to.dkim_key_file or len(signed_for) == 1:
        return None
    names = [f"{to.dkim_selector}._domainkey.{domain}" for domain in signed_for]
    return {"target": names[0], "name": names[1], "ours": signed_for[0]}


def domain(program: Program, wanted: ProgramDomain | None, to: Settings) -> dict[str, Any] | None:
    """The host with its state and both ways to prove it, and where links and pages are."""
    if wanted is None:
        return None
    return {
        "host": wanted.host,
        "is_proved": wanted.proved_at is not None,
        "checked_at": wanted.checked_at,
        "problem": wanted.problem,
        "fails": wanted.failures > 0,
        "present": program.own_host if program.own_host != wanted.host else None,
        "txt_name": f"{domains.TXT_LABEL}.{wanted.host}",
        "proof": domains.proof(to.secret_key, program_id=program.id, host=wanted.host),
        "proof_url": f"{addresses.pages(wanted.host, to)}{domains.PROOF_PATH}",
        "leads_to": next(iter(addresses.pages(None, to).split("://")[1:]), ""),
        "example": f"{addresses.links(wanted.host, to)}/r/…",
        "portal": f"{addresses.pages(wanted.host, to)}/portal/",
    }


def _domain(address: str) -> str:
    return address.rpartition("@")[2]
