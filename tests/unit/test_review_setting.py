"""Set up without a browser: what is planned, asked and frozen, what survives a stop, and who may see and close what."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from pipelines.comparing import batch as batches
from pipelines.comparing.prompts import Prompt, PromptSet
from pipelines.errors import StudioError
from pipelines.models import catalog
from pipelines.models.catalog import LANGUAGE_MODEL
from pipelines.models.growing import Row
from pipelines.paths import Paths, read_json, write_text
from pipelines.records import Answer, Sampling
from pipelines.review.ballots import Box
from pipelines.review.protocol import shown
from studio.access import Access
from studio.services import Services
from studio.tabs.comparing.setwork import OWN
from studio.tabs.reviews import owning, settinglist, settingpage
from studio.tabs.reviews.owning import Who
from studio.tabs.reviews.settinglist import CLOSE, SURE
from studio.tabs.reviews.settingpage import Form
from studio.tabs.reviews.settingwork import Setter
from tests.unit.test_batch import FakeHost

QUESTIONS = PromptSet("mine", "mine.csv", tuple(Prompt(f"p{n}", f"Question {n}?") for n in range(12)))
ASKED = ["economy", "writing"]
FORM = Form(OWN, QUESTIONS, 10, ["left", "base"], " My  review ", "To see.", "research", 3, ASKED, 30, "", 16, 5)
OWNER, OTHER, HOME = Who("owner's code"), Who("another code"), Who("", home=True)


class Host(FakeHost):
    """`gate` keeps the answers of a call back."""

    def __init__(self, paths: Paths) -> None:
        super().__init__()
        self.source, self.base = catalog.find(LANGUAGE_MODEL.name, paths), None
        self.gate = threading.Event()
        self.gate.set()
        self.words: Callable[[str], str] = lambda text: text

    def answer_all(self, rows: Sequence[Row], sampling: Sampling, stop: threading.Event) -> list[Answer]:
        while not self.gate.wait(0.01) and not stop.is_set():
            pass
        return super().answer_all(rows, sampling, stop)

    def answer(self, row: Row, sampling: Sampling, finished: str) -> Answer:
        made = super().answer(row, sampling, finished)
        adapter = "" if row.column.is_base else row.column.name
        return replace(made, text=self.words(made.text), stamp=replace(made.stamp, adapter=adapter))


@pytest.fixture
def setter(paths: Paths, monkeypatch: pytest.MonkeyPatch) -> Iterator[Setter]:
    monkeypatch.delenv("STUDIO_CLASS", raising=False)
    services = Services(paths, Host(paths), SimpleNamespace())  # type: ignore[arg-type]
    made = Setter(services, Box(paths.reviews))
    yield made
    made.services.interrupt("review-asking")
    services.host.gate.set()  # type: ignore[attr-defined]
    ended(made)


def ended(setter: Setter) -> None:
    end = time.monotonic() + 20
    while setter.running:
        assert time.monotonic() < end, "the asking did not end"
        time.sleep(0.01)


def host(setter: Setter) -> Any:
    return setter.services.host


def frozen(setter: Setter, form: Form = FORM, who: Who = OWNER) -> str:
    """A review that was asked for and frozen; its id."""
    settingpage.begin(setter, who, form)
    ended(setter)
    assert setter.frozen, setter.problem
    return setter.frozen


def stopped(setter: Setter) -> dict[str, Any]:
    """Stops in the second call; what the page shows then."""
    host(setter).before = lambda call: setter.stop(OWNER) if call == 2 else None
    settingpage.begin(setter, OWNER, FORM)
    ended(setter)
    host(setter).before = lambda call: None
    return settingpage.look(setter, OWNER, None)


def test_the_plan_says_what_a_rater_does_what_that_can_find_and_how_long_the_models_take(setter: Setter) -> None:
    said = settingpage.prepared(setter.services, replace(FORM, title="", purpose=None))["plan"]
    assert "12 pairs of answers (10 + 1 again with sides swapped + 1 of one model against itself)" in said and "minutes" in said
    assert (
        "30 on each two columns" in said
        and "at best establish a true rate of 91% or more" in said
        and "about 524 for a true rate of 60%" in said
    )
    assert "10 questions to 2 columns: up to about" in said
    in_class = settingpage.prepared(setter.services, replace(FORM, kind="class"))["plan"]
    assert "11 pairs of answers (10 + 1 of one model against itself)" in in_class and "swapped" not in in_class


def test_an_empty_seed_is_drawn_by_lot_so_that_no_two_reviews_share_their_answers(setter: Setter) -> None:
    seeds = set()
    for _ in range(2):
        protocol = setter.box.review(frozen(setter, replace(FORM, seed=None)))
        seeds.add(protocol.design.seed)
        assert {one["stamp"]["seed"] for one in protocol.answers}.isdisjoint({1}) and protocol.design.seed != 1
    assert len(seeds) == 2 and setter.box.review(frozen(setter, replace(FORM, seed=7, title="Typed"))).design.seed == 7
    assert "seed" not in settingpage.noted(FORM) and "seed" not in settingpage.recalled(setter.services, {"seed": 7})


def test_more_words_or_things_asked_take_a_rater_longer(setter: Setter) -> None:
    design = settingpage.designed(setter.services, FORM)
    plain = settingpage.minutes(design, Sampling(max_new_tokens=16))
    assert settingpage.minutes(design, Sampling(max_new_tokens=72)) > plain
    assert settingpage.minutes(settingpage.designed(setter.services, replace(FORM, asked=["economy"])), Sampling(max_new_tokens=16)) < plain


@pytest.mark.parametrize(
    ("change", "part"),
    [
        ({"columns": ["base"]}, "1 column is chosen"),
        ({"columns": ["base", "gone"]}, "can&#x27;t answer here"),
        ({"columns": None}, "0 columns are chosen"),
        ({"asked": []}, "Nothing is asked"),
        ({"raters": None}, "0 raters are planned"),
        ({"days": 0}, "kept for 0 days"),
        ({"tokens": 0}, "Longest answer"),
        ({"own": None}, "uploaded questions are not here"),
        ({"which": "other"}, "No set is chosen"),
    ],
)
def test_what_can_not_be_reviewed_is_said_while_it_is_planned_and_is_not_begun(setter: Setter, change: dict[str, Any], part: str) -> None:
    form = replace(FORM, **change)
    assert part in settingpage.prepared(setter.services, form)["plan"]
    with pytest.raises(StudioError):
        settingpage.begin(setter, OWNER, form)
    assert not setter.running and setter.job is None


def test_a_review_without_title_is_planned_but_not_begun(setter: Setter) -> None:
    with pytest.raises(StudioError, match="no title"):
        settingpage.begin(setter, OWNER, replace(FORM, title=" "))


def test_own_questions_are_read_and_as_many_can_be_drawn_as_there_are(setter: Setter, tmp_path: Path) -> None:
    (tmp_path / "q.csv").write_text("question\nWhy?\nHow?\nWhen?\n")
    shown_ = settingpage.uploaded(setter.services, str(tmp_path / "q.csv"), FORM)
    assert shown_["which"]["value"] == OWN and shown_["count"]["maximum"] == 3 and shown_["count"]["value"] == 3
    assert len(shown_["own"].prompts) == 3 and "(3 + 1 again" in shown_["plan"]
    assert settingpage.sized(setter.services, replace(FORM, which="everyday"))["count"]["maximum"] == 20
    assert settingpage.turned(setter.services, replace(FORM, kind="class"))["raters"] == 25


def test_every_drawn_question_gets_one_answer_a_column_and_the_base_a_second_one(setter: Setter) -> None:
    review_id = frozen(setter)
    protocol = setter.box.review(review_id)
    assert protocol.design.title == "My review" and protocol.columns == ("base", "left") and protocol.design.keys == ("base", "left")
    assert len(protocol.design.drawn) == 10 and protocol.design.count == 10 and len(protocol.items) == 12
    assert [one.id for one in protocol.design.asked] == ASKED and len(host(setter).asked) == 10
    again = [item for item in protocol.items if item.kind == "same"]
    assert len(again) == 1 and again[0].first == again[0].second == "base" and again[0].texts[0] != again[0].texts[1]
    assert all(one["stamp"]["max_new_tokens"] == 16 and one["stamp"]["strength"] in (0, 1) for one in protocol.answers)


def test_without_a_base_the_first_column_meets_itself(setter: Setter) -> None:
    protocol = setter.box.review(frozen(setter, replace(FORM, columns=["right", "left"])))
    again = [item for item in protocol.items if item.kind == "same"]
    assert {item.first for item in again} == {"right"} and again[0].texts[0] != again[0].texts[1]


def test_the_answers_are_not_among_the_prompt_sets_and_go_when_they_are_frozen(setter: Setter) -> None:
    host(setter).gate.clear()
    settingpage.begin(setter, OWNER, FORM)
    assert batches.list_batches(setter.services.paths) == [] and setter.job is not None
    assert not any(name.startswith("batch-") for name in setter.services.progress)
    host(setter).gate.set()
    ended(setter)
    assert setter.job is None and setter.services.progress == {} and not (setter.services.paths.reviews / "asking").exists()


def test_the_page_need_not_stay_open_and_only_one_review_is_asked_at_a_time(setter: Setter) -> None:
    host(setter).gate.clear()
    begun = settingpage.begin(setter, OWNER, FORM)
    assert "ps-bar" in begun["status"] and begun["timer"].active and begun["stop"]["visible"] and not begun["start"]["interactive"]
    with pytest.raises(StudioError, match="“My review” is not frozen yet"):
        settingpage.begin(setter, OTHER, FORM)
    again = settingpage.attached(setter, OWNER, None, FORM)
    assert "ps-bar" in again["status"] and again["timer"].active and "box" not in again
    host(setter).gate.set()
    ended(setter)
    after = settingpage.look(setter, OWNER, None)
    assert "is frozen and open" in after["status"] and not after["timer"].active and after["start"]["interactive"]
    assert after["reviews"]["value"] == setter.frozen and f"?review={setter.frozen}" in after["review"]
    assert "Frozen" not in settingpage.look(setter, OTHER, None)["status"]


def test_a_stopped_review_is_gone_on_with_also_by_a_studio_that_was_started_again(setter: Setter) -> None:
    left = stopped(setter)
    assert "4 of 11 requests to the models are answered" in left["status"] and left["resume"]["visible"] and left["discard"]["visible"]
    assert not left["start"]["interactive"] and setter.box.reviews() == []
    later = Setter(setter.services, setter.box)
    host(setter).calls = []
    settingpage.go_on(later, OWNER)
    ended(later)
    protocol = later.box.review(later.frozen)
    assert len(host(setter).calls[0]) == 8 and len(host(setter).asked) == 6 + 1 * (
        protocol.design.doubled[0].text not in host(setter).asked[:6]
    )
    assert owning.owns(later.services, OWNER, later.frozen) and not owning.owns(later.services, OTHER, later.frozen)


def test_what_was_stopped_can_be_discarded_and_another_review_begun(setter: Setter) -> None:
    stopped(setter)
    assert "discarded" in settingpage.discard(setter, OWNER)["said"]
    assert setter.job is None and frozen(setter, replace(FORM, title="Another"))


def test_nobody_else_goes_on_with_stops_or_discards_it(setter: Setter) -> None:
    assert stopped(setter)["resume"]["visible"] and not settingpage.look(setter, OTHER, None)["resume"]["visible"]
    for work in (settingpage.go_on, settingpage.stop, settingpage.discard):
        with pytest.raises(StudioError, match="another browser"):
            work(setter, OTHER)
    assert setter.job is not None and settingpage.look(setter, HOME, None)["resume"]["visible"]


@pytest.mark.parametrize(("error", "part"), [(StudioError("No room."), "No room."), (RuntimeError("boom"), "broke off (RuntimeError)")])
def test_what_breaks_the_asking_is_said_and_nothing_is_frozen(setter: Setter, error: Exception, part: str) -> None:
    def fail(call: int) -> None:
        raise error

    host(setter).before = fail
    settingpage.begin(setter, OWNER, FORM)
    ended(setter)
    said = settingpage.look(setter, OWNER, None)["status"]
    assert part in said and "boom" not in said and "Go on" in said and setter.box.reviews() == []


def test_an_empty_answer_is_not_frozen(setter: Setter) -> None:
    host(setter).words = lambda text: ""
    settingpage.begin(setter, OWNER, FORM)
    ended(setter)
    assert "is empty" in settingpage.look(setter, OWNER, None)["status"] and setter.box.reviews() == []


def test_the_owners_browser_is_given_a_code_once_and_keeps_it(setter: Setter) -> None:
    first = settingpage.begin(setter, Who(), FORM)["owner"]
    ended(setter)
    assert len(first) > 20 and owning.owns(setter.services, Who(first), setter.frozen)
    assert settingpage.begin(setter, Who(first), replace(FORM, title="Next"))["owner"] == first
    kept = (setter.services.paths.reviews / "owners.json").read_text()
    assert first not in kept


@pytest.mark.parametrize(
    ("host_", "headers", "home"),
    [
        ("127.0.0.1", {"Host": "127.0.0.1:7860"}, True),
        ("::1", {"host": "[::1]:7860", "Origin": "http://[::1]:7860"}, True),
        ("127.0.0.1", {"host": "localhost", "origin": "https://LOCALHOST:1"}, True),
        ("127.0.0.1", {}, False),
        ("127.0.0.1", {"host": "localhost", "X-Forwarded-For": "10.0.0.4"}, False),
        ("127.0.0.1", {"host": "localhost", "Via": "1.1 proxy"}, False),
        ("127.0.0.1", {"host": "localhost", "X-Forwarded-Host": "studio.example"}, False),
        ("127.0.0.1", {"host": "localhost", "X-Forwarded-Proto": "https"}, False),
        ("127.0.0.1", {"host": "localhost", "CF-Connecting-IP": "10.0.0.4"}, False),
        ("127.0.0.1", {"host": "evil.example:7860"}, False),
        ("127.0.0.1", {"host": "localhost.evil.example"}, False),
        ("127.0.0.1", {"host": "127.0.0.1.evil.example"}, False),
        ("127.0.0.1", {"host": "localhost", "origin": "http://evil.example"}, False),
        ("127.0.0.1", {"host": "localhost", "origin": "null"}, False),
        ("192.168.1.7", {"host": "localhost"}, False),
        ("", {"host": "localhost"}, False),
    ],
)
def test_only_the_studios_own_computer_is_home(host_: str, headers: dict[str, str], home: bool) -> None:
    assert Who.of(SimpleNamespace(client=SimpleNamespace(host=host_), headers=headers), None) == Who("", home)


def test_owners_that_are_noted_at_once_are_all_kept(paths: Paths) -> None:
    threads = [threading.Thread(target=owning.note, args=(paths, f"r{n}", "mark")) for n in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(read_json(paths.reviews / owning.OWNERS)) == 12


@pytest.mark.parametrize("content", ["{", "[]", '{"a": '])
def test_owners_that_can_not_be_read_are_never_written_over(setter: Setter, content: str) -> None:
    file = setter.services.paths.reviews / owning.OWNERS
    write_text(file, content)
    with pytest.raises(StudioError, match="can't be read"):
        owning.note(setter.services.paths, "another", owning.mark_of("me"))
    settingpage.begin(setter, OWNER, FORM)
    ended(setter)
    assert file.read_text() == content and setter.box.reviews() == [] and "owners.json" in setter.problem
    file.unlink()
    settingpage.go_on(setter, OWNER)
    ended(setter)
    assert owning.owns(setter.services, OWNER, setter.frozen) and len(setter.box.reviews()) == 1


@pytest.mark.parametrize("where", ["before", "after"])
def test_a_studio_that_ends_while_it_freezes_goes_on_with_the_same_review(
    setter: Setter, monkeypatch: pytest.MonkeyPatch, where: str
) -> None:
    def crash(protocol: Any, real: Any = setter.box.open_review) -> str:
        if where == "after":
            real(protocol)
        raise RuntimeError("the power went")

    with monkeypatch.context() as broken:
        broken.setattr(setter.box, "open_review", crash)
        settingpage.begin(setter, OWNER, FORM)
        ended(setter)
    assert setter.job is not None and setter.job.created and len(setter.box.reviews()) == (where == "after")
    later = Setter(setter.services, setter.box)
    settingpage.go_on(later, OWNER)
    ended(later)
    assert [one.id for one in setter.box.reviews()] == [later.frozen] and later.job is None
    assert owning.owns(setter.services, OWNER, later.frozen)


def test_nobody_without_a_code_owns_anything(setter: Setter) -> None:
    review_id = frozen(setter)
    assert not owning.owns(setter.services, Who(), review_id) and not Who("").owns(owning.mark_of("")) and not OWNER.owns("")


def test_before_the_end_others_see_neither_columns_nor_hash_nor_plan_of_a_review(setter: Setter) -> None:
    review_id = frozen(setter)
    protocol = setter.box.review(review_id)
    card = settinglist.shown(setter, OTHER, review_id)
    own = settinglist.shown(setter, OWNER, review_id)
    for word in (
        protocol.hash,
        protocol.hash[12:],
        "Base",
        "Left",
        "base",
        protocol.planned[0][:40],
        *(one["seal"] for one in protocol.answers),
    ):
        assert word not in card["review"]
    assert not card["close"]["visible"] and f"?review={review_id}" in card["review"]
    assert protocol.hash in own["review"] and "Base, Left" in own["review"] and own["close"]["visible"]
    setter.box.close(review_id)
    later = settinglist.shown(setter, OTHER, review_id)
    assert protocol.hash in later["review"] and "?review=" not in later["review"] and not later["close"]["visible"]


def test_a_review_is_closed_by_its_owner_who_presses_twice(setter: Setter) -> None:
    review_id = frozen(setter)
    rater = setter.box.join(review_id, True)
    one = shown(setter.box.review(review_id), rater.token)[0]
    setter.box.vote(review_id, rater.token, one.item_id, dict.fromkeys(ASKED, "A"), "")
    with pytest.raises(StudioError, match="another browser"):
        settinglist.close(setter, OTHER, review_id, review_id)
    once = settinglist.close(setter, OWNER, review_id, "")
    assert once["close"]["value"] == SURE and "finish coding before" in once["ending"] and "1 rater joined and gave 8%" in once["ending"]
    assert not setter.box.is_closed(review_id)
    assert (
        settinglist.shown(setter, OWNER, review_id)["warned"] == ""
        and settinglist.shown(setter, OWNER, review_id)["close"]["value"] == CLOSE
    )
    twice = settinglist.close(setter, OWNER, review_id, once["warned"])
    assert setter.box.is_closed(review_id) and "Closed." in twice["ending"] and "closed" in twice["reviews"]["choices"][0][0]


def test_a_warning_about_one_review_does_not_close_another(setter: Setter) -> None:
    first, second = frozen(setter), frozen(setter, replace(FORM, title="Second"))
    assert settinglist.close(setter, OWNER, second, first)["warned"] == second and not setter.box.is_closed(second)


def test_an_opened_page_keeps_the_chosen_review_and_deletes_what_is_too_old(setter: Setter) -> None:
    first, second = frozen(setter), frozen(setter, replace(FORM, title="<b>Second"))
    gone: list[int] = []
    setter.box.expire = lambda now=None: gone.append(1) or 0  # type: ignore[method-assign,assignment]
    assert settingpage.attached(setter, OWNER, first, FORM)["reviews"]["value"] == first and gone == [1]
    opened = settingpage.attached(setter, OWNER, "gone", FORM)
    assert opened["reviews"]["value"] == second and [value for _, value in opened["reviews"]["choices"]] == [second, first]


def test_visitors_of_a_public_studio_are_refused_by_every_handler(setter: Setter) -> None:
    review_id = frozen(setter)
    setter.services.access = Access(public=True)
    for who in (OWNER, HOME):
        for work in (
            lambda who=who: settingpage.begin(setter, who, FORM),
            lambda who=who: settingpage.go_on(setter, who),
            lambda who=who: settingpage.stop(setter, who),
            lambda who=who: settingpage.discard(setter, who),
            lambda who=who: settingpage.look(setter, who, None),
            lambda who=who: settingpage.attached(setter, who, None, FORM),
            lambda who=who: settinglist.listed(setter, who, None),
            lambda who=who: settinglist.shown(setter, who, review_id),
            lambda who=who: settinglist.close(setter, who, review_id, review_id),
            lambda: settingpage.uploaded(setter.services, "q.csv", FORM),
        ):
            with pytest.raises(StudioError, match="public demo"):
                work()
    assert "public demo" in settingpage.prepared(setter.services, FORM)["plan"] and not setter.box.is_closed(review_id)
