"""One installation, its mail server and one browser for all tests of the flow, and people who have signed in once."""

import os
from collections.abc import Callable, Iterator
from typing import Any

import mail_server
import pages
import pytest
from installation import Installation
from pages import Visitor
from playwright.sync_api import Browser, sync_playwright

from affiliate import db
from affiliate import settings as settings_module

MakeVisitor = Callable[..., Visitor]
_installations: list[Installation] = []


@pytest.fixture(scope="session")
def installation(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    """A fresh installation with its demo, running. Its mails leave by SMTP, and are written down where they arrive."""
    installation = Installation(tmp_path_factory.mktemp("installation"))
    _installations.append(installation)
    with mail_server.running() as mails:
        mails.folder = installation.data_dir / "mail"
        installation.environment["AFFILIATE_SMTP_URL"] = f"smtp://127.0.0.1:{mails.port}"
        try:
            installation.start()
            yield installation
        finally:
            installation.end()


@pytest.fixture
def inside(installation: Installation, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """This process reads the installation's settings: `db.transaction()` is on its database."""
    for name in [name for name in os.environ if name.startswith("AFFILIATE_")]:
        monkeypatch.delenv(name)  # of an application that the test has beside it
    for name, value in installation.environment.items():
        monkeypatch.setenv(name, value)
    settings_module.current.cache_clear()
    db.dispose()
    yield
    db.dispose()
    settings_module.current.cache_clear()


@pytest.hookimpl(trylast=True)
def pytest_runtest_teardown(item: pytest.Item, nextitem: pytest.Item | None) -> None:
    """After the last test of the flow nobody needs the installation: its processes would take from all tests that follow."""
    if nextitem is None or item.path.parent != nextitem.path.parent:
        for installation in _installations:
            installation.end()


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Chromium, for a file: while its library's event loop stands open, no other test of the process may start one."""
    with sync_playwright() as playwright, pages.chromium(playwright) as browser:
        yield browser


@pytest.fixture(scope="session")
def signed_in() -> dict[str, Any]:
    """The cookies of those who have signed in, by their place in the demo's list of people."""
    return {}


@pytest.fixture
def visitor(installation: Installation, browser: Browser, signed_in: dict[str, Any]) -> Iterator[MakeVisitor]:
    """Makes visitors: `visitor()` is anybody, `visitor("manager")` has signed in. At the end, nothing may have gone wrong."""
    made: list[Visitor] = []

    def make(role: str | None = None, **options: Any) -> Visitor:
        if role is not None:
            options["storage_state"] = signed_in.get(role) or sign_in(role)
        made.append(Visitor(browser, installation, **options))
        return made[-1]

    def sign_in(role: str) -> Any:
        person = next(one for one in installation.demo["people"] if one["role"] == role)
        first = Visitor(browser, installation)
        first.sign_in(person["email"], person["password"])
        signed_in[role] = first.context.storage_state()
        first.close()
        return signed_in[role]

    yield make
    for one in made:
        one.close()
