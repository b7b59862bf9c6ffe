"""Searches that the API itself runs: on the web and in files."""

from models.item_type import Derived, ItemType
from models.parts import COMPLETED, FAILED, IN_PROGRESS, INCOMPLETE
from models.shape import free_form, member, nested, number, rows, text, texts
from models.table import Column

_STATUSES = (IN_PROGRESS, "searching", COMPLETED, INCOMPLETE, FAILED)


def _length(name: str, list_expression: str, doc: str) -> Derived:
    """The length of a list, which its child table cannot tell from a list that did not come."""
    return Derived(Column(name, "BIGINT", f"{doc} NULL if the list did not come."), f"len({list_expression})")


_PAGE_URL = text("url", "Address of the page that was opened or searched.")

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
                    member("url", text("url", "Address of the page.")),
                    member("api", text("name", "Name of the API's own data source.")),
                ),
            ),
            member("open_page", _PAGE_URL),
            member("find_in_page", text("pattern", "What was looked for in the page."), _PAGE_URL),
        ),
    ),
    _STATUSES,
    (_length("source_count", 'e."action"."sources"', "Number of sources."),),
)
FILE_SEARCH_CALL = ItemType(
    "file_search_call",
    "A search in the files of vector stores.",
    (
        texts("queries", "What was searched for."),
        rows(
            "results",
            "What a file search found; there only if include[] asked for it.",
            text("file_id", "The file that was found."),
            text("filename", "Name of the file that was found."),
            text("vector_store_id", "The vector store that the file is in."),
            number("score", "Relevance, from 0 to 1."),
            text("text", "The passage that was found."),
            free_form("attributes", "Attributes that were given to the file: any keys."),
        ),
    ),
    _STATUSES,
    (_length("result_count", 'e."results"', "Number of results."),),
)
