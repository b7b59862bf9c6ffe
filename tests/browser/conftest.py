"""Debian's chromium, driven by playwright, for the pages that people look at; skipped where it is not installed."""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

CHROMIUM = shutil.which("chromium")
REQUIRED = "CONVERSATIONS_BROWSER_TESTS"
"""Set where the browser must be there, as in CI: then a test that lacks it fails."""


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """One chromium for all tests of a process."""
    if CHROMIUM is None:
        reason = "chromium is not installed (apt-get install chromium)"
        if os.environ.get(REQUIRED):
            pytest.fail(reason)
        pytest.skip(reason)
    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield running
        running.close()


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """An empty page, 1280 by 900, without network; what it complains of on its console makes the test fail."""
    context = browser.new_context(viewport={"width": 1280, "height": 900}, offline=True)
    page = context.new_page()
    complaints: list[str] = []
    page.on(
        "console", lambda message: complaints.append(message.text) if message.type in {"error", "warning"} else None
    )
    page.on("pageerror", lambda error: complaints.append(str(error)))
    yield page
    context.close()
    assert not complaints


def open_file(page: Page, path: Path, fragment: str = "") -> None:
    """Open a file as a double click would, and wait until everything is drawn."""
    page.goto(path.resolve().as_uri() + fragment)
    page.wait_for_selector("body[data-ready]")
