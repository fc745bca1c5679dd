"""Asks a language model behind an OpenAI-compatible address, many times, and never twice the same.

Bounded concurrency, retries with growing pauses (the `openai` client's own: 408, 409, 429, 5xx, lost connections and
timeouts, as long as Retry-After says up to two minutes), replies stored as they come. The key comes from a field or
from STUDIO_ENDPOINT_KEY and is neither written down nor shown.
"""

from __future__ import annotations

import asyncio
import math
import os
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from pipelines import incidents
from pipelines.endpoints.failures import Failed, address, failure, is_loopback
from pipelines.endpoints.replies import Estimate, Replies, Reply, minutes, plain
from pipelines.entries import shown
from pipelines.errors import Cancel, StudioError, never, refuse_if, whole
from pipelines.models.template import Message
from pipelines.paths import content_hash

KEY_VARIABLE = "STUDIO_ENDPOINT_KEY"
MAX_TOKENS, LONGEST_MODEL = 400, 300
CONNECT_SECONDS, POLL_SECONDS = 10.0, 0.1
GIVE_UP_AFTER = 8
CHARACTERS_A_TOKEN = 4
Progress = Callable[[float, str], None]


@dataclass
class Job:
    """One `ask_many` at work: what is left to ask, what came, and how many failed in a row."""

    client: Any
    store: Replies
    requests: dict[str, list[Message]]
    waiting: Iterator[str]
    found: dict[str, Reply]
    progress: Progress
    temperature: float
    max_tokens: int
    started: float = field(default_factory=time.monotonic)
    asked: int = 0
    failed_in_a_row: int = 0

    def take(self, key: str, reply: Reply) -> None:
        """Stores a reply and reports. Raises StudioError where nothing but failures come."""
        self.asked += 1
        self.found[key] = reply
        if not reply.problem:
            self.store.add(key, reply)
        self.failed_in_a_row = self.failed_in_a_row + 1 if reply.problem else 0
        if self.failed_in_a_row >= GIVE_UP_AFTER:
            raise StudioError(
                f"{GIVE_UP_AFTER} requests failed one after the other, the last with: {reply.problem}.",
                "What was answered is stored; start again to go on from there.",
            )
        self.report()

    def report(self) -> None:
        done, count = len(self.found), len(self.requests)
        pace = (time.monotonic() - self.started) / self.asked if self.asked else 0.0
        left = f", about {minutes(pace * (count - done))} left" if self.asked and done < count else ""
        self.progress(done / max(1, count), f"{done:,} of {count:,} replies{left}")


class ChatClient:
    """One model at one address. Raises StudioError for an address or a key that can't be one."""

    def __init__(
        self,
        base_url: str,
        model: str,
        api_key: str | None = None,
        *,
        cache_folder: Path,
        concurrency: int = 4,
        retries: int = 4,
        timeout_s: float = 120.0,
    ) -> None:
        self.base_url, self.model, self.cache_folder = address(base_url), model.strip(), cache_folder
        self.concurrency, self.retries, self.timeout_s = max(1, concurrency), max(0, retries), timeout_s
        self._key = (api_key or os.environ.get(KEY_VARIABLE, "")).strip()
        incidents.keep_secret(self._key)
        self._limit = "max_tokens"
        if not self.model:
            raise StudioError("No model is named.", "Write the model's name as the endpoint knows it.")
        if len(self.model) > LONGEST_MODEL or not self.model.isprintable():
            raise StudioError(f"“{shown(self.model)}” can't be the name of a model.", "Write it as the endpoint knows it.")
        if not (self._key.isascii() and self._key.isprintable()):
            raise StudioError("The key holds characters that no key has.", "Copy it again.")

    def ask_many(
        self,
        conversations: Sequence[Sequence[Message]],
        progress: Progress = lambda share, words: None,
        cancelled: Cancel = never,
        temperature: float = 0.0,
        max_tokens: int = MAX_TOKENS,
    ) -> list[Reply]:
        """One reply a conversation, in their order; equal conversations are asked once.

        A request that fails for good becomes a Reply with a `problem`. Raises StudioError where asking on makes no sense
        (no connection, wrong key, unknown model, eight failures in a row), Cancelled once `cancelled()` is true; what
        was answered is stored, and the next call goes on from there. `progress` and `cancelled` are called from another
        thread.
        """
        cleaned = [plain(conversation) for conversation in conversations]
        keys = [self._name(messages, temperature, max_tokens) for messages in cleaned]
        requests = dict(zip(keys, cleaned, strict=True))
        stop = threading.Event()
        with ThreadPoolExecutor(1, "endpoint") as pool:  # a thread with a loop of its own works in a notebook, too
            work = self._answer(requests, progress, lambda: stop.is_set() or cancelled(), temperature, max_tokens)
            future = pool.submit(asyncio.run, work)
            try:
                found = future.result()
            except BaseException:
                stop.set()
                raise
        return [found[key] for key in keys]

    def estimate(
        self,
        conversations: Sequence[Sequence[Message]],
        seconds_per_call: float | None = None,
        probe: bool = False,
        temperature: float = 0.0,
        max_tokens: int = MAX_TOKENS,
    ) -> Estimate:
        """What `ask_many` would cost now.

        With `probe` as many calls as run side by side are made and timed; their replies are stored, so nothing is lost.
        Raises StudioError where every one of them failed.
        """
        wanted = {self._name(messages, temperature, max_tokens): messages for messages in map(plain, conversations)}
        missing = self._missing(wanted)
        if probe and missing:
            first, started = missing[: self.concurrency], time.monotonic()
            tried = self.ask_many([wanted[key] for key in first], temperature=temperature, max_tokens=max_tokens)
            if all(reply.problem for reply in tried):
                raise StudioError(f"No call of the trial succeeded: {tried[0].problem}.", "Check address, model and key, and try again.")
            seconds_per_call = (time.monotonic() - started) / len(first)
            missing = self._missing(wanted)
        letters = sum(len(message["content"]) for key in missing for message in wanted[key])
        tokens = math.ceil(letters / CHARACTERS_A_TOKEN) + len(missing) * max_tokens
        seconds = None if seconds_per_call is None else seconds_per_call * len(missing)
        return Estimate(len(missing), len(wanted) - len(missing), tokens, seconds)

    def _missing(self, keys: dict[str, Any]) -> list[str]:
        with Replies(self.cache_folder) as store:
            found = store.find(keys)
        return [key for key in keys if key not in found]

    def _name(self, messages: list[Message], temperature: float, max_tokens: int) -> str:
        return content_hash([self.base_url, self.model, messages, float(temperature), max_tokens])

    async def _answer(
        self, requests: dict[str, list[Message]], progress: Progress, cancelled: Cancel, temperature: float, max_tokens: int
    ) -> dict[str, Reply]:
        refuse_if(cancelled)
        with Replies(self.cache_folder) as store:
            found = store.find(requests)
            missing = [key for key in requests if key not in found]
            if missing:
                async with self._open() as client:
                    job = Job(client, store, requests, iter(missing), found, progress, temperature, max_tokens)
                    await self._side_by_side(job, min(self.concurrency, len(missing)), cancelled)
        return found

    async def _side_by_side(self, job: Job, count: int, cancelled: Cancel) -> None:
        """Runs the workers until all is asked, one raises, or a person stops them."""
        job.report()
        workers = [asyncio.create_task(self._worker(job)) for _ in range(count)]
        pending = set(workers)
        try:
            while pending:
                done, pending = await asyncio.wait(pending, timeout=POLL_SECONDS, return_when=asyncio.FIRST_EXCEPTION)
                for task in done:
                    task.result()
                refuse_if(cancelled)
        finally:
            for task in workers:
                task.cancel()
            await asyncio.gather(*workers, return_exceptions=True)

    async def _worker(self, job: Job) -> None:
        for key in job.waiting:
            job.take(key, await self._ask(job, job.requests[key]))

    async def _ask(self, job: Job, messages: list[Message]) -> Reply:
        limit = self._limit
        options = {"model": self.model, "messages": messages, "temperature": job.temperature, limit: job.max_tokens}
        try:
            return self._without_key(_read(await job.client.chat.completions.create(**options)))
        except Exception as error:  # told apart in failures.py; what it does not know is raised again
            found = failure(error, self.base_url, self.model, self._key)
            if limit == "max_tokens" and found.wants_other_limit:
                self._limit = "max_completion_tokens"
                return await self._ask(job, messages)
            return Reply("", False, found.problem)

    def _without_key(self, reply: Reply) -> Reply:
        """A reply as it is stored: some endpoints repeat what they were sent."""
        return replace(reply, text=reply.text.replace(self._key, "[key]")) if len(self._key) >= incidents.SHORTEST_SECRET else reply

    def _open(self) -> Any:
        """An `openai` client that knows nothing but the address and the key, and takes no proxy to this machine."""
        import openai

        timeout = openai.Timeout(self.timeout_s, connect=CONNECT_SECONDS)
        http = openai.DefaultAsyncHttpxClient(trust_env=not is_loopback(self.base_url), timeout=timeout)
        client = openai.AsyncOpenAI(
            base_url=self.base_url, api_key=self._key or "none", max_retries=self.retries, timeout=timeout, http_client=http
        )
        client.organization = client.project = None  # else taken from the environment of another service
        return client


def _read(completion: Any) -> Reply:
    """The text of a chat completion. Raises Failed where the endpoint replied something else."""
    choices = getattr(completion, "choices", None)
    message = getattr(choices[0], "message", None) if choices and isinstance(choices, list) else None
    if not choices or message is None:
        raise Failed("the endpoint's reply is no chat completion; does the address end with /v1?")
    text = getattr(message, "content", None)
    if not isinstance(text, str) or not text.strip():
        raise Failed("the model replied with nothing")
    return Reply(whole(text), False, cut=getattr(choices[0], "finish_reason", None) == "length")
