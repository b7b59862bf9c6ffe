"""The SQL functions that come with the warehouse: given this, expected that; in Python, where it has the rule, too."""

import math

import duckdb
import pytest

from models.commands import command_program, output_exit_code, output_truncated
from models.failures import failure_kind, output_failure
from models.macros import MACROS
from tests.models.by_hand import searches as by_hand

READER = duckdb.connect()
for macro in MACROS:
    for statement in macro.statements():
        READER.execute(statement)


def ask(expression: str, *values: object) -> object:
    ((told,),) = READER.execute(f"select {expression}", list(values)).fetchall()
    return told


@pytest.mark.parametrize(
    ("arguments", "path", "expected"),
    [
        ('{"city":"Oslo"}', "city", "Oslo"),
        ('{"city":{"name":"Oslo"}}', "$.city.name", "Oslo"),
        ('{"days":[1,2]}', "days", "[1,2]"),
        ('{"days":[1,2]}', "$.days[1]", "2"),
        ('{"is_urgent":true,"city":null}', "is_urgent", "true"),
        ('{"city":null}', "city", None),
        ('{"city":"Oslo"}', "town", None),
        ('{"city":"Os', "city", None),
        ("Oslo, please", "city", None),
        ('"Oslo"', "city", None),
        ("", "city", None),
        (None, "city", None),
    ],
)
def test_an_argument_is_read_by_name_or_path_and_never_fails(
    arguments: str | None, path: str, expected: str | None
) -> None:
    assert ask("argument(?, ?)", arguments, path) == expected


def test_one_text_that_is_no_json_does_not_keep_others_from_being_read() -> None:
    found = READER.execute(
        "select argument(a, 'x'), json_or_null(a) from (values ('{\"x\":1}'), ('{'), (null), ('{\"x\":3}')) as t (a)"
    ).fetchall()
    assert found == [("1", '{"x":1}'), (None, None), (None, None), ("3", '{"x":3}')]


def test_arguments_can_be_grouped_by() -> None:
    """Which DuckDB's own `try` cannot, with `group by all`."""
    calls = """(values ('{"x":1,"y":2}'), ('{"x":1,"y":2}'), ('{')) as t (a)"""
    found = READER.execute(f"select argument(a, 'x') as x, argument(a, 'y') as y, count(*) from {calls} group by all")
    assert sorted(found.fetchall(), key=str) == [("1", "2", 2), (None, None, 1)]


@pytest.mark.parametrize(
    ("text", "pattern", "matches", "excerpt"),
    [
        ("Where is my order?", "ORDER", True, "e is my order?"),
        ("first line\nRefund\nlast", "refund|money back", True, "st line\nRefund\nlast"),
        ("Größe 42", "größe [0-9]+", True, "Größe 42"),
        ("nothing here", "order", False, None),
        ("", "order", False, None),
        (None, "order", False, None),
    ],
)
def test_texts_are_searched_by_pattern(text: str | None, pattern: str, matches: bool, excerpt: str | None) -> None:
    assert ask("text_matches(?, ?)", text, pattern) is matches
    assert ask("text_excerpt(?, ?, around_chars := 8)", text, pattern) == excerpt


@pytest.mark.parametrize(
    ("successes", "trials", "low", "high"),
    [
        (0, 0, None, None),
        (0, 10, 0.0, 0.277533),
        (10, 10, 0.722467, 1.0),
        (1, 1, 0.206549, 1.0),
        (5, 10, 0.236593, 0.763407),
        (81, 263, 0.255289, 0.366210),
    ],
)
def test_bounds_of_a_share_are_those_that_wilson_gives(
    successes: int, trials: int, low: float | None, high: float | None
) -> None:
    """The last is the example of Newcombe, Statistics in Medicine 17 (1998), method 3: 0.2553 to 0.3662."""
    for bound, expected in (("wilson_low", low), ("wilson_high", high)):
        told = ask(f"{bound}(?, ?)", successes, trials)
        assert told == expected if expected is None else math.isclose(float(str(told)), expected, abs_tol=1e-6)


@pytest.mark.parametrize(
    ("output", "expected"),
    [
        ('{"error":"503 service unavailable"}', "error"),
        ('{"error":"timeout after 10 s"}', "timeout"),
        ('  {"error":{"code":1,"message":"request timed out"}}', "timeout"),
        ('{"error":"The user denied the request"}', "denied"),
        ('{"error":null,"units":4}', None),
        ('{"error":"","units":4}', None),
        ('{"error":false}', None),
        ('{"error":true}', "error"),
        ('{"errors":0,"text":"Error: is a word"}', None),
        ('{"success":false}', "error"),
        ('{"is_error":true,"content":[]}', "error"),
        ('{"status":"failed"}', "error"),
        ('{"status":"shipped"}', None),
        ('{"exit_code":2,"stdout":""}', "error"),
        ('{"exit_code":0,"stderr":"Error: none"}', None),
        ('{"error":"cut o', None),
        ('[{"error":"x"}]', None),
        ("Error: no such order", "error"),
        ("  ValueError: bad", "error"),
        ("Errors: 0", None),
        ("The error rate is 2 %", None),
        ("Tool call failed with error: 'x'", "error"),
        ("Tool calling failed with error User denied tool request", "denied"),
        ("Tool calling failed with error Tool call rejected. Joe denied the request.", "denied"),
        ("An error occurred while running the tool. Please try again. Error: x", "error"),
        ("some lines\nTraceback (most recent call last):\n  File", "error"),
        ("Execution timed out", "timeout"),
        ("Timeout: 30 s", "timeout"),
        ("Timeouts are documented here", None),
        ("permission denied", "error"),
        ("42", None),
        ("", None),
        (None, None),
    ],
)
def test_what_an_output_says_went_wrong(output: str | None, expected: str | None) -> None:
    assert output_failure(output) == expected
    assert ask("output_failure(?::varchar)", output) == expected


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("upstream timed out", "timeout"),
        ("deadline exceeded", "timeout"),
        ("424: unhandled errors in a TaskGroup", "error"),
        ("the user has declined the call", "denied"),
        ("", "error"),
    ],
)
def test_what_the_words_of_an_error_are_about(words: str, expected: str) -> None:
    assert failure_kind(words) == ask("failure_kind(?)", words) == expected


def test_no_words_are_about_nothing() -> None:
    assert ask("failure_kind(null)") is None


@pytest.mark.parametrize(
    ("command", "expected"),
    [
        ("pytest -q tests", "pytest"),
        ("  /usr/bin/git status", "git"),
        ("./run.sh; ls", "run.sh"),
        ("ls|wc -l", "ls"),
        ("cd /srv && FOO=1 sudo -u app /usr/bin/make -k | tee log", "make"),
        ("cd '/my srv' >/dev/null 2>&1; ls", "ls"),
        ("cd /srv", "cd"),
        ("# build it\n\nset -e\nexport A='x; y'\nmake", "make"),
        ("A=1 B='2 3' node a.js", "node"),
        ("A=1 && ls", "ls"),
        ("timeout -k 5 60s uv run x", "uv"),
        ("nice -n 10 nohup time -p cargo test", "cargo"),
        ("sudo -E env -u HOME A=1 npm ci", "npm"),
        ("bash -lc 'cd x && pytest -q'", "pytest"),
        ("bash -lc cd x && pytest -q", "pytest"),
        ('/bin/sh -o pipefail -c "grep a b | wc"', "grep"),
        ("bash script.sh", "bash"),
        ("python3.11 - <<'PY'\nprint(1)\nPY", "python3.11"),
        ("for f in *; do rm $f; done", None),
        ("bash -c 'if true; then ls; fi'", None),
        ("cd x && (pytest)", None),
        ("[ -f x ] && ls", None),
        ("$CMD -x", None),
        ("A=1", None),
        ("'my program' x", None),
        ("größe", None),
        ("", None),
        (None, None),
    ],
)
def test_the_first_program_of_a_command_line(command: str | None, expected: str | None) -> None:
    assert command_program(command) == expected
    assert ask("command_program(?::varchar)", command) == expected


@pytest.mark.parametrize(
    ("output", "expected"),
    [
        ("head\n... 1200 chars truncated ...\ntail", True),
        ("[output truncated: 2210 lines]", True),
        ("first\n(output truncated)", True),
        ("<truncated>", True),
        ("a\n[... 15 lines omitted ...]\nb", True),
        ("… 10 more lines omitted …", True),
        ("Output was truncated", True),
        ("... truncated", True),
        ("3 tests omitted", False),
        ("ERROR: value too long, data truncated for column 'name'", False),
        ("truncate table orders", False),
        ("os.truncate(path, 0)", False),
        ("lines omitted: none", False),
        ("", False),
    ],
)
def test_an_output_that_says_it_is_cut(output: str, expected: bool) -> None:
    assert output_truncated(output) is ask("output_truncated(?)", output) is expected


@pytest.mark.parametrize(
    ("output", "expected"),
    [
        ('{"output":"x","metadata":{"exit_code":2}}', 2),
        ('{"exit_code":0,"metadata":{"exit_code":2}}', 0),
        ('{"exit_code":"137"}', 137),
        ('{"exit_code":null,"metadata":{"exit_code":-1}}', -1),
        ('{"exit_code":true}', None),
        ('{"exit_code":1.5}', None),
        ('{"exit_code":12345678901}', None),
        ('{"metadata":"exit_code"}', None),
        ("[1]", None),
        ("exit_code: 1", None),
        ("", None),
        (None, None),
    ],
)
def test_the_exit_code_in_a_clients_json(output: str | None, expected: int | None) -> None:
    assert output_exit_code(output) == expected
    assert ask("output_exit_code(?::varchar)", output) == expected


@pytest.mark.parametrize(
    ("diff", "added", "removed"),
    [
        ("@@\n-a\n+b\n+c\n d\n", 2, 1),
        ("+a\n+\n+b", 3, 0),
        ("-- a comment\n++i;\n x + y - z", 1, 1),
        (" +a", 0, 0),
        ("", 0, 0),
        (None, None, None),
    ],
)
def test_lines_of_a_diff_are_counted_by_their_mark(diff: str | None, added: int | None, removed: int | None) -> None:
    assert ask("[diff_lines($1::varchar, '+'), diff_lines($1::varchar, '-')]", diff) == [added, removed]


def test_every_macro_says_what_it_gives() -> None:
    told = READER.execute("select function_name, comment from duckdb_functions() where not internal").fetchall()
    assert dict(told) == {macro.name: macro.doc for macro in MACROS}


@pytest.mark.parametrize(
    ("url", "page", "domain"),
    [
        ("https://WWW.Shop.example/a/B", "https://www.shop.example/a/B", "shop.example"),
        ("https://x.example/a?utm_source=openai", "https://x.example/a", "x.example"),
        ("https://x.example/a?utm_source=openai&b=1", "https://x.example/a?b=1", "x.example"),
        ("https://x.example/a?b=1&utm_source=openai&utm_medium=x&c=2#d", "https://x.example/a?b=1&c=2", "x.example"),
        ("https://x.example/a?b=utm_c&d", "https://x.example/a?b=utm_c&d", "x.example"),
        ("https://x.example/a&utm_b=1", "https://x.example/a&utm_b=1", "x.example"),
        ("https://x.example/a#:~:text=so%20it%20is", "https://x.example/a", "x.example"),
        ("https://x.example/?utm_source=openai", "https://x.example", "x.example"),
        ("https://x.example/", "https://x.example", "x.example"),
        ("https://x.example", "https://x.example", "x.example"),
        ("https://x.example/a/", "https://x.example/a/", "x.example"),
        ("http://me@x.example:8080/A", "http://me@x.example:8080/A", "x.example"),
        ("x.example/a", "x.example/a", None),
        ("#top", None, None),
        ("", None, None),
        (None, None, None),
    ],
)
def test_an_address_is_told_from_others_without_what_says_who_sent_the_reader(
    url: str | None, page: str | None, domain: str | None
) -> None:
    assert ask("page_url(?)", url) == page
    assert ask("page_domain(?)", url) == domain
    assert by_hand.page_url(url) == page
    assert by_hand.page_domain(url) == domain


@pytest.mark.parametrize(
    ("query", "other", "overlap", "relation"),
    [
        ("tidal power", "Power, tidal!", 1.0, "repeated"),
        ("tidal power report", "tidal power study", 0.5, "reformulated"),
        ("tidal power", "tidal power tidal power", 1.0, "repeated"),
        ("tidal energy report", "tidal power study", 0.2, "new"),
        ("Größe 42", "GRÖSSE 42", 1 / 3, "new"),
        ("東京の人口", "東京の面積", 0.0, "new"),
        ("?", "tidal", 0.0, "new"),
        ("?", "!", None, None),
        ("", "", None, None),
        (None, "tidal", None, None),
        ("tidal", None, None, None),
    ],
)
def test_queries_are_compared_by_their_words(
    query: str | None, other: str | None, overlap: float | None, relation: str | None
) -> None:
    given = "(select ?::varchar as query, ?::varchar as other)"
    found = READER.execute(
        f"select query_overlap(query, other), query_relation(query, other) from {given}", [query, other]
    )
    assert found.fetchall() == [(overlap, relation)]
