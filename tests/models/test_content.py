"""Which differences between two texts of an item count."""

import json

import pytest

from models.content import content_hash, same_content


def test_what_the_api_encrypts_anew_on_every_read_is_no_content() -> None:
    left = b'{"type":"reasoning","encrypted_content":"gAAAA==","n":[{"fingerprint" : "a\\"b"}]}'
    right = b'{"type":"reasoning","encrypted_content":"other","n":[{"fingerprint" : ""}]}'
    assert content_hash(left) == content_hash(right)
    assert same_content(left, right)


def test_a_text_that_speaks_of_encrypted_content_is_content() -> None:
    left = json.dumps({"arguments": '{"encrypted_content":"one"}'}).encode()
    right = json.dumps({"arguments": '{"encrypted_content":"two"}'}).encode()
    assert content_hash(left) != content_hash(right)
    assert not same_content(left, right)


def test_spelling_is_no_content_but_changes_the_hash() -> None:
    left, right = b'{"a": 1, "b": "\\u00e9"}', '{"b":"é","a":1}'.encode()
    assert content_hash(left) != content_hash(right)
    assert same_content(left, right)


@pytest.mark.parametrize(("left", "right"), [("1", "1.0"), ("1", "true"), ('"1"', "1"), ("null", '""'), ("0", "false")])
def test_values_of_different_json_types_differ(left: str, right: str) -> None:
    assert not same_content(f'{{"a":[{left}]}}', f'{{"a":[{right}]}}')


def test_texts_that_are_no_json_are_compared_as_texts() -> None:
    assert same_content("{bad", "{bad")
    assert not same_content("{bad", "{worse")
