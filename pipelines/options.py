"""What several commands take: places, conversation IDs, how to ask. Not here: the commands (`cli`)."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import click

from pipelines.ingest.places import DEFAULT_WAREHOUSE

FilePath = click.Path(dir_okay=False, path_type=Path)


def places_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command the options that say where the files are."""
    command = click.option(
        "--serving",
        type=FilePath,
        help="Serving snapshot that everybody may open.  [env: CONVERSATIONS_SERVING; default: serving.duckdb beside "
        "the warehouse]",
    )(command)
    return click.option(
        "--warehouse",
        type=FilePath,
        help=f"Warehouse file, written by this command only.  [env: CONVERSATIONS_WAREHOUSE; default: "
        f"{DEFAULT_WAREHOUSE}]",
    )(command)


class ConversationId(click.ParamType[str]):
    """An ID that can be a conversation's."""

    name = "conversation_id"

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """The ID; fails where it cannot be one."""
        from connectors.openai_conversations.protocol import is_conversation_id

        if not is_conversation_id(value):
            self.fail(f"{value[:80]!r} is no conversation ID (conv_...)", param, ctx)
        return value


CONVERSATION_ID = ConversationId()
_SERVER_OPTIONS = (
    click.option(
        "--base-url",
        metavar="URL",
        help="Address of the API.  [env: OPENAI_BASE_URL, or AZURE_OPENAI_ENDPOINT; default: https://api.openai.com/v1]",
    ),
    click.option("--allow-http", is_flag=True, help="Let plain http go to other machines, key and conversations too."),
)
_ASKING_OPTIONS = (
    click.option(
        "--include",
        multiple=True,
        metavar="VALUE",
        help="What to ask for with include[]; may be given often.  [default: all the API knows]",
    ),
    click.option("--no-include", is_flag=True, help="Ask for nothing with include[]."),
    click.option(
        "--concurrency",
        type=click.IntRange(1, 500),
        default=16,
        show_default=True,
        help="How many conversations are asked at once.",
    ),
    click.option(
        "--requests-per-second",
        type=click.FloatRange(0.001, 10_000),
        help="How many requests may be sent in a second.  [default: as many as the API takes]",
    ),
    click.option(
        "--max-retries",
        type=click.IntRange(0, 20),
        default=2,
        show_default=True,
        help="How often a failed request is repeated.",
    ),
    click.option(
        "--timeout",
        type=click.FloatRange(0.1, 3600),
        default=600.0,
        show_default=True,
        help="Seconds that one try of a request may take.",
    ),
    click.option(
        "--network-patience",
        type=click.FloatRange(0, 86_400),
        default=120.0,
        show_default=True,
        help="Seconds to wait for a network that was there and is gone, as after a laptop's sleep.",
    ),
    click.option(
        "--conversation-deadline",
        type=click.FloatRange(1, 86_400),
        default=1800.0,
        show_default=True,
        help="Seconds that one conversation may take.",
    ),
    click.option(
        "--run-deadline",
        type=click.FloatRange(1, 30 * 86_400),
        default=86_400.0,
        show_default=True,
        help="Seconds that all may take; the next run goes on.",
    ),
    *_SERVER_OPTIONS,
)


def server_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command the options that say which server is asked."""
    for option in reversed(_SERVER_OPTIONS):
        command = option(command)
    return command


def asking_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command the options that `Asking.of` takes."""
    for option in reversed(_ASKING_OPTIONS):
        command = option(command)
    return command


@dataclass(frozen=True)
class Asking:
    """What the asking options say."""

    client: Any
    include: tuple[str, ...]
    limits: Any

    @classmethod
    def of(
        cls,
        *,
        include: tuple[str, ...],
        no_include: bool,
        concurrency: int,
        conversation_deadline: float,
        run_deadline: float,
        **settings: Any,
    ) -> Self:
        """Take the options as click gives them. UsageError or ConfigurationError where they contradict each other."""
        if include and no_include:
            raise click.UsageError("--include and --no-include exclude each other")
        from connectors.openai_conversations import INCLUDE, ConversationsClient
        from pipelines.ingest.asking import Limits

        return cls(
            ConversationsClient(max_in_flight=concurrency, **settings),
            () if no_include else include or INCLUDE,
            Limits(concurrency, conversation_deadline, run_deadline),
        )


CUT_OPTION = click.option(
    "--cut-from",
    type=click.IntRange(0),
    default=65_536,
    show_default=True,
    metavar="BYTES",
    help="Keep payloads (images, files) from this length on in files beside the warehouse; 0: all in raw.items.",
)
JSON_OPTION = click.option("--json", "as_json", is_flag=True, help="Print as JSON.")
