"""The SQL functions that come with the warehouse: what every analyst would have to write, and get right, again."""

from models import failures, ids, python_code
from models.table import Macro

_Z = 1.959963984540054
"""The standard normal quantile of 0.975: bounds that hold in 95 of 100 cases."""


def _wilson(sign: str, limit: str) -> str:
    """One of the bounds by Wilson's score, which stay within 0 and 1 and are of use for few trials, too."""
    share = "(successes / nullif(trials, 0))"
    spread = f"{_Z} * sqrt(greatest({share} * (1 - {share}), 0) / trials + {_Z**2 / 4} / (trials * trials))"
    bound = f"({share} + {_Z**2 / 2} / trials {sign} {spread}) / (1 + {_Z**2} / trials)"
    return f"case when trials > 0 then {limit}({bound}, {0.0 if limit == 'greatest' else 1.0}) end"


MACROS = (
    *ids.MACROS,
    *failures.MACROS,
    *python_code.MACROS,
    Macro(
        "json_or_null",
        ("text",),
        "try_cast(text as json)",
        "The text as JSON; NULL if it is none, as a call's arguments may be. Trailing commas, NaN and Infinity pass.",
    ),
    Macro(
        "argument",
        ("arguments", "path"),
        "json_extract_string(try_cast(arguments as json), path)",
        "The value of an argument as text, by its name or JSON path; NULL if it is missing or null, or the arguments "
        "are no JSON.",
    ),
    Macro(
        "tool_word",
        ("family", "namespace", "server_label", "tool_name"),
        "case when family = 'mcp' "
        "then 'mcp:' || coalesce(server_label, '(none)') || '.' || coalesce(tool_name, '(none)') "
        "when family in ('function', 'custom') "
        "then family || ':' || coalesce(namespace || '.', '') || coalesce(tool_name, '(none)') else family end",
        "The tool as one word, as in analytics.tool_calls: its family, or family, namespace or server, and name.",
    ),
    Macro(
        "text_matches",
        ("text", "pattern"),
        "coalesce(regexp_matches(text, pattern, 'i'), false)",
        "Whether the regular expression is found in the text, upper and lower case alike; false for NULL.",
    ),
    Macro(
        "text_excerpt",
        ("text", "pattern", "around_chars := 40"),
        "nullif(regexp_extract(text, '(?is).{0,' || around_chars || '}(?:' || pattern || ').{0,' || around_chars || "
        "'}'), '')",
        "The first place where the regular expression is found in the text, with some characters around it; NULL if "
        "there is none.",
    ),
    Macro(
        "wilson_low",
        ("successes", "trials"),
        _wilson("-", "greatest"),
        "Lower bound (95 %, Wilson's score) of the share of successes; NULL without trials.",
    ),
    Macro(
        "wilson_high",
        ("successes", "trials"),
        _wilson("+", "least"),
        "Upper bound (95 %, Wilson's score) of the share of successes; NULL without trials.",
    ),
)
"""All of them."""
