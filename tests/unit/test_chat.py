"""The chat client against a tiny real server on loopback: retries, bounds, cancelling, storing, and keys that stay out of files."""

from __future__ import annotations

import json
import logging
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from pipelines.endpoints.chat import GIVE_UP_AFTER, ChatClient
from pipelines.endpoints.replies import FILE
from pipelines.errors import Cancelled, StudioError
from pipelines.models.template import ask

KEY = "sk-very-secret-4711"
Answer = tuple[int, dict[str, str], bytes]


def said(text: str, finish: str = "stop") -> Answer:
    """A chat completion."""
    choice = {"index": 0, "finish_reason": finish, "message": {"role": "assistant", "content": text}}
    return 200, {}, json.dumps({"id": "1", "object": "chat.completion", "created": 1, "model": "m", "choices": [choice]}).encode()


def refused(status: int, message: str = "no", **headers: str) -> Answer:
    return status, {name.replace("_", "-"): value for name, value in headers.items()}, json.dumps({"error": {"message": message}}).encode()


class Endpoint:
    """Counts requests and answers what `script` says; `most` is the largest number answered at the same time."""

    def __init__(self) -> None:
        self.seen: list[dict[str, Any]] = []
        self.times: list[float] = []
        self.keys: set[str] = set()
        self.most = self.now = 0
        self.script: Callable[[str, int], Answer] = lambda text, number: said(f"You said {text}.")
        self.lock = threading.Lock()

    def answer(self, body: dict[str, Any], key: str) -> Answer:
        with self.lock:
            self.seen.append(body)
            self.times.append(time.monotonic())
            self.keys.add(key)
            self.now += 1
            self.most, number = max(self.most, self.now), len(self.seen)
        try:
            return self.script(body["messages"][-1]["content"], number)
        finally:
            with self.lock:
                self.now -= 1


@pytest.fixture
def endpoint() -> Iterator[Endpoint]:
    made = Endpoint()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            status, headers, content = made.answer(body, self.headers.get("Authorization", ""))
            self.send_response(status)
            for name, value in {"Content-Type": "application/json", **headers, "Content-Length": str(len(content))}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_: Any) -> None:
            """Quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    made.url = f"http://127.0.0.1:{server.server_port}/v1"  # type: ignore[attr-defined]
    yield made
    server.shutdown()
    server.server_close()


@pytest.fixture
def client(endpoint: Any, tmp_path: Path) -> ChatClient:
    return ChatClient(endpoint.url, "m", KEY, cache_folder=tmp_path / "cache", retries=1, timeout_s=5)


def questions(*texts: str) -> list[list[dict[str, Any]]]:
    return [ask(text) for text in texts]


def test_replies_come_in_order_and_are_never_asked_for_twice(endpoint: Endpoint, client: ChatClient) -> None:
    first = client.ask_many(questions("a", "b", "a"))
    assert [reply.text for reply in first] == ["You said a.", "You said b.", "You said a."]
    again = client.ask_many(questions("b", "c"))
    assert [reply.cached for reply in again] == [True, False] and len(endpoint.seen) == 3
    client.ask_many(questions("a"), temperature=1.0)
    client.ask_many(questions("a"), max_tokens=5)
    assert len(endpoint.seen) == 5, "other settings are other questions"


def test_retry_after_is_waited_for(endpoint: Endpoint, client: ChatClient) -> None:
    endpoint.script = lambda text, number: refused(429, "slow down", Retry_After="1") if number == 1 else said("ok")
    assert client.ask_many(questions("a"))[0].text == "ok"
    assert endpoint.times[1] - endpoint.times[0] >= 0.95


def test_a_request_that_fails_for_good_is_one_problem_among_replies_and_is_asked_again(endpoint: Endpoint, client: ChatClient) -> None:
    endpoint.script = lambda text, number: refused(500, "out of memory") if text == "b" else said("ok")
    found = client.ask_many(questions("a", "b", "c"))
    assert [bool(reply.problem) for reply in found] == [False, True, False] and "500: out of memory" in found[1].problem
    endpoint.script = lambda text, number: said("better")
    assert [reply.text for reply in client.ask_many(questions("a", "b", "c"))] == ["ok", "better", "ok"]


@pytest.mark.parametrize(
    ("content", "part"),
    [(b"<html>", "can't be read"), (b'{"a": 1}', "no chat completion"), (said("  ")[2], "nothing"), (b'"text"', "no chat completion")],
)
def test_replies_of_another_form_are_problems(endpoint: Endpoint, client: ChatClient, content: bytes, part: str) -> None:
    endpoint.script = lambda text, number: (200, {}, content)
    assert part in client.ask_many(questions("a"))[0].problem


def test_an_endpoint_that_only_fails_is_not_asked_thousands_of_times(endpoint: Endpoint, client: ChatClient) -> None:
    endpoint.script = lambda text, number: refused(400, "quota used up")
    with pytest.raises(StudioError, match="failed one after the other.*quota used up"):
        client.ask_many(questions(*map(str, range(100))))
    assert len(endpoint.seen) < GIVE_UP_AFTER + client.concurrency + 1


@pytest.mark.parametrize(
    ("answer", "words"),
    [(refused(401), "refuses the key"), (refused(404), "does not know the model"), (refused(400, "pinned to x; requested 'm'"), "“m”")],
)
def test_what_every_request_would_meet_is_said_at_once(endpoint: Endpoint, client: ChatClient, answer: Answer, words: str) -> None:
    endpoint.script = lambda text, number: answer
    with pytest.raises(StudioError, match=words):
        client.ask_many(questions(*map(str, range(20))))
    assert len(endpoint.seen) <= client.concurrency


def test_a_post_that_is_too_long_for_the_model_stops_nobody_else(endpoint: Endpoint, client: ChatClient) -> None:
    endpoint.script = lambda text, number: refused(400, "m's context length is 8 tokens") if text == "long" else said("ok")
    assert [bool(reply.problem) for reply in client.ask_many(questions("long", "short"))] == [True, False]


def test_nobody_at_the_address_is_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(StudioError, match="Nothing answers at http://127.0.0.1:9/v1"):
        ChatClient("http://127.0.0.1:9/v1/", "m", cache_folder=tmp_path, retries=0).ask_many(questions("a"))


@pytest.mark.parametrize("url", ["", "example.org/v1", "ftp://x/v1", "http://me:word@x/v1", "http://x/v1?key=1", "http://x:port/v1"])
def test_what_is_no_address_is_refused(url: str, tmp_path: Path) -> None:
    with pytest.raises(StudioError, match="address"):
        ChatClient(url, "m", cache_folder=tmp_path)


def test_no_more_requests_than_allowed_run_side_by_side(endpoint: Endpoint, client: ChatClient) -> None:
    def slow(text: str, number: int) -> Answer:
        time.sleep(0.05)
        return said("ok")

    endpoint.script, client.concurrency = slow, 3
    client.ask_many(questions(*map(str, range(12))))
    assert endpoint.most == 3 and len(endpoint.seen) == 12


def test_cancelling_is_heard_while_waiting_and_keeps_what_was_answered(endpoint: Endpoint, client: ChatClient) -> None:
    endpoint.script = lambda text, number: said("ok") if number <= 2 else refused(429, "wait", Retry_After="60")
    client.concurrency, shares = 1, []
    started = time.monotonic()
    with pytest.raises(Cancelled):
        client.ask_many(questions(*"abcdef"), lambda share, words: shares.append(share), lambda: len(endpoint.seen) >= 3)
    assert time.monotonic() - started < 5 and shares == sorted(shares)
    endpoint.script = lambda text, number: said("ok")
    assert [reply.cached for reply in client.ask_many(questions(*"abcdef"))] == [True, True, False, False, False, False]


def test_the_key_is_sent_and_neither_written_logged_nor_shown(
    endpoint: Endpoint, client: ChatClient, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    endpoint.script = lambda text, number: refused(422, f"you sent {KEY}") if text == "b" else said("ok")
    with caplog.at_level(logging.DEBUG):
        found = client.ask_many(questions("a", "b"))
    assert endpoint.keys == {f"Bearer {KEY}"} and "[key]" in found[1].problem
    assert KEY not in caplog.text + repr(client) + repr(found)
    files = [file for file in tmp_path.rglob("*") if file.is_file()]
    assert files and not any(KEY.encode() in file.read_bytes() for file in files)


def test_the_key_may_come_from_the_environment_and_other_services_variables_do_not_count(
    endpoint: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-of-another-service")
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    ChatClient(endpoint.url, "m", cache_folder=tmp_path).ask_many(questions("a"))
    monkeypatch.setenv("STUDIO_ENDPOINT_KEY", KEY)
    ChatClient(endpoint.url, "m", cache_folder=tmp_path).ask_many(questions("b"))
    assert endpoint.keys == {"Bearer none", f"Bearer {KEY}"}


def test_models_that_only_know_the_newer_limit_are_asked_with_it(endpoint: Endpoint, client: ChatClient) -> None:
    def picky(text: str, number: int) -> Answer:
        return refused(400, "use max_completion_tokens") if "max_tokens" in endpoint.seen[number - 1] else said("ok", "length")

    endpoint.script, client.concurrency = picky, 1
    found = client.ask_many(questions("a", "b"))
    assert [(reply.text, reply.cut) for reply in found] == [("ok", True)] * 2 and len(endpoint.seen) == 3


def test_calls_tokens_and_time_are_told_before_anything_starts(endpoint: Endpoint, client: ChatClient) -> None:
    client.ask_many(questions("a"), max_tokens=10)
    some = questions("a", *("b" * 40 + str(n) for n in range(9)))
    plan = client.estimate(some, seconds_per_call=2.0, max_tokens=10)
    assert (plan.calls, plan.cached, plan.seconds) == (9, 1, 18.0) and plan.tokens == 93 + 90 and len(endpoint.seen) == 1
    assert "9 calls" in plan.sentence and "18 s" in plan.sentence
    probed = client.estimate(some, probe=True, max_tokens=10)
    assert (probed.calls, probed.cached) == (5, 5) and probed.seconds is not None and probed.seconds < 5
    assert client.estimate([]).sentence == "Nothing to ask."


def test_a_trial_that_fails_is_no_estimate(endpoint: Endpoint, client: ChatClient) -> None:
    endpoint.script = lambda text, number: refused(400, "these words are not wanted")
    with pytest.raises(StudioError, match="No call of the trial succeeded: .*these words are not wanted"):
        client.estimate(questions("a", "b"), probe=True)


def test_a_damaged_store_is_a_sentence(client: ChatClient) -> None:
    client.cache_folder.mkdir()
    (client.cache_folder / FILE).write_bytes(b"not a database, but longer than a header would be" * 9)
    with pytest.raises(StudioError, match="delete that file"):
        client.ask_many(questions("a"))


def test_half_characters_can_be_sent_and_stored(endpoint: Endpoint, client: ChatClient) -> None:
    endpoint.script = lambda text, number: said("\ud83d half")
    assert client.ask_many(questions("post \udcff"))[0].text == client.ask_many(questions("post \udcff"))[0].text == "? half"
