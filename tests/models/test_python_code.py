"""What Python code and its logs tell: given this, expected that."""

import builtins
import traceback

import duckdb
import pytest

from models.python_code import MACROS

READER = duckdb.connect()
for macro in MACROS:
    for statement in macro.statements():
        READER.execute(statement)

IPYTHON = (
    "\x1b[0;31m{0}\x1b[0m            Traceback (most recent call last)\nCell In[1], line 1\n----> 1 f()\n\n{0}: why\n"
)
OTHERS = (Warning, BaseExceptionGroup, UnicodeDecodeError, UnicodeEncodeError, UnicodeTranslateError)
"""Exceptions that are not raised with a word, or not printed as the others are."""
RAISED = [
    one
    for one in vars(builtins).values()
    if isinstance(one, type) and issubclass(one, BaseException) and not issubclass(one, OTHERS)
]


def ask(expression: str, *values: object) -> object:
    ((told,),) = READER.execute(f"select {expression}", list(values)).fetchall()
    return told


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("import os", ["os"]),
        ("import numpy as np, os.path as p,json", ["json", "numpy", "os"]),
        ("from pandas.api import types\nimport pandas", ["pandas"]),
        ("try:\r\n\timport ujson  # fast\r\nexcept ImportError: pass\r\n", ["ujson"]),
        ("from math import (\n    sin,\n    cos)", ["math"]),
        ("import re; print(re)", ["re"]),
        ("x = 1; import re", []),
        ("from . import own\nfrom .own import this", []),
        ("important = 1\nfromage = 2\nimport_it()", []),
        ("'''\nimport the rows from here\n'''", []),
        ("", []),
        (None, None),
    ],
)
def test_which_modules_code_imports(code: str | None, expected: list[str] | None) -> None:
    assert ask("python_imports(?::varchar)", code) == expected


@pytest.mark.parametrize(
    ("logs", "expected"),
    [
        (IPYTHON.format("ZeroDivisionError"), "ZeroDivisionError"),
        (IPYTHON.format("Stop"), "Stop"),
        (IPYTHON.format("KeyError") + "\nDuring handling:\n\n" + IPYTHON.format("ValueError"), "ValueError"),
        ("  Cell In[2], line 1\n    f(\n     ^\nSyntaxError: '(' was never closed\n", "SyntaxError"),
        ("5 rows\n" * 500 + "pandas.errors.ParserError: no columns", "ParserError"),
        ("FileNotFoundError: no such file\nin /mnt/data", "FileNotFoundError"),
        ("Traceback (most recent call last):\n  File\nsqlite3.Error: locked", "Error"),
        ("Error: no rows", None),
        ("0 TypeErrors: good", None),
        ("ValueError was not raised", None),
        ("rows\nValueError: 3 of them\nthat is all", None),
        ("", None),
        (None, None),
    ],
)
def test_which_exception_ended_a_run(logs: str | None, expected: str | None) -> None:
    assert ask("python_error(?::varchar)", logs) == expected


@pytest.mark.parametrize("raised", RAISED)
def test_each_exception_of_python_is_told_from_what_python_prints(raised: type[BaseException]) -> None:
    with pytest.raises(raised) as caught:
        raise raised("why")
    printed = "".join(traceback.format_exception(caught.value))
    assert ask("python_error(?)", f"12 rows\n{printed}") == raised.__name__
