"""What people and models said: messages, with their parts, citations and log probabilities."""

from models.item_type import ItemType
from models.parts import (
    COMPUTER_SCREENSHOT,
    INPUT_FILE,
    INPUT_IMAGE,
    INPUT_TEXT,
    ROLES,
    USUAL_STATUSES,
    joined_text,
)
from models.shape import integer, integers, member, number, rows, structs, text

_TOKEN = (
    text("token", "The token."),
    integers("bytes", "The token's UTF-8 bytes."),
    number("logprob", "Natural logarithm of the token's probability."),
)
_FILE_ID = text("file_id", "The file that is cited.")
_FILENAME = text("filename", "Name of the file that is cited.")
_INDEX = integer("index", "The API's own index of the file in the list of files.")
_START = integer("start_index", "First character of the text that the citation is about, from 0.")
_END = integer("end_index", "Last character of the text that the citation is about.")

ANNOTATIONS = rows(
    "annotations",
    "What a text cites.",
    member("file_citation", _FILE_ID, _FILENAME, _INDEX),
    member("url_citation", _START, _END, text("title", "Title of the page."), text("url", "Address of the page.")),
    member(
        "container_file_citation",
        text("container_id", "The container that the file is in."),
        _START,
        _END,
        _FILE_ID,
        _FILENAME,
    ),
    member("file_path", _FILE_ID, _INDEX),
)
LOGPROBS = rows(
    "logprobs",
    "Log probability of each token of a text.",
    *_TOKEN,
    structs("top_logprobs", "The most likely tokens at this place.", *_TOKEN),
)

MESSAGE = ItemType(
    "message",
    "What a user, a model or a developer said.",
    (
        text("role", "Who speaks.", *ROLES),
        text(
            "phase",
            "Whether the message comments on work in progress or answers.",
            "commentary",
            "final_answer",
        ),
        rows(
            "content",
            "The parts of a message.",
            INPUT_TEXT,
            member("output_text", text("text", "The part's text."), ANNOTATIONS, LOGPROBS),
            member("text", text("text", "The part's text.")),
            member("summary_text", text("text", "The part's text.")),
            member("reasoning_text", text("text", "The part's text.")),
            member("refusal", text("refusal", "The model's explanation why it refuses.")),
            INPUT_IMAGE,
            COMPUTER_SCREENSHOT,
            INPUT_FILE,
        ),
    ),
    USUAL_STATUSES,
    (joined_text('e."content"', "What was said."),),
)
