"""Mints IDs with the layouts that the API uses. Only writes them: what an ID tells is read elsewhere.

Every ID is a prefix and 48 or 50 hex digits, made of a UUIDv8 whose first 48 bits are the time, and of a
16-digit key that a conversation shares with everything born in it:

* a conversation, and an item sent by a client: UUID + key;
* an item born of a Response: key + ``00`` + UUID.
"""

import random
import string
from typing import Final

KEY_DIGITS: Final = 16

PREFIXES: Final[dict[str, str]] = {
    "additional_tools": "at",
    "apply_patch_call": "apc",
    "apply_patch_call_output": "apco",
    "code_interpreter_call": "ci",
    "compaction": "cmp",
    "computer_call": "cu",
    "computer_call_output": "cuo",
    "configuration_update": "cfgu",
    "custom_tool_call": "ctc",
    "custom_tool_call_output": "ctco",
    "file_search_call": "fs",
    "function_call": "fc",
    "function_call_output": "fco",
    "image_generation_call": "ig",
    "local_shell_call": "lsh",
    "local_shell_call_output": "lsho",
    "mcp_approval_request": "mcpr",
    "mcp_approval_response": "mcpa",
    "mcp_call": "mcp",
    "mcp_list_tools": "mcpl",
    "message": "msg",
    "program": "cm",
    "program_output": "cmo",
    "reasoning": "rs",
    "shell_call": "sh",
    "shell_call_output": "sho",
    "tool_search_call": "tsc",
    "tool_search_output": "tso",
    "web_search_call": "ws",
}

_LETTERS: Final = string.ascii_letters + string.digits


def prefix_of(item_type: str) -> str:
    """The prefix of an item's ID; a type that we do not know gets ``item``."""
    return PREFIXES.get(item_type, "item")


def mint_key(rng: random.Random) -> str:
    """A key, which always begins with a zero."""
    return f"{rng.getrandbits(60):016x}"


def key_of(conversation_id: str) -> str:
    """The key that a conversation shares with the items born in it."""
    return conversation_id[-KEY_DIGITS:]


def mint_sent(prefix: str, rng: random.Random, at: float, key: str) -> str:
    """The ID of a conversation, or of an item that a client sent (48 digits)."""
    return f"{prefix}_{_mint_uuid(rng, at)}{key}"


def mint_born(prefix: str, rng: random.Random, at: float, key: str) -> str:
    """The ID of an item born of a stored Response (50 digits)."""
    return f"{prefix}_{key}00{_mint_uuid(rng, at)}"


def mint_call_id(rng: random.Random) -> str:
    """The word that pairs a call with its output."""
    return "call_" + "".join(rng.choices(_LETTERS, k=24))


def mint_file_id(rng: random.Random) -> str:
    """The ID of an uploaded file, which tells no time."""
    return "file-" + "".join(rng.choices(_LETTERS, k=22))


def _mint_uuid(rng: random.Random, at: float) -> str:
    """32 digits: seconds, a 16-bit binary fraction of a second, version 8, variant 8 to b, randomness."""
    time = int(at * 65536)
    return f"{time:012x}819{rng.getrandbits(4):x}{rng.choice('89ab')}{rng.getrandbits(60):015x}"
