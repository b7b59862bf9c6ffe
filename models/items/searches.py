"""Searches that the API itself runs: on the web and in files."""

from models.item_type import ItemType
from models.parts import COMPLETED, IN_PROGRESS, INCOMPLETE
from models.shape import member, nested, rows, text, texts

SEARCH_STATUSES = (IN_PROGRESS, "searching", COMPLETED, INCOMPLETE, "failed")

WEB_SEARCH_CALL = ItemType(
    "web_search_call",
    "A step of a web search: a search, a page opened, or a pattern looked for in a page.",
    (
        nested(
            "action",
            "What the step did; may be missing.",
            member(
                "search",
                text("query", "What was searched for; may be missing where queries is there."),
                texts("queries", "All that was searched for in this step."),
                rows(
                    "sources",
                    "What a web search came back with.",
                    text("type", "Kind of source: a page, or a data source of the API by name.", "url", "api"),
                    text("url", "Address of the page; NULL where the source is of type api."),
                    text("name", "Name of the data source, where type is api."),
                ),
            ),
            member("open_page", text("url", "Address of the page that was opened or searched.")),
            member(
                "find_in_page",
                text("pattern", "What was looked for in the page."),
                text("url", "Address of the page that was opened or searched."),
            ),
        ),
    ),
    SEARCH_STATUSES,
)
