"""Errors that are nobody's mistake: a code for the person, the story under that code in the log, and no secret in either."""

from __future__ import annotations

import errno
import logging
import re
import sqlite3
import sys
import threading
from collections import deque
from collections.abc import Iterator

import pytest

from pipelines import incidents
from pipelines.errors import Cancelled, StudioError
from pipelines.paths import Paths
from pipelines.tuning.training import failures

CODE = re.compile(r"code ([2-9A-HJKMNP-Z]{5}) in the studio's log")


@pytest.fixture
def log(paths: Paths, monkeypatch: pytest.MonkeyPatch) -> Iterator[Paths]:
    """An open log, and afterwards everything as it was."""
    monkeypatch.setattr(sys, "excepthook", sys.excepthook)
    monkeypatch.setattr(threading, "excepthook", threading.excepthook)
    monkeypatch.setattr(incidents._KNOWN, "incidents", deque(maxlen=20))
    before = incidents.LOG.handlers[:]
    incidents.open_log(paths)
    yield paths
    for handler in [one for one in incidents.LOG.handlers if one not in before]:
        incidents.LOG.removeHandler(handler)
        handler.close()
    for name in incidents.OVERHEARD:
        logger = logging.getLogger(name)
        logger.filters = [one for one in logger.filters if not isinstance(one, incidents._Overheard)]


def text(paths: Paths) -> str:
    return incidents.log_file(paths).read_text(encoding="utf-8")


def caught(error: BaseException) -> BaseException:
    """The error with a traceback, as a handler meets it."""
    try:
        raise error
    except BaseException as found:
        return found


def test_the_code_of_the_sentence_stands_in_the_log_with_the_traceback(log: Paths) -> None:
    said = incidents.unexpected(caught(KeyError("what somebody typed")), "The measurement broke off", "Try again.")
    assert said.message == "The measurement broke off (KeyError)." and said.hint.startswith("Try again. ")
    code = CODE.search(said.hint)
    assert code and "typed" not in str(said)
    entry = text(log)
    assert f"{code[1]} The measurement broke off" in entry and "Traceback" in entry and "KeyError: 'what somebody typed'" in entry
    assert incidents.latest()[0].code == code[1] and incidents.latest()[0].during == "The measurement broke off"


@pytest.mark.parametrize(
    ("error", "part"),
    [
        (OSError(errno.ENOSPC, "x"), "The disk refused (No space left on device). Make room"),
        (PermissionError(errno.EACCES, "x"), "may be read and written"),
        (FileNotFoundError(errno.ENOENT, "x"), "deleted or moved"),
        (MemoryError(), "not enough memory"),
        (RuntimeError("[enforce fail] can't allocate memory: 99"), "not enough memory"),
        (sqlite3.OperationalError("database is locked"), "Others are writing"),
        (sqlite3.OperationalError("disk I/O error"), "The disk refused"),
        (sqlite3.DatabaseError("file is not a database"), "doctor"),
        (ConnectionResetError(errno.ECONNRESET, "x"), "This broke off (ConnectionResetError)."),
    ],
)
def test_what_every_machine_knows_says_what_to_do_and_has_a_code_too(log: Paths, error: Exception, part: str) -> None:
    said = str(incidents.unexpected(caught(error)))
    assert part in said and CODE.search(said)


def test_what_people_can_mend_or_wanted_has_no_code(log: Paths) -> None:
    wrong = StudioError("Too long.", "Shorten it.")
    assert incidents.unexpected(wrong) is wrong
    assert str(incidents.unexpected(Cancelled(), then="Nothing is lost.")) == "Stopped. Nothing is lost."
    assert incidents.latest() == [] and text(log) == ""


def test_neither_environment_nor_typed_nor_token_shaped_secrets_are_written_down(log: Paths, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOME_API_KEY", "planted-in-environment")
    incidents.keep_secret("planted by typing")
    words = "planted-in-environment, planted by typing, hf_abcdefghijkl, Bearer planted-bearer"
    incidents.note(caught(RuntimeError(words)), "asking an endpoint")
    both = text(log) + incidents.latest()[0].what
    assert "planted" not in both and "hf_abc" not in both and both.count(incidents.HIDDEN) >= 8


def test_what_comes_again_and_again_keeps_its_code_and_is_written_once(log: Paths) -> None:
    def fail(word: str) -> BaseException:
        return caught(ValueError(word))

    codes = {incidents.note(fail("the same"), "a look") for _ in range(25)}
    assert len(codes) == 1 and text(log).count("Traceback") == 1 and "10 times by now" in text(log)
    assert [one.times for one in incidents.latest()] == [25]
    assert incidents.note(fail("another"), "a look") not in codes and incidents.note(fail("the same"), "elsewhere") not in codes


def test_after_a_while_the_same_is_written_out_again(log: Paths, monkeypatch: pytest.MonkeyPatch) -> None:
    first = incidents.note(caught(ValueError("x")))
    monkeypatch.setattr(incidents, "AGAIN", 0.0)
    assert incidents.note(caught(ValueError("x"))) != first and text(log).count("Traceback") == 2


def test_an_error_that_quotes_a_megabyte_does_not_fill_the_log(log: Paths) -> None:
    incidents.note(caught(ValueError("x" * 1_000_000)))
    assert len(text(log)) < 2 * incidents.MOST and "characters left out" in text(log) and len(incidents.latest()[0].what) <= 300


def test_threads_and_the_process_itself_are_heard(log: Paths) -> None:
    def fail() -> None:
        raise LookupError("in a thread")

    thread = threading.Thread(target=fail, name="asking")
    thread.start()
    thread.join()
    sys.excepthook(ValueError, ValueError("at the top"), None)
    assert "the thread asking" in text(log) and "LookupError: in a thread" in text(log) and "ValueError: at the top" in text(log)


def test_the_web_servers_errors_are_heard_also_once_it_took_the_handlers_away(log: Paths) -> None:
    logger = logging.getLogger("uvicorn.error")
    logger.handlers.clear()
    logger.warning("only a warning")
    try:
        raise OSError("the socket")
    except OSError:
        logger.exception("Exception in ASGI application")
    assert "OSError: the socket" in text(log) and "uvicorn.error" in text(log) and "only a warning" not in text(log)


def test_a_folder_that_cannot_be_written_leaves_the_terminal(log: Paths, tmp_path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "file").write_text("")
    incidents.open_log(Paths(tmp_path / "file"))
    incidents.note(caught(ValueError("nevertheless")))
    said = capsys.readouterr().err
    assert "can't be written" in said and "nevertheless" in said and "nevertheless" not in text(log)


def test_a_trainers_last_word_names_the_code_and_hides_secrets(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_TOKEN", "planted-token")
    said = str(failures.explain(RuntimeError("refused planted-token\nmore"), "AB2CD"))
    assert "trainer.log has the details under code AB2CD" in said and "planted" not in said and "more" not in said
