"""When two mails, websites or hosts are the same in all but spelling. Pure."""

import unicodedata
from functools import lru_cache
from pathlib import Path
from urllib.parse import urlsplit

_DOTS_DO_NOT_COUNT = frozenset({"gmail.com", "googlemail.com"})
_SAME_DOMAIN = {"googlemail.com": "gmail.com"}
_BRAND_LENGTH_MIN = 5
"""A shorter name is a word that anybody's address may hold or come near to."""

_LOOKS_LIKE = str.maketrans({"0": "o", "1": "l", "3": "e", "5": "s", "4": "a"})


def mail_key(address: str) -> str:
    """One spelling for all those under which a mailbox is reached: without case, +tag, and Gmail's dots."""
    local, _, domain = address.strip().lower().rpartition("@")
    local = local.partition("+")[0]
    if domain in _DOTS_DO_NOT_COUNT:
        local = local.replace(".", "")
    return f"{local}@{_SAME_DOMAIN.get(domain, domain)}"


def mail_spellings(address: str) -> set[str]:
    """How the owner of a mailbox may have typed it in a shop. A shop sends a hash, so that only whole spellings compare."""
    plain = address.strip().lower()
    local, _, domain = plain.rpartition("@")
    untagged = f"{local.partition('+')[0]}@{domain}"
    found = {plain, untagged, mail_key(plain)}
    if domain in _DOTS_DO_NOT_COUNT:
        found |= {f"{one.rpartition('@')[0]}@{other}" for one in list(found) for other in _DOTS_DO_NOT_COUNT}
    return found


def is_disposable(address: str) -> bool:
    """Whether the mailbox is of a service that throws mailboxes away."""
    domain = address.strip().lower().rpartition("@")[2]
    parts = domain.split(".")
    return any(".".join(parts[at:]) in _disposable() for at in range(len(parts) - 1))


@lru_cache(maxsize=1)
def _disposable() -> frozenset[str]:
    lines = (Path(__file__).parent / "disposable.txt").read_text("utf-8").splitlines()
    return frozenset(line for line in lines if line and not line.startswith("#"))


def host_of(address: str | None) -> str:
    """The host of an address, small and without `www.`; empty when there is none."""
    if not address:
        return ""
    try:
        host = urlsplit(address if "://" in address else f"//{address}").hostname or ""
    except ValueError:
        return ""
    return host.lower().rstrip(".").removeprefix("www.")


def website_key(address: str | None) -> str:
    """One spelling of a website: host and path. The path counts, because many people share a host."""
    host = host_of(address)
    if not host or address is None:
        return ""
    path = urlsplit(address if "://" in address else f"//{address}").path
    return f"{host}{path.rstrip('/').lower()}"


def is_within(host: str, owner: str) -> bool:
    """Whether a host is the owner's or below it. Ports and `www.` do not count."""
    owner = host_of(owner)
    return bool(owner) and (host == owner or host.endswith(f".{owner}"))


def looks_like(host: str, shop: str) -> bool:
    """Whether a foreign host passes itself off as the shop's: one slip of the pen, a letter that looks alike, the brand with an addition."""
    brand = _brand(host_of(shop))
    if len(brand) < _BRAND_LENGTH_MIN or is_within(host, shop):
        return False
    parts = {part for label in host.split(".")[:-1] for part in (label, *label.split("-"))}
    return any(_near(_plain(part), brand) for part in parts)


def _brand(host: str) -> str:
    """The longest label of a host but its last: `casaondera` of `casaondera.co.uk`."""
    return _plain(max(host.split(".")[:-1], key=len, default=""))


def _plain(label: str) -> str:
    """A label as an eye in a hurry reads it."""
    if label.startswith("xn--"):
        try:
            label = label.encode().decode("idna")
        except UnicodeError:
            return label
    letters = "".join(c for c in unicodedata.normalize("NFKD", label) if not unicodedata.combining(c))
    return letters.translate(_LOOKS_LIKE).replace("rn", "m").replace("vv", "w")


def _near(label: str, brand: str) -> bool:
    """The same, or one letter more, less, other or swapped away."""
    if label == brand:
        return True
    if abs(len(label) - len(brand)) > 1 or len(label) < _BRAND_LENGTH_MIN:
        return False
    start = next(
        (at for at, (a, b) in enumerate(zip(label, brand, strict=False)) if a != b), min(len(label), len(brand))
    )
    rest, other = label[start:], brand[start:]
    swapped = rest[:2] == other[1::-1] and rest[2:] == other[2:]
    return rest[1:] == other[1:] or rest[1:] == other or rest == other[1:] or swapped
