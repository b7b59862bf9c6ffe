"""Where conversation IDs come from, and what is said about sources that hold none."""

import sqlite3
from contextlib import closing
from pathlib import Path

import duckdb
import polars as pl
import pytest

from pipelines.ingest.errors import SourceError
from pipelines.ingest.registry import candidates, from_file, from_setting, from_sql

IDS = ("conv_1", "conv_2")


@pytest.mark.parametrize("column", ["conversation_id", "id", "whatever"])
@pytest.mark.parametrize("suffix", ["csv", "jsonl", "parquet"])
def test_ids_are_read_from_every_kind_of_file(tmp_path: Path, suffix: str, column: str) -> None:
    path = tmp_path / f"ids.{suffix}"
    extra = {} if column == "whatever" else {"other": ["x", "y"]}
    frame = pl.DataFrame({**extra, column: list(IDS)})
    getattr(frame, {"csv": "write_csv", "jsonl": "write_ndjson", "parquet": "write_parquet"}[suffix])(path)
    assert from_file(path).ids == IDS


def test_a_text_file_has_one_id_a_line_and_comments(tmp_path: Path) -> None:
    path = tmp_path / "ids.txt"
    path.write_text("# ours\nconv_1\n\n  conv_2  # the second\nconv_1\nthread_9\n")
    found = from_file(path)
    assert (found.ids, found.malformed, found.source) == (IDS, ("thread_9",), "ids.txt")


def test_a_file_without_a_heading_and_one_with_a_byte_order_mark_lose_no_id(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("conv_1\nconv_2\n")
    (tmp_path / "b.csv").write_text("\ufeffid\nconv_1\nconv_2\n")
    (tmp_path / "c.txt").write_text("\ufeffconv_1\nconv_2\n")
    assert [from_file(tmp_path / name).ids for name in ("a.csv", "b.csv", "c.txt")] == [IDS] * 3


def test_conversation_id_is_preferred_to_id(tmp_path: Path) -> None:
    path = tmp_path / "ids.csv"
    path.write_text("id,conversation_id\n1,conv_1\n2,conv_2\n")
    assert from_file(path).ids == IDS


def test_malformed_ids_are_told_apart_and_blanks_do_not_count() -> None:
    found = candidates("test", ["conv_1", None, "", " ", 17, "conv_", "conv_ä", "conv_1", "resp_1"])
    assert (found.ids, found.malformed) == (("conv_1",), ("17", "conv_", "conv_ä", "resp_1"))


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("a.csv", "one,two\n1,2\n", "looked for conversation_id or id.*found one, two"),
        ("a.txt", "\n# nothing\n", "no conversation IDs; looked at one ID a line"),
        ("a.csv", "id\n", "no conversation IDs"),
        ("a.xlsx", "x", "ends in one of .txt, .csv"),
        ("a.parquet", "no parquet", "cannot be read as .parquet"),
        ("a.jsonl", "{", "cannot be read as .jsonl"),
    ],
)
def test_a_file_without_ids_says_what_was_looked_for(tmp_path: Path, name: str, content: str, words: str) -> None:
    (tmp_path / name).write_text(content)
    with pytest.raises(SourceError, match=words):
        from_file(tmp_path / name)


def test_ids_are_read_by_sql_from_duckdb_and_from_sqlite(tmp_path: Path) -> None:
    with duckdb.connect(tmp_path / "a.duckdb") as con:
        con.execute("create table chats as select unnest(['conv_1', 'conv_2', null]) as conversation")
    with closing(sqlite3.connect(tmp_path / "a.sqlite")) as con:
        con.execute("create table chats (conversation)")
        con.executemany("insert into chats values (?)", [("conv_1",), ("conv_2",), (None,), (5,)])
        con.commit()
    assert from_sql("select conversation from chats", tmp_path / "a.duckdb").ids == IDS
    found = from_sql("select conversation from chats", tmp_path / "a.sqlite")
    assert (found.ids, found.malformed) == (IDS, ("5",))


def test_a_source_database_is_only_read(tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "a.sqlite")) as con:
        con.execute("create table chats (id)")
        con.commit()
    with pytest.raises(SourceError, match="readonly"):
        from_sql("delete from chats", tmp_path / "a.sqlite")
    with duckdb.connect(tmp_path / "a.duckdb") as con:
        con.execute("create table chats (id text)")
    with pytest.raises(SourceError, match="read-only"):
        from_sql("delete from chats", tmp_path / "a.duckdb")


def test_a_query_that_fails_says_why(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="no_such_table"):
        from_sql("select id from no_such_table")
    with pytest.raises(SourceError, match="no such file"):
        from_sql("select 1", tmp_path / "none.duckdb")


def test_a_setting_is_a_file_a_glob_or_sql(tmp_path: Path) -> None:
    for n in (1, 2):
        (tmp_path / f"{n}.txt").write_text(f"conv_{n}\n")
    assert [found.ids for found in from_setting(str(tmp_path / "*.txt"))] == [("conv_1",), ("conv_2",)]
    assert [found.ids for found in from_setting("select 'conv_1' as id")] == [("conv_1",)]
    with pytest.raises(SourceError, match="no file matches"):
        from_setting(str(tmp_path / "*.csv"))
