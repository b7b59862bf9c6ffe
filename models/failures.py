"""Whether the output of a tool tells of a failure: a heuristic, since the API gives a client's output no outcome.

A text is taken for a failure if it is a JSON object that says so under a usual name, or if it begins as the messages
of tools, agent frameworks and runtimes begin. What it is about is then told from its words. Meant to miss rather than
to accuse: a failure that is told in other words counts as a success. In Python and, by the same rule, in SQL
(whose JSON is a little more lenient: trailing commas, NaN and Infinity pass). Of the 149 different outputs in public
recordings it takes 9 for failures, all rightly, and misses none that reading finds.
"""

import re

import msgspec

from models.table import Macro, literal

ERROR, TIMEOUT, DENIED = "error", "timeout", "denied"
_READ_CHARS = 1000
_EMPTY = ("", "false", "0", "{}", "[]", "null", "none")
_NAMED_STATUSES = ("error", "failed", "failure", "timeout", "denied")
_BEGINNING = (
    r"^\s*(?:"
    r"[a-z_.]*(?:error|exception)\s*:"
    r"|error\s+(?:while|when|calling|executing|running|invoking)\b"
    r"|an? (?:error|exception) (?:has )?occurred"
    r"|tool call(?:ing)? (?:failed|(?:was )?rejected)"
    r"|(?:tool |function |command )?execution (?:failed|timed out)"
    r"|(?:failed to|request failed|call failed|fatal:|permission denied|access denied)"
    r"|(?:timed out|timeout)(?:$|[:.,]| after| while| waiting)"
    r")"
)
_TRACEBACK = r"traceback \(most recent call last\)"
FAILURE = f"(?:{_BEGINNING})|{_TRACEBACK}"
TIMED_OUT = r"\btime(?:d|s)?[ -]?out\b|deadline exceeded"
REFUSED = (
    r"\b(?:user|human|operator|approver)\b[^.]{0,40}(?:denied|rejected|declined|disallow)"
    r"|tool call (?:was )?rejected|denied (?:the |this )?(?:tool |request|call)|chosen to disallow|was not approved"
)
_FAILURE, _TIMED_OUT, _REFUSED = (re.compile(pattern, re.ASCII | re.I) for pattern in (FAILURE, TIMED_OUT, REFUSED))


def output_failure(text: str | None) -> str | None:
    """What a tool's output says went wrong: denied, timeout or error; None if it does not look like a failure.

    Only the first 1,000 characters are read for words.
    """
    if text is None:
        return None
    beginning = text[:_READ_CHARS]
    if not (_says_failure(text) or _FAILURE.search(beginning)):
        return None
    return failure_kind(beginning)


def failure_kind(text: str) -> str:
    """What a failure's words are about: denied (somebody refused), timeout, or any other error."""
    if _REFUSED.search(text):
        return DENIED
    return TIMEOUT if _TIMED_OUT.search(text) else ERROR


def _says_failure(text: str) -> bool:
    """Whether a JSON object says so itself."""
    if not text.lstrip(" \t\r\n").startswith("{"):
        return False
    try:
        value = msgspec.json.decode(text)
    except (msgspec.MsgspecError, UnicodeError, RecursionError):
        return False
    said = {name: _as_text(inner) for name, inner in value.items() if inner is not None}
    return (
        said.get("error", "").lower() not in _EMPTY
        or "true" in (said.get("is_error"), said.get("isError"))
        or "false" in (said.get("success"), said.get("ok"))
        or said.get("status") in _NAMED_STATUSES
        or re.fullmatch("-?[1-9][0-9]*", said.get("exit_code", ""), re.ASCII) is not None
    )


def _as_text(value: object) -> str:
    return value if isinstance(value, str) else msgspec.json.encode(value).decode()


def _said(name: str) -> str:
    return f"coalesce(try(json_extract_string(output, {literal(f'$.{name}')})), '')"


def _one_of(words: str, some: tuple[str, ...]) -> str:
    """Whether the words are one of some; `in` would be made a join, which reads all rows."""
    return f"list_contains([{', '.join(map(literal, some))}], {words})"


_MAY_SAY = r'[eE]rror|success|"ok"|status|exit_code|\\u'
"""What such an object holds somewhere: most outputs hold none of it, and are not parsed. (A name may be escaped.)"""
_SAID_ERROR = _said("error")
_SAYS_FAILURE = (
    f"(ltrim(output, ' ' || chr(9) || chr(10) || chr(13)) like '{{%' "
    f"and regexp_matches(output, {literal(_MAY_SAY)}) "
    f"and (not {_one_of(f'lower({_SAID_ERROR})', _EMPTY)} "
    f"or {_said('is_error')} = 'true' or {_said('isError')} = 'true' "
    f"or {_said('success')} = 'false' or {_said('ok')} = 'false' "
    f"or {_one_of(_said('status'), _NAMED_STATUSES)} "
    f"or regexp_full_match({_said('exit_code')}, '-?[1-9][0-9]*')))"
)
_KIND = (
    f"case when regexp_matches({{0}}, {literal(REFUSED)}, 'i') then '{DENIED}' "
    f"when regexp_matches({{0}}, {literal(TIMED_OUT)}, 'i') then '{TIMEOUT}' else '{ERROR}' end"
)
_LOOKS_FAILED = f"regexp_matches(left(output, {_READ_CHARS}), {literal(FAILURE)}, 'i')"
MACROS = (
    Macro(
        "output_failure",
        ("output",),
        f"case when {_SAYS_FAILURE} or {_LOOKS_FAILED} then {_KIND.replace('{0}', f'left(output, {_READ_CHARS})')} end",
        "What the text of a tool's output says went wrong: denied, timeout or error; NULL if it does not look like a "
        "failure. A heuristic: JSON objects that say so under a usual name (error, is_error, success, ok, status, "
        "exit_code), and texts that begin as error messages do.",
    ),
    Macro(
        "failure_kind",
        ("words",),
        f"case when words is not null then {_KIND.replace('{0}', f'left(words, {_READ_CHARS})')} end",
        "What the words of an error are about: denied (somebody refused), timeout, or error; NULL for NULL.",
    ),
)
"""The same rules for analysts, as SQL."""
