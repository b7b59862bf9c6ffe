"""What Python code and what it printed tell: which modules it imports, which exception ended it. Heuristics, in SQL.

Code is read line by line, and not as Python's own parser does; an exception is told from the forms in which Python and
IPython write one. Not here: whether a tool's output is a failure (`models/failures.py`).
"""

from models.table import Macro, literal

_NAME = r"[A-Za-z_]\w*"
_IMPORTED = rf"{_NAME}(?:\.\w+)*(?:[ \t]+as[ \t]+\w+)?"
_IMPORT = rf"(?m)^[ \t]*import[ \t]+({_IMPORTED}(?:[ \t]*,[ \t]*{_IMPORTED})*)[ \t\r]*(?:[#;][^\n]*)?$"
_FROM = rf"(?m)^[ \t]*from[ \t]+({_NAME})(?:\.\w+)*[ \t]+import\b"

_CLASS = rf"(?:{_NAME}\.)*(?:_?[A-Z]\w*(?:Error|Exception|Exit|Interrupt|Iteration)|Exception)|(?:{_NAME}\.)+Error"
_TRACEBACK = r"Traceback \(most recent call last\)"
_WAYS = (
    rf"(?s)(?:.*\n|^)({_NAME}(?:\.\w+)*)[ \t]+{_TRACEBACK}",  # the head of IPython's, the last of them
    rf"(?s){_TRACEBACK}:.*\n({_CLASS})[ \t\r]*(?::[^\n]*)?(?:\n|$)",  # the last such line after Python's
    rf"(?:^|\n)({_CLASS}):[^\n]*\s*$",  # the last line
    rf"^\s*({_CLASS}):",  # the first one
)
_COLOURS = r"\x1b\[[0-9;]*m"
_MAY_TELL = "Error|Exception|Exit|Interrupt|Iteration|Traceback"
_PLAIN = f"regexp_replace(logs, {literal(_COLOURS)}, '', 'g')"
_TOLD = ", ".join(f"nullif(regexp_extract({_PLAIN}, {literal(way)}, 1), '')" for way in _WAYS)

MACROS = (
    Macro(
        "python_imports",
        ("code",),
        "case when code is not null then list_sort(list_distinct(list_concat("
        f"list_transform(flatten(list_transform(regexp_extract_all(code, {literal(_IMPORT)}, 1), "
        f"lambda names: string_split(names, ','))), lambda name: regexp_extract(name, {literal(_NAME)})), "
        f"regexp_extract_all(code, {literal(_FROM)}, 1)))) end",
        "The modules that Python code imports, by their top-level names, each once; NULL for NULL. A heuristic: reads "
        "lines that begin with import, or with from and have import; not what follows a semicolon.",
    ),
    Macro(
        "python_error",
        ("logs",),
        f"case when regexp_matches(logs, {literal(_MAY_TELL)}) then regexp_extract(coalesce({_TOLD}), '[^.]*$') end",
        "The class of the exception that ended a run of Python code, without its module, from what the run printed; "
        "NULL if none is told. A heuristic: the class beside the last traceback's head (IPython), or at the begin of "
        "the last line after a traceback that begins like the name of an exception, or of the last line of all, or of "
        "the first.",
    ),
)
"""Both of them."""
