"""Annotators on the embedded model: a real `transformers serve` on loopback, killed and started again, and in this process."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from pipelines.corpus.annotate.endpoint import EndpointAnnotator
from pipelines.corpus.annotate.local import LocalAnnotator
from pipelines.endpoints.chat import ChatClient
from pipelines.errors import StudioError
from pipelines.models import prepare
from pipelines.models.host import ModelHost
from pipelines.paths import Paths

# Short, and with an example that so small a model copies: here the way is tested, not the judgement.
SHORT = 'Post: {text}\n\nIs the post left, right or neutral? Reply with JSON like {"economic": 5, "social": null, "quality": 6, "topic": "trade"}.'
POSTS = (
    "Let people keep what they earn. Lower taxes for everybody and watch businesses hire.",
    "Nobody should go broke because they got sick. Health care for everyone, paid together.",
    "My boss made record profits and we got a pizza party. Join a union.",
    "Responsible citizens have every right to own a gun and protect their families.",
)


class Server:
    """`transformers serve` with the embedded model, in a process of its own."""

    def __init__(self, folder: Path, log: Path) -> None:
        self.folder, self.log = folder, log
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        command = [sys.executable, "-c", "from transformers.cli.transformers import main; main()", "serve", str(self.folder)]
        command += ["--host", "127.0.0.1", "--port", str(self.port), "--device", "cpu"]
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(command, stdout=log, stderr=log, env={**os.environ, "HF_HUB_OFFLINE": "1"})
        deadline = time.monotonic() + 120
        with httpx.Client(trust_env=False) as client:
            while time.monotonic() < deadline and self.process.poll() is None:
                try:
                    if client.get(f"http://127.0.0.1:{self.port}/health").is_success:
                        return
                except httpx.TransportError:
                    time.sleep(0.2)
        self.kill()
        pytest.fail(f"transformers serve did not start: {self.log.read_text(errors='replace')[-2000:]}")

    def kill(self) -> None:
        if self.process is not None:
            self.process.kill()
            self.process.wait()


@pytest.fixture(scope="module")
def server(model_home: Paths, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    made = Server(prepare.converted_folder(model_home), tmp_path_factory.mktemp("server") / "log")
    made.start()
    yield made
    made.kill()


@pytest.fixture
def client(server: Server, tmp_path: Path) -> ChatClient:
    return ChatClient(
        f"http://127.0.0.1:{server.port}/v1", str(server.folder), cache_folder=tmp_path / "cache", concurrency=1, retries=1, timeout_s=60
    )


def test_unreadable_replies_are_a_class_of_their_own(client: ChatClient) -> None:
    (found,) = EndpointAnnotator(client, "What is this post about? {text}", max_tokens=12).annotate(POSTS[:1])
    assert found.problem.startswith("parse failure: ") and "cut at the token limit" in found.problem and found.quality is None


def test_another_model_than_the_served_one_is_a_sentence(client: ChatClient) -> None:
    client.model = "a-model-that-is-not-there"
    with pytest.raises(StudioError, match="does not know the model “a-model-that-is-not-there”"):
        EndpointAnnotator(client).annotate(POSTS)


def test_the_local_model_is_asked_and_read_in_the_same_way(host: ModelHost) -> None:
    found = LocalAnnotator(host, SHORT).annotate([POSTS[0], "é" * 3900])
    assert [one.problem for one in found] == ["", "request failed: the post is too long for this model"]
    assert found[0].quality is not None, "this model copies the example"


@pytest.mark.slow
def test_a_job_survives_its_servers_death_and_asks_only_for_the_rest(server: Server, client: ChatClient) -> None:
    annotator = EndpointAnnotator(client, SHORT, max_tokens=36)
    plan = annotator.estimate(POSTS, probe=True)
    assert (plan.calls, plan.cached) == (3, 1) and plan.seconds is not None and 0 < plan.seconds < 240

    with pytest.raises(StudioError, match="Nothing answers at") as caught:
        annotator.annotate(POSTS, progress=lambda share, words: server.kill() if share >= 0.5 else None)
    assert "start again" in caught.value.hint
    kept = annotator.estimate(POSTS).cached
    assert 2 <= kept < len(POSTS)

    server.start()
    first = annotator.annotate(POSTS)
    assert len(first) == len(POSTS) and not [one for one in first if one.problem.startswith("request failed")]
    assert [one for one in first if not one.problem], "this model copies the example, so some replies can be read"
    server.kill()
    started = time.monotonic()
    assert annotator.annotate(POSTS) == first and time.monotonic() - started < 2, "all comes from the store"
