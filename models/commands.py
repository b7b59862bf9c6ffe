"""What a command line says it runs, and what its output says of itself: heuristics, since the API tells neither.

Here: how the first program is read from a command line, an exit code from a client's JSON, and that an output was cut
from its words. Not here: whether an output tells of a failure (`failures`). In Python and, by the same rule, in SQL.

The first program is that of the command line without what only makes it ready: `cd /srv && FOO=1 sudo -u app
/usr/bin/make -k | tee log` runs make. Nothing is told where the shell's own words or anything but a plain word stand
there: better no program than a wrong one. Neither shell occurs in the recordings of the real API that we know. Of 60
command lines of agents that public repositories hold it reads all as a person does (58 programs, 2 without). Of the 152
different outputs of tools in those recordings none is taken for cut, and reading finds none that is.
"""

import re

import msgspec

from models.table import Macro, literal

_QUOTED = r"""'[^']*'|"[^"]*\""""
_SPACE, _WORD = r"[ \t\r\n]", r"[^ \t\r\n]"
_OPTION = rf"-{_WORD}+{_SPACE}+"
_VALUE = rf"{_SPACE}+{_WORD}+{_SPACE}+"
_MADE_READY = (
    r"#[^\n]*\n",
    rf"(?:cd|pushd|export|set|unset|source|umask|\.){_SPACE}(?:{_QUOTED}|>&|[^;&|\n'\"])*(?:&&|;|\n)",
    rf"[A-Za-z_][A-Za-z0-9_]*=(?:{_QUOTED}|[^ \t\r\n;&|<>()'\"])*(?:{_SPACE}*(?:&&|;)|{_SPACE})",
    rf"(?:{_WORD}*/)?(?:sudo|doas){_SPACE}+(?:-[CDghpRrTtUu]{_VALUE}|{_OPTION})*",
    rf"nice{_SPACE}+(?:-n{_VALUE}|{_OPTION})*",
    rf"timeout{_SPACE}+(?:-[ks]{_VALUE}|{_OPTION})*[0-9.]+[smhd]?{_SPACE}+",
    rf"(?:{_WORD}*/)?(?:env|time|nohup|exec){_SPACE}+(?:-u{_VALUE}|{_OPTION})*",
    rf"(?:{_WORD}*/)?(?:ba|da|k|z)?sh{_SPACE}+(?:-o{_VALUE}|{_OPTION})*-[a-z]*c{_SPACE}+['\"]?",
)
"""What may stand before the first program."""
_PROGRAM = rf"^{_SPACE}*(?:(?:{'|'.join(_MADE_READY)}){_SPACE}*)*(?:([A-Za-z0-9_.+@%:~/-]+)(?:[ \t\r\n;|&<>()'\"]|$))?"
_DIRECTORY = "^.*/"
_KEYWORDS = ("", "if", "for", "while", "until", "case", "select", "function", "then", "do", "time", "coproc")
_TRUNCATED = (
    r"[0-9]\+? (?:more |other |earlier )?(?:chars|characters|lines|bytes|tokens) (?:were |was )?"
    r"(?:truncated|omitted|elided)"
    r"|(?:output|result|stdout|stderr|logs?) (?:is |was |were |has been )?truncated"
    r"|[\[(<][^\])>\n]{0,40}\btruncated\b[^\])>\n]{0,80}[\])>]"
    r"|(?:\.\.\.|…) ?truncated"
)
_MAY_SAY = "truncated|omitted|elided"
"""What such an output holds somewhere: few do, and only these are read for more."""
_CODE = "-?[0-9]{1,9}"
_FIRST_PROGRAM, _SAYS_TRUNCATED = re.compile(_PROGRAM, re.ASCII), re.compile(_TRUNCATED, re.ASCII | re.I)


def command_program(command: str | None) -> str | None:
    """The program that a command line runs first, without its directory; None if that cannot be told."""
    found = _FIRST_PROGRAM.match(command or "")
    name = re.sub(_DIRECTORY, "", found[1]) if found and found[1] else ""
    return None if name in _KEYWORDS else name


def output_truncated(output: str) -> bool:
    """Whether somebody wrote into the output that part of it is left out."""
    return _SAYS_TRUNCATED.search(output) is not None


def output_exit_code(output: str | None) -> int | None:
    """The exit code in the output of a command that is a JSON object; None if it is none, or tells none."""
    try:
        value = msgspec.json.decode(output or "")
    except (msgspec.MsgspecError, UnicodeError, RecursionError):
        return None
    if not isinstance(value, dict):
        return None
    metadata = value.get("metadata")
    codes = (value.get("exit_code"), metadata.get("exit_code") if isinstance(metadata, dict) else None)
    told = (str(code) for code in codes if isinstance(code, int | str) and not isinstance(code, bool))
    return next((int(code) for code in told if re.fullmatch(_CODE, code, re.ASCII)), None)


def _code_at(path: str) -> str:
    said = f"json_extract_string(try_cast(output as json), {literal(path)})"
    return f"case when regexp_full_match({said}, {literal(_CODE)}) then {said}::bigint end"


_NAME = f"regexp_replace(regexp_extract(command, {literal(_PROGRAM)}, 1), {literal(_DIRECTORY)}, '')"
_LISTED = ", ".join(map(literal, _KEYWORDS))
MACROS = (
    Macro(
        "command_program",
        ("command",),
        f"list_extract(list_filter([{_NAME}], lambda x: not list_contains([{_LISTED}], x)), 1)",
        "The program that a command line runs first, without its directory, after what only makes it ready (cd, "
        "variables, sudo, env, bash -lc); NULL if that cannot be told. A heuristic.",
    ),
    Macro(
        "output_exit_code",
        ("output",),
        f"coalesce({_code_at('$.exit_code')}, {_code_at('$.metadata.exit_code')})",
        "The exit code in the output of a command that is a JSON object (exit_code, metadata.exit_code); NULL if it is "
        "none, or tells none. A heuristic.",
    ),
    Macro(
        "output_truncated",
        ("output",),
        f"regexp_matches(output, {literal(_MAY_SAY)}, 'i') and regexp_matches(output, {literal(_TRUNCATED)}, 'i')",
        "Whether somebody wrote into the output that part of it is left out, as in [output truncated] or ... 1200 "
        "chars truncated ...; NULL for NULL. A heuristic.",
    ),
    Macro(
        "diff_lines",
        ("diff", "mark"),
        "(length(chr(10) || diff) - length(replace(chr(10) || diff, chr(10) || mark, ''))) // 2",
        "How many lines of a diff begin with the mark, + or -; NULL for NULL.",
    ),
)
"""The same rules for analysts, as SQL."""
