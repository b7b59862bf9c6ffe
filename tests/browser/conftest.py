"""Debian's chromium, driven by playwright, for the pages that people look at; skipped where it is not installed."""

import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

CHROMIUM = shutil.which("chromium")
PATIENCE_MS = 120_000
"""Longer than a busy machine takes; what is awaited is awaited, not timed."""


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """One chromium for the tests of a module; afterwards its event loop is no longer in the way of others."""
    if CHROMIUM is None:
        pytest.skip("chromium is not installed (apt-get install chromium)")
    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"], timeout=PATIENCE_MS)
        yield running
        running.close()


@pytest.fixture
def open_page(browser: Browser) -> Iterator[Callable[..., Page]]:
    """Opens a page; what it complains of on its console, or fails to load, makes the test fail.

    Takes `width`, `dark` and `network`; there is none unless it is asked for.
    """
    with _watched(browser) as opened:
        yield opened


@contextmanager
def _watched(browser: Browser) -> Iterator[Callable[..., Page]]:
    complaints: list[str] = []
    contexts = []

    def opened(*, width: int = 1280, dark: bool = False, network: bool = False) -> Page:
        context = browser.new_context(
            viewport={"width": width, "height": 900},
            color_scheme="dark" if dark else "light",
            offline=not network,
        )
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(PATIENCE_MS)
        page.on("console", lambda said: complaints.append(said.text) if said.type in {"error", "warning"} else None)
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("requestfailed", lambda request: complaints.append(f"not loaded: {request.url}"))
        return page

    yield opened
    for context in contexts:
        context.close()
    assert not complaints


@pytest.fixture
def open_report(open_page: Callable[..., Page]) -> Callable[..., Page]:
    """Opens a report as a double click would, and waits until all of it is drawn; takes what `open_page` does."""

    def opened(path: Path, fragment: str = "", **how: object) -> Page:
        page = open_page(**how)
        page.goto(path.resolve().as_uri() + fragment)
        return settled(page)

    return opened


def settled(page: Page) -> Page:
    """The page, when everything is drawn."""
    page.wait_for_selector("body[data-ready]")
    return page
