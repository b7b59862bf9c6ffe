"""The report, as people see it: in a browser, from the file, without network."""

import re
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import duckdb
import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

from connectors.emulator import Store
from dashboards import report, write_report
from dashboards.sections import SECTIONS

FIGURES = [figure for section in SECTIONS for figure in section.figures if not figure.data.is_example]
WIDTHS = (390, 820, 1440)
BUCKET = 10 ** (1 / 20)
"""How much wider the end of a bucket of times is than its begin: percentiles are right within half of that."""
AXE_OPTIONS = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "best-practice"], "resultTypes": ["violations"]}

Open = Callable[..., Page]


@pytest.fixture(scope="module")
def written(sample_serving: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The report on the sample conversations."""
    output = tmp_path_factory.mktemp("report") / "report.html"
    write_report(sample_serving, output)
    return output


def settled(page: Page) -> Page:
    page.wait_for_selector("body[data-ready]")
    return page


@pytest.mark.parametrize("width", WIDTHS)
def test_every_figure_is_drawn_and_nothing_is_wider_than_the_window(
    written: Path, open_report: Open, width: int
) -> None:
    page = open_report(written, width=width)
    assert page.locator("figure").count() == len(FIGURES)
    for figure in FIGURES:
        place = page.locator(f"#figure-{figure.id}")
        shown = place.locator(".chart svg" if figure.spec else "tbody tr").count()
        assert shown or place.locator(".nothing").inner_text()
        assert place.locator(".note").inner_text() or not shown
    assert page.evaluate("document.documentElement.scrollWidth") == width
    # what is wider than its own place can be scrolled there, or is cut where nothing is
    assert page.evaluate(
        "[...document.querySelectorAll('.chart svg')].every(it => it.clientWidth <= it.parentElement.clientWidth)"
    )


@pytest.mark.parametrize("filters", ["", "#from=2026-10-05&to=2026-11-01", "#from=2026-11-01&tool=web_search"])
def test_every_table_shows_what_its_own_query_gives(
    written: Path, sample_serving: Path, open_report: Open, filters: str
) -> None:
    shown_by = _tables(open_report(written, filters))
    compared = 0
    with duckdb.connect(sample_serving, read_only=True) as con:
        for figure in FIGURES:
            sql, shown = shown_by[f"figure-{figure.id}"]
            names, wanted = _asked(con, sql)
            assert len(shown) == len(wanted), figure.id
            keys = [key for key in figure.data.keys if key in names]
            by_key = {tuple(str(row[names.index(key)]) for key in keys): row for row in wanted} if keys else {}
            for n, row in enumerate(shown):
                same = by_key.get(tuple(str(row.get(key)) for key in keys), wanted[n])
                for name, value in row.items():
                    if name in names and name not in ("period", *keys):
                        compared += _compare(figure.id, name, value, same[names.index(name)], figure.quantiles)
    assert compared > 800


def _asked(con: duckdb.DuckDBPyConnection, sql: str) -> tuple[list[str], list[tuple[Any, ...]]]:
    result = con.execute(sql)
    return [column[0] for column in result.description or ()], result.fetchall()


def _tables(page: Page) -> dict[str, tuple[str, list[dict[str, Any]]]]:
    """Of each figure the query and the rows of its table: a column's figure where it has one, else its words."""
    shown: dict[str, tuple[str, list[dict[str, Any]]]] = page.evaluate(
        """Object.fromEntries([...document.querySelectorAll('figure')].map(it => [it.id, [
            it.querySelector('pre').textContent,
            [...it.querySelectorAll('tbody tr')].map(row => Object.fromEntries(
                [...row.querySelectorAll('td:not(.line)')].map(cell => [cell.dataset.column,
                    'value' in cell.dataset ? Number(cell.dataset.value) : cell.textContent])))]]))"""
    )
    return shown


def _compare(figure: str, name: str, shown: Any, wanted: Any, quantiles: Any) -> int:
    """1, if there was a figure to compare; AssertionError if it is another."""
    if not isinstance(shown, int | float) or wanted is None:
        return 0
    near = BUCKET**0.5 - 1 if name in quantiles else 1e-6
    assert shown == pytest.approx(float(wanted), rel=near), f"{figure}: {name}"
    return 1


def test_a_range_and_a_tool_change_the_tiles_to_what_sql_says(
    written: Path, sample_serving: Path, open_report: Open
) -> None:
    page = open_report(written)
    with duckdb.connect(sample_serving, read_only=True) as con:
        last = con.execute("select max(called_at)::date from analytics.tool_calls").fetchall()[0][0]
        first = last - timedelta(days=29)
        page.get_by_text("30 days", exact=True).click()
        page.get_by_label("Tool", exact=True).select_option("shell")
        settled(page)
        calls, failed, decided = con.execute(
            "select count(*), count(*) filter (outcome in ('error', 'timeout')), "
            "count(*) filter (outcome in ('ok', 'error', 'timeout')) from analytics.tool_calls "
            "where called_at::date between ? and ? and tool = 'shell'",
            [first, last],
        ).fetchall()[0]
        (turns,) = con.execute(
            "select count(*) from analytics.turns where started_at::date between ? and ?", [first, last]
        ).fetchall()[0]
    assert 0 < calls < 242
    assert _tile(page, "Tool calls") == calls
    assert _tile(page, "Tool error rate") == pytest.approx(failed / decided)
    assert _tile(page, "Turns") == turns
    assert page.locator("#from").input_value() == str(first)
    assert "tool=shell" in page.url


def _tile(page: Page, label: str) -> float:
    tile = page.locator(".tile").filter(has=page.get_by_role("heading", name=label, exact=True))
    return float(tile.locator(".value").get_attribute("data-value") or "nan")


def test_a_click_on_a_bar_chooses_its_tool_and_a_second_one_lets_it_go(
    written: Path, sample_serving: Path, open_report: Open
) -> None:
    with duckdb.connect(sample_serving, read_only=True) as con:
        ((tool, calls),) = con.execute(
            "select tool, count(*) from analytics.tool_calls group by tool order by count(*) desc, tool limit 1"
        ).fetchall()
    page = open_report(written)
    everything = _tile(page, "Tool calls")
    bar = page.locator("#figure-tool-volume .mark-rect path").first
    bar.click()
    assert settled(page).locator("#tool").input_value() == tool
    assert _tile(page, "Tool calls") == calls < everything
    bar.click()
    assert settled(page).locator("#tool").input_value() == ""
    assert _tile(page, "Tool calls") == everything


def test_it_can_be_used_by_keyboard_alone(written: Path, open_report: Open) -> None:
    page = open_report(written)
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    for _ in range(40):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.name") == "preset":
            break
    page.keyboard.press("ArrowLeft")  # from All to 90 days
    page.keyboard.press("ArrowLeft")
    assert settled(page).locator("[name=preset]:checked").get_attribute("value") == "30"
    choose = page.locator("#figure-tool-table .choose").first
    choose.focus()
    page.keyboard.press("Enter")
    tool = page.locator("#figure-tool-table .choose[aria-pressed=true]").inner_text()
    assert settled(page).get_by_label("Tool", exact=True).input_value() == tool
    summary = page.locator("#figure-tool-errors summary", has_text="SQL")
    summary.focus()
    page.keyboard.press("Enter")
    assert "wilson_low" in page.locator("#figure-tool-errors pre").inner_text()


def test_it_has_no_flaw_that_axe_can_see_in_light_and_its_colours_none_in_dark(
    written: Path, open_report: Open
) -> None:
    for dark, options in ((False, AXE_OPTIONS), (True, {**AXE_OPTIONS, "runOnly": ["color-contrast"]})):
        page = open_report(written, "#tool=shell", dark=dark)
        page.evaluate("document.querySelectorAll('details').forEach((it, n) => { it.open = n < 6; })")
        found = Axe().run(page, context={"exclude": [[".chart svg"]]}, options=options)  # a picture, with its words
        assert found.response["passes"]
        assert not found.response["violations"], found.generate_report()


def test_dark_is_dark(written: Path, open_report: Open) -> None:
    grounds = [
        open_report(written, dark=dark).evaluate("getComputedStyle(document.body).backgroundColor")
        for dark in (False, True)
    ]
    light, dark = (sum(map(int, re.findall(r"\d+", ground))) for ground in grounds)
    assert light > 600
    assert dark < 200


def test_an_empty_warehouse_gives_a_page_that_says_so(
    serving_of: Callable[[Store], Path], tmp_path: Path, open_report: Open
) -> None:
    output = tmp_path / "report.html"
    write_report(serving_of(Store()), output)
    page = open_report(output, width=390)
    assert "Nothing was pulled yet" in page.locator("#as-of").inner_text()
    assert "No tool has been called" in page.locator("#tools").inner_text()
    assert page.evaluate("document.documentElement.scrollWidth") == 390


def test_what_a_page_cannot_hold_is_left_out_and_said(
    sample_serving: Path, tmp_path: Path, open_report: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(report, "DAYS", 20)
    monkeypatch.setattr(report, "TOOLS", 3)
    output = tmp_path / "report.html"
    write_report(sample_serving, output)
    page = open_report(output)
    with duckdb.connect(sample_serving, read_only=True) as con:
        counted = con.execute(
            "with last as (select max(item_at)::date as day from analytics.items where is_time_usable), "
            "kept as (select * from analytics.tool_calls, last where called_at is null or called_at::date > day - 20) "
            "select tool, count(*) from kept group by tool order by count(*) desc"
        ).fetchall()
        busiest = [
            tool
            for (tool,) in con.execute(
                "select tool from analytics.tool_calls group by tool order by count(*) desc, tool limit 3"
            ).fetchall()
        ]
    expected = {tool: count for tool, count in counted if tool in busiest}
    expected["(other tools)"] = sum(count for tool, count in counted if tool not in busiest)
    shown = {row["tool"]: row["call_count"] for row in _tables(page)["figure-tool-table"][1]}
    assert shown == expected
    told = page.locator(".notice").all_inner_texts()
    assert any("the latest 20 days" in text for text in told)
    assert any("(other tools)" in text for text in told)
