"""The Dagster UI shows the graph. What is in the graph is tested without a browser (`pipelines/test_definitions`)."""

import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Error, Page

ROOT = Path(__file__).parents[2]
_START_MS, _PAUSE_MS = 120_000, 500


@pytest.fixture
def ui(tmp_path: Path, browser: Browser) -> Iterator[str]:
    """The address of a UI with the definitions, and with a state of its own."""
    del browser  # without one there is nothing to start for
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    words = ["-m", "dagster_webserver", "-m", "pipelines.definitions", "-p", str(port)]
    environment = {**os.environ, "DAGSTER_HOME": str(ROOT), "CONVERSATIONS_DAGSTER_STATE": str(tmp_path)}
    with (tmp_path / "log").open("wb") as log:
        served = subprocess.Popen([sys.executable, *words], env=environment, cwd=tmp_path, stdout=log, stderr=log)
        try:
            yield f"http://127.0.0.1:{port}"
        finally:
            served.terminate()
            served.wait()


def test_the_graph_shows_from_the_registry_to_the_report(ui: str, browser: Browser) -> None:
    page = browser.new_page(viewport={"width": 1700, "height": 640})
    page.set_default_timeout(_START_MS)
    _open(page, f"{ui}/asset-groups")
    for group, inside in (("raw", "conversations"), ("serving", "serving_snapshot")):
        for other in ("items", "analytics", group):
            page.get_by_text(other, exact=True).last.wait_for()
        page.get_by_text(group, exact=True).last.click()
        page.get_by_text(inside, exact=True).last.wait_for()
        page.reload()  # what was unfolded stays so, and all of it is in view
    page.get_by_text("report", exact=True).last.wait_for()
    page.close()


def _open(page: Page, url: str) -> None:
    """Open it as soon as somebody answers there."""
    for _ in range(_START_MS // _PAUSE_MS):
        try:
            page.goto(url)
        except Error as error:
            if "ERR_CONNECTION_REFUSED" not in str(error):
                raise
            page.wait_for_timeout(_PAUSE_MS)
        else:
            return
    pytest.fail(f"nobody answers at {url}")
