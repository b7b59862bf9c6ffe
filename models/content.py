"""When two texts of an item mean the same content.

The API encrypts `encrypted_content` and `fingerprint` anew each time it serialises an item (in 54 of 54 recorded pairs
they differed and all else was equal), so neither counts as content.
"""

import json
import re
from hashlib import sha256

_SECRETS = ("encrypted_content", "fingerprint")
# A key's closing quote follows its name directly; inside a JSON string that quote would be escaped, so only keys match.
_SECRET_VALUE = re.compile(rb'("(?:encrypted_content|fingerprint)"\s*:\s*)"[^"\\]*+(?:\\.[^"\\]*+)*+"', re.DOTALL)


def content_hash(raw: bytes) -> str:
    """SHA-256 (hex) of an item's text as received, with the values that change on every read emptied."""
    if b'"encrypted_content"' in raw or b'"fingerprint"' in raw:
        raw = _SECRET_VALUE.sub(rb'\1""', raw)
    return sha256(raw).hexdigest()


def same_content(left: bytes | str, right: bytes | str) -> bool:
    """Whether two texts of an item say the same, spelling (key order, white space, escapes) and secrets apart."""
    try:
        return _without_secrets(json.loads(left)) == _without_secrets(json.loads(right))
    except (ValueError, RecursionError):
        return left == right


def _without_secrets(value: object) -> object:
    match value:
        case dict():
            return {
                key: "" if key in _SECRETS and isinstance(inner, str) else _without_secrets(inner)
                for key, inner in value.items()
            }
        case list():
            return [_without_secrets(inner) for inner in value]
        case bool() | float():
            return (type(value).__name__, value)  # 1, 1.0 and true are equal in Python, not in JSON
        case _:
            return value
