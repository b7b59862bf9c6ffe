"""What may be read of an item's JSON: a value of the declared type, or None, as in the typed tables."""

import json
import re
from collections.abc import Mapping
from hashlib import sha256

Object = Mapping[str, object]
NOTHING: Object = {}
_LONE_SURROGATE = re.compile("[\ud800-\udfff]")
_INT64 = range(-(2**63), 2**63)
_LET_PASS = re.compile(
    r'("(?:[^"\\]|\\.)*")|(?<![\[{,\s])\s*,(?=\s*[\]}])|\b(?:nan|inf(?:inity)?)\b', re.DOTALL | re.IGNORECASE
)
"""A string, a comma after the last value, or a number that JSON has no word for."""


def text(value: object, name: str) -> str | None:
    """A field of an object that is a string."""
    return _text(_field(value, name))


def well_formed(value: object, name: str) -> str | None:
    """A field of an object that is a string, if UTF-8 can hold it, as type and status are read."""
    inner = _field(value, name)
    return inner if isinstance(inner, str) and not _LONE_SURROGATE.search(inner) else None


def whole(value: object, name: str) -> int | None:
    """A field of an object that is a whole number of 64 bits."""
    inner = _field(value, name)
    return inner if isinstance(inner, int) and not isinstance(inner, bool) and inner in _INT64 else None


def as_number(value: object, name: str) -> float | None:
    """A field of an object that is a number."""
    inner = _field(value, name)
    return float(inner) if isinstance(inner, int | float) and not isinstance(inner, bool) else None


def flag(value: object, name: str) -> bool | None:
    """A field of an object that is true or false."""
    inner = _field(value, name)
    return inner if isinstance(inner, bool) else None


def joined_texts(value: object, name: str, by: str = "\n") -> str | None:
    """A field of an object that is a list: its strings joined, by a newline; None if there are only other elements."""
    inner = _field(value, name)
    if not isinstance(inner, list):
        return None
    said = [one for one in texts(value, name) if one is not None]
    return by.join(said) if said or not inner else None


def texts(value: object, name: str) -> list[str | None]:
    """A field of an object that is a list: its strings, None for other elements."""
    return [_text(one) for one in elements(value, name)]


def texts_if_listed(value: object, name: str) -> list[str | None] | None:
    """The same, but None if it is no list."""
    return texts(value, name) if isinstance(_field(value, name), list) else None


def length(value: object, name: str) -> int | None:
    """How many elements a field of an object has that is a list; None if it is none."""
    inner = _field(value, name)
    return len(inner) if isinstance(inner, list) else None


def rows(value: object, name: str) -> list[Object]:
    """A field of an object that is a list: one row for each element, without values where it is no object."""
    inner = _field(value, name)
    return [one if isinstance(one, dict) else NOTHING for one in inner] if isinstance(inner, list) else []


def elements(value: object, name: str) -> list[object]:
    """A field of an object that is a list, its elements as they are."""
    inner = _field(value, name)
    return inner if isinstance(inner, list) else []


def nested(value: object, name: str) -> Object:
    """A field of an object that is an object; one without values if it is none."""
    inner = _field(value, name)
    return inner if isinstance(inner, dict) else NOTHING


def free_form(value: object, name: str) -> str | None:
    """A field of an object as JSON; None where it is missing or null."""
    inner = _field(value, name)
    return None if inner is None else as_json(inner)


def first_text(value: object, name: str) -> str | None:
    """`$[0].text` of a field, as text."""
    inner = _field(value, name)
    said = _field(inner[0], "text") if isinstance(inner, list) and inner else None
    return said if said is None or isinstance(said, str) else as_json(said)


def as_json(value: object) -> str:
    """JSON without white space between its parts, keys in order, no character escaped that need not be."""
    return readable(json.dumps(value, ensure_ascii=False, separators=(",", ":")))


def is_lenient_json(words: str) -> bool:
    """Whether it is JSON that UTF-8 can hold; trailing commas, NaN and Infinity pass."""
    try:
        value = json.loads(_LET_PASS.sub(_as_usual, words))
    except (ValueError, RecursionError):
        return False
    return not _LONE_SURROGATE.search(json.dumps(value, ensure_ascii=False))


def _as_usual(found: re.Match[str]) -> str:
    """What stands in usual JSON for it."""
    return found[0] if found[1] else "" if "," in found[0] else "0"


def readable(words: str) -> str:
    """The text with lone surrogates, which no UTF-8 text can hold, replaced."""
    return _LONE_SURROGATE.sub("\ufffd", words)


def digest(words: str) -> str:
    """SHA-256 of the text's UTF-8 bytes, hex."""
    return sha256(words.encode()).hexdigest()


def missing_if_empty(words: str | None) -> str | None:
    """None for the empty string, too."""
    return words or None


def share(part: int, of: int) -> float | None:
    """A fraction; None of nothing."""
    return part / of if of else None


def _field(value: object, name: str) -> object:
    return value.get(name) if isinstance(value, Mapping) else None


def _text(value: object) -> str | None:
    return readable(value) if isinstance(value, str) else None
