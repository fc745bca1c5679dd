"""Lent graphics cards, with a `spaces` package that stands in for the platform's: it copies arguments and results as another process would."""

import importlib
import importlib.machinery
import inspect
import pickle
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from pipelines.models import zerogpu, zerohost
from pipelines.models.growing import Row
from pipelines.models.host import ModelHost
from pipelines.models.unchanged import SelfTest
from pipelines.paths import Paths
from pipelines.records import Answer, Column, Sampling, Stamp
from studio.access import Access
from studio.tabs.comparing import forms
from studio.views import persistence


class Platform(ModuleType):
    """The package `spaces`: GPU(duration=...) and what was asked of it."""

    def __init__(self) -> None:
        super().__init__("spaces")
        self.__spec__ = importlib.machinery.ModuleSpec("spaces", None)
        self.asked: list[float] = []

    def GPU(self, duration: Any) -> Callable[[Any], Any]:
        def decorator(function: Any) -> Any:
            def growing(*args: Any) -> Iterator[Any]:
                self.asked.append(duration(*args) if callable(duration) else duration)
                yield from (pickle.loads(pickle.dumps(one)) for one in function(*pickle.loads(pickle.dumps(args))))

            def plain(*args: Any) -> Any:
                self.asked.append(duration(*args) if callable(duration) else duration)
                return pickle.loads(pickle.dumps(function(*pickle.loads(pickle.dumps(args)))))

            return growing if inspect.isgeneratorfunction(function) else plain

        return decorator


@pytest.fixture
def platform(monkeypatch: pytest.MonkeyPatch) -> Platform:
    made = Platform()
    monkeypatch.setitem(sys.modules, "spaces", made)
    monkeypatch.setenv("SPACES_ZERO_GPU", "true")
    return made


def test_elsewhere_a_function_stays_the_function_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    def work() -> int:
        return 1

    monkeypatch.delenv("SPACES_ZERO_GPU", raising=False)
    assert zerogpu.on_gpu(60)(work) is work and zerogpu.may_use_card() and zerogpu.told(4, 72) == ""
    monkeypatch.setenv("SPACES_ZERO_GPU", "true")
    monkeypatch.delitem(sys.modules, "spaces", raising=False)
    assert zerogpu.on_gpu(60)(work) is work
    assert isinstance(zerohost.host(Paths(Path("nowhere"))), ModelHost)


@pytest.mark.parametrize(("value", "there"), [("true", True), ("1", True), ("", False), ("false", False), ("0", False)])
def test_a_package_alone_is_no_lent_card(platform: Platform, monkeypatch: pytest.MonkeyPatch, value: str, there: bool) -> None:
    monkeypatch.setenv("SPACES_ZERO_GPU", value)
    assert zerogpu.is_here() is there


def test_a_card_may_be_used_inside_a_lent_function_only(platform: Platform) -> None:
    lent = zerogpu.on_gpu(30)(zerogpu.may_use_card)
    assert not zerogpu.may_use_card() and lent() and not zerogpu.may_use_card() and platform.asked == [30]

    @zerogpu.on_gpu(lambda fails: 20 + fails)
    def breaks(fails: int) -> int:
        return 1 // fails

    with pytest.raises(ZeroDivisionError):
        breaks(0)
    assert not zerogpu.may_use_card() and platform.asked == [30, 20]


def test_a_generator_function_stays_one_for_the_platform(platform: Platform) -> None:
    @zerogpu.on_gpu(15)
    def counting(to: int) -> Iterator[tuple[int, bool]]:
        for number in range(to):
            yield number, zerogpu.may_use_card()

    assert inspect.isgeneratorfunction(counting) and list(counting(2)) == [(0, True), (1, True)] and not zerogpu.may_use_card()


def test_seconds_grow_with_the_request_and_have_ends(platform: Platform) -> None:
    assert zerogpu.SHORTEST == zerogpu.seconds_for(1, 8) < zerogpu.seconds_for(4, 200) < zerogpu.seconds_for(12, 400) < zerogpu.LONGEST
    assert zerogpu.seconds_for(5000, 512) == zerogpu.LONGEST
    assert f"at most {zerogpu.seconds_for(4, 200)} seconds" in zerogpu.told(4, 200)


STAMP = Stamp("it", "0", "", "", 0.0, 0.3, 0.9, 1, 8, "0", "0")
ROWS = [
    Row(Column("base"), [{"role": "user", "content": "Why?"}], 1),
    Row(Column("left", Path("left"), 0.5), [{"role": "user", "content": "Why?"}], 1),
]


class There:
    """What stands for the host in the platform's process."""

    def __init__(self, steps: int = 3, difference: float = 0.0) -> None:
        self.steps, self.difference, self.lent, self.prepared = steps, difference, list[bool](), list[str]()

    def stream(self, rows: list[Row], sampling: Sampling, partial: bool) -> Iterator[list[Answer]]:
        self.lent.append(zerogpu.may_use_card())
        for step in range(1, self.steps + 1):
            ended = "eos" if step == self.steps else ""
            yield [Answer(row.column.name, "Why?", "so " * step, step, ended, STAMP) for row in rows]

    def self_test(self) -> SelfTest:
        return SelfTest(self.difference)


@pytest.fixture
def lent(platform: Platform, monkeypatch: pytest.MonkeyPatch, paths: Paths) -> Iterator[tuple[Any, There]]:
    """A host as on a ZeroGPU Space, and what answers for it."""
    module, there = importlib.reload(zerohost), There()
    monkeypatch.setattr(module, "_host", lambda root, reference: there)
    monkeypatch.setattr(module.prepare, "ensure", lambda source, where: there.prepared.append(source.name))
    yield module.host(paths), there
    monkeypatch.delenv("SPACES_ZERO_GPU")
    importlib.reload(zerohost)


def test_answers_come_from_the_lent_card_and_their_base_test_too(lent: tuple[Any, There], platform: Platform) -> None:
    host, there = lent
    there.difference = 0.5
    with host.line.turn() as ticket:
        grown = list(host.stream(ROWS, Sampling(max_new_tokens=200), ticket=ticket))
        found = host.self_test(ticket)
    assert [answers[1].tokens for answers in grown] == [1, 2, 3] and grown[-1][1].column == "left"
    assert there.prepared == ["smollm2-135m"]  # here, where nobody's seconds are counted
    assert there.lent == [True] and platform.asked == [zerogpu.seconds_for(2, 200)]
    assert found.difference == 0.5 and not found.passed and host.last_test is found


def test_the_base_test_of_a_stream_counts_once(lent: tuple[Any, There], monkeypatch: pytest.MonkeyPatch) -> None:
    host, _ = lent
    monkeypatch.setattr(ModelHost, "_self_test", lambda self: SelfTest(0.25))
    with host.line.turn() as ticket:
        list(host.stream(ROWS, Sampling(), ticket=ticket))
        assert (host.self_test(ticket).difference, host.self_test(ticket).difference) == (0.0, 0.25)


def test_a_stop_keeps_what_was_said(lent: tuple[Any, There]) -> None:
    host, _ = lent
    stop = threading.Event()
    stream = host.stream(ROWS, Sampling(), stop)
    assert next(stream)[0].finished == ""
    stop.set()
    rest = list(stream)
    assert len(rest) == 1 and [answer.finished for answer in rest[0]] == ["stopped", "stopped"]
    assert not host.line.state()["busy"]


# Lasting storage


@pytest.mark.parametrize(
    ("environment", "mounts", "said"),
    [
        ({}, (), False),
        ({"SPACE_ID": "a/b"}, (), True),
        ({"SPACE_ID": "a/b"}, ("/",), True),
        ({"SPACE_ID": "a/b"}, ("/", "/data"), False),
        ({"SPACE_ID": "a/b"}, ("/data/studio",), False),
        ({"SPACE_ID": "a/b"}, ("/datas",), True),
    ],
)
def test_a_space_without_a_volume_says_what_a_restart_takes(environment: dict[str, str], mounts: tuple[str, ...], said: bool) -> None:
    shown = persistence.banner(Path("/data/studio"), Access(True, frozenset({"tune"})), environment, mounts.__contains__)
    assert ("no lasting storage" in shown) is said and bool(shown) is said


def test_the_sentence_names_what_visitors_can_lose() -> None:
    space = {"SPACE_ID": "a/b"}
    shown = persistence.banner(Path("/x"), Access(public=True, opened=frozenset({"review", "measure"})), space, lambda path: False)
    assert "ballots, measurements and whatever else" in shown and "trained adapters" not in shown
    assert persistence.banner(Path("/x"), Access(public=True, opened=frozenset({"questions"})), space, lambda path: False) == ""


def test_a_visitor_reads_what_asking_costs_only_where_seconds_are_counted(platform: Platform, monkeypatch: pytest.MonkeyPatch) -> None:
    place = forms.quota(4)
    assert place.visible and f"at most {zerogpu.seconds_for(4, Sampling().max_new_tokens)} seconds" in str(place.value)
    assert f"at most {zerogpu.seconds_for(6, 256)} seconds" in forms._quota([*"abcdef"], 256)
    monkeypatch.delenv("SPACES_ZERO_GPU")
    assert not forms.quota(4).visible
