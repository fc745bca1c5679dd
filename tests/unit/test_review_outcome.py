"""Results without a browser: who may see what and when, what is said and drawn, and the files."""

from __future__ import annotations

import html
import json
import re
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import gradio as gr
import pytest

from pipelines.errors import StudioError
from pipelines.export.review import Report, summed_up
from pipelines.models import catalog
from pipelines.models.catalog import LANGUAGE_MODEL
from pipelines.paths import Paths
from pipelines.review.ballots import Box
from pipelines.review.coding import Codes
from pipelines.review.design import ASKED
from pipelines.review.protocol import Protocol, shown
from studio.access import Access
from studio.services import Services
from studio.tabs import wiring
from studio.tabs.reviews import outcome, owning, setting
from studio.tabs.reviews.outcome import Reports
from studio.tabs.reviews.owning import Who, mark_of
from studio.views import outcome as view
from tests import frozen, voted

OWNER, OTHER, HOME = Who("owner's code"), Who("another code"), Who("", home=True)
WORDS = ("base", "Base", "left", "Left", "first", "second")


class Place:
    """A studio with a box of reviews; `look` is what the page shows to somebody."""

    def __init__(self, paths: Paths) -> None:
        self.services = Services(paths, SimpleNamespace(), SimpleNamespace())  # type: ignore[arg-type]
        self.box = Box(paths.reviews)
        self.reports = Reports(Codes(paths.reviews))

    def open(self, protocol: Protocol, raters: int = 2) -> str:
        """A review in which every rater chooses the second column throughout; it is OWNER's."""
        review_id = self.box.open_review(protocol)
        owning.note(self.services.paths, review_id, mark_of(OWNER.code))
        for _ in range(raters):
            token = self.box.join(review_id, True).token
            for one in shown(protocol, token):
                choice = one.as_letter("second")
                self.box.vote(review_id, token, one.item_id, {asked.id: choice for asked in protocol.design.asked}, "private words")
        return review_id

    def look(self, who: Who = OTHER, chosen: str | None = None) -> dict[str, Any]:
        return outcome.looked(self.services, self.box, self.reports, who, chosen)

    def export(self, chosen: str | None, kind: str = "html", who: Who = OTHER) -> dict[str, Any]:
        return outcome.exported(self.services, self.reports, who, chosen, kind)


@pytest.fixture
def place(paths: Paths) -> Place:
    return Place(paths)


def report(table: list[str], columns: tuple[str, ...] = ("base", "left"), flagged: tuple[str, ...] = ()) -> Report:
    """Votes by hand on the first two columns and the first thing asked."""
    made = replace(voted.protocol(columns, len(table[0]), ASKED[:2], flagged), answers=frozen.protocol(4, columns).answers)
    return summed_up(made, voted.votes(made, table, columns[:2]), True)


def test_of_an_open_research_review_nobody_sees_more_than_its_progress(place: Place) -> None:
    review_id = place.open(frozen.protocol(6, raters=3))
    for who in (OTHER, OWNER, HOME):
        page = place.look(who, review_id)
        assert "Sealed" in page["said"] and not page["box"]["visible"] and page["plot"] is None
        assert "2 of 3 raters have judged all 8 pairs" in page["progress"] and "16 ballots" in page["progress"]
        sent = json.dumps({name: value for name, value in page.items() if isinstance(value, str)})
        assert not any(word in sent for word in (*WORDS, "private", place.box.review(review_id).hash))
        with pytest.raises(StudioError, match="Sealed"):
            place.export(review_id, "json", who)


def test_a_closed_research_review_shows_its_results_to_all(place: Place) -> None:
    review_id = place.open(frozen.protocol(10, raters=3))
    place.box.close(review_id)
    page = place.look(OTHER, review_id)
    assert page["box"]["visible"] and page["said"] == "" and "Closed." in page["progress"] and "ps-bar" not in page["progress"]
    assert "Base is chosen less often than Left as further right" in page["summary"] and "private words" not in str(page)
    assert "Agreement can" in page["details"] and "Self-consistency" in page["details"] and "False alarms" in page["details"]
    assert "Bradley-Terry" in page["details"] and "Votes still needed" in page["details"] and "Left (deliberately biased)" in page["people"]


def test_results_of_an_open_class_review_are_for_its_teacher(place: Place) -> None:
    review_id = place.open(frozen.protocol(6, kind="class", raters=25), 3)
    assert "where it was set up" in place.look(OTHER, review_id)["said"] and not place.look(OTHER, review_id)["box"]["visible"]
    with pytest.raises(StudioError, match="where it was set up"):
        place.export(review_id, "csv", OTHER)
    for who in (OWNER, HOME):
        page = place.look(who, review_id)
        assert page["box"]["visible"] and "interim results" in page["people"]
    assert place.export(review_id, "csv", OWNER)["file"]["visible"]


def test_the_newest_review_is_chosen_where_none_or_a_lost_one_is(place: Place) -> None:
    assert "There is no review yet" in place.look()["said"] and place.look()["progress"] == ""
    first, second = place.open(frozen.protocol(4), 0), place.open(frozen.protocol(5), 0)
    for chosen in (None, "gone", second):
        page = place.look(OTHER, chosen)
        assert page["reviews"]["value"] == second and [value for _, value in page["reviews"]["choices"]] == [second, first]


def test_visitors_of_a_public_studio_are_refused(place: Place) -> None:
    review_id = place.open(frozen.protocol(4), 1)
    place.box.close(review_id)
    place.services.access = Access(public=True)
    for work in (lambda: place.look(HOME, review_id), lambda: place.export(review_id, "html", HOME)):
        with pytest.raises(StudioError, match="public demo"):
            work()


def test_a_report_is_made_anew_only_when_ballots_have_changed(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    review_id, made = place.open(frozen.protocol(6, kind="class", raters=9), 3), []
    monkeypatch.setattr(outcome, "gather", lambda codes, one, real=outcome.gather: made.append(one) or real(codes, one))
    place.look(OWNER, review_id)
    place.look(OWNER, review_id)
    assert made == [review_id]
    receipt = place.box.join(review_id, True)
    assert len(place.reports.of(review_id).findings) == 3 and made == [review_id]
    one = shown(place.box.review(review_id), receipt.token)[0]
    place.box.vote(review_id, receipt.token, one.item_id, dict.fromkeys(("economy", "social", "writing"), "same"), "")
    assert place.reports.of(review_id).people.raters == 4 and made == [review_id] * 2
    place.box.withdraw(receipt.receipt)
    assert place.reports.of(review_id).people.raters == 3


@pytest.mark.parametrize(("kind", "closes", "alone", "enough"), [("class", False, 2, 3), ("research", True, 1, 2)])
def test_totals_that_would_be_one_persons_votes_are_not_shown(place: Place, kind: str, closes: bool, alone: int, enough: int) -> None:
    for raters in (alone, enough):
        review_id = place.open(frozen.protocol(6, kind=kind, raters=9, seed=raters), raters)
        if closes:
            place.box.close(review_id)
        page = place.look(OWNER, review_id)
        assert page["box"]["visible"] == (raters == enough) and ("votes of one person" in page["said"]) == (raters == alone)
        assert bool(page["summary"]) == (raters == enough)


def test_comments_are_read_by_the_owner_after_the_end_and_only_where_writers_can_hide(place: Place) -> None:
    protocol = frozen.protocol(4, raters=4)
    review_id = place.open(protocol, 3)
    token = place.box.join(review_id, True).token
    one = shown(protocol, token)[0]
    place.box.vote(review_id, token, one.item_id, dict.fromkeys(("economy", "social", "writing"), "same"), "<b>odd</b>")
    place.box.close(review_id)
    own, others = place.look(OWNER, review_id)["remarks"], place.look(OTHER, review_id)["remarks"]
    assert "&lt;b&gt;odd" in own and "private words" in own and others == ""
    few = place.open(frozen.protocol(5, raters=2), 2)
    place.box.close(few)
    said = place.look(OWNER, few)["remarks"]
    assert "private words" not in said and "from 3 raters on" in said


def test_every_format_is_written_without_anything_of_a_single_person(place: Place) -> None:
    review_id = place.open(frozen.protocol(6, raters=3))
    place.box.close(review_id)
    numbers = {str(vote.rater_number) for vote in place.box.votes(review_id)}
    for _, kind in outcome.CHOICES:
        file = Path(place.export(review_id, kind)["file"]["value"])
        text = file.read_text(encoding="utf-8")
        assert file.name == f"review-two-models-{review_id[:6]}.{kind}" and place.box.review(review_id).hash in text
        assert "private words" not in text and not any(re.search(rf"\b{number}\b", text) for number in numbers)
    with pytest.raises(StudioError, match="No format"):
        place.export(review_id, "exe")
    with pytest.raises(StudioError, match="Choose another review"):
        place.export(None)


def test_null_results_come_first_and_nothing_is_said_twice() -> None:
    said = view.summary(report(["12=?12", "2112=1"]))
    assert said.index("Not established") < said.index("<li>") and "Established, for" not in said
    assert "<summary>That Base and Left differ (further right).</summary>" in said and "This does not show that they are equal" in said
    assert "Nobody has judged Base against Left yet" in said
    both = view.summary(report(["2" * 20, "2" * 20, "2" * 20]))
    assert (
        both.index("Not established") < both.index("Established, for") < both.index("Base is chosen less often than Left as further right")
    )


def test_the_forest_has_a_line_of_chance_and_both_intervals_of_every_rate() -> None:
    one = report(["1122=12?", "11122121"], ("base", "left", "right"))
    figure = view.forest(one)
    exact, clustered, marks = figure.data
    rate = one.findings[0].rates[0]
    assert list(exact.x) == [rate.low, rate.high, None] and list(clustered.x) == [rate.cluster_low, rate.cluster_high, None]
    assert list(marks.x) == [rate.rate] and tuple(figure.layout.xaxis.range) == (0, 1) and marks.marker.symbol == ("circle",)
    assert (figure.layout.shapes[0].x0, figure.layout.shapes[0].x1) == (0.5, 0.5)
    said = [note.text for note in figure.layout.annotations]
    assert (
        "chance" in said and f"Base over Left: {rate.rate:.0%} of {rate.decided}" in said and "Base over Right: no vote chose one" in said
    )
    assert len(said) == 2 + 6 + 1 and figure.layout.height > 300 and set(exact.y) - {None} == set(marks.y)


def test_an_established_rate_is_told_by_form_and_word_not_by_color_alone() -> None:
    figure = view.forest(report(["2" * 20] * 3))
    assert figure.data[2].marker.symbol == ("diamond",) and any("established" in note.text for note in figure.layout.annotations)


def test_a_forest_without_any_vote_is_drawn_as_well() -> None:
    figure = view.forest(report(["....", "...."]))
    assert len(figure.data[2].x) == 0 and sum("no vote" in note.text for note in figure.layout.annotations) == 2


def test_flagged_pairs_are_also_left_out_once() -> None:
    told = view.details(report(["1212", "1122"], flagged=("p0",)))
    assert "Without pairs in which an answer names its side" in told and "4 to 4" in told and "2 to 4" in told
    assert "Without pairs" not in view.details(report(["1212", "1122"]))


def test_the_votes_still_needed_stand_for_every_pair() -> None:
    told = view.details(report(["1212", "1122"]))
    assert '<td class="num">546 (191)</td><td class="num">236 (82)</td><td class="num">128 (41)</td>' in told
    assert "80% power with 2 tests" in told and "by an exact test alone, the very least" in told


def test_names_of_columns_are_never_taken_for_markup() -> None:
    one = report(["12", "21"])
    evil = "<img src=x>"
    finding = one.findings[0]
    rates = tuple(replace(rate, first=evil) for rate in finding.rates)
    other = replace(one, findings=(replace(finding, rates=rates, conclusions=tuple(f"{evil}. {evil}" for _ in rates)),))
    drawn = json.dumps(view.forest(other).to_plotly_json(), default=str)
    assert evil not in view.summary(other) + view.details(other) + drawn and html.escape(evil) in view.details(other)


def test_the_page_holds_nothing_of_any_review_before_it_asks(place: Place) -> None:
    protocol = frozen.protocol(6, raters=3)
    review_id = place.open(protocol)
    place.services.host = SimpleNamespace(base=None, source=catalog.find(LANGUAGE_MODEL.name, place.services.paths))  # type: ignore[assignment]
    with gr.Blocks() as demo:
        owner, noted = gr.BrowserState(**owning.OWNER), gr.BrowserState(**setting.MEMORY)
        made = setting.build(place.services, place.box, owner, noted), outcome.build(place.services, place.box, owner)
    page = json.dumps(demo.get_config_file(), default=str)
    for word in (
        review_id,
        protocol.hash,
        protocol.design.title,
        *(item.id for item in protocol.items),
        *(t for i in protocol.items for t in i.texts),
    ):
        assert word not in page
    assert all({"fn", "inputs", "outputs"} <= one["attach"].keys() for one in made)


def test_what_goes_wrong_is_told_in_its_place_and_leaves_the_rest(capsys: pytest.CaptureFixture[str]) -> None:
    def fail(request: Any, value: str) -> dict[str, Any]:
        raise RuntimeError(value)

    assert wiring.safe({"a": 1, "b": 2}, lambda request, value: {"a": value}, "b")(None, "x") == {1: "x"}  # type: ignore[arg-type]
    told = wiring.safe({"a": 1, "b": 2}, fail, "b")(None, "secret")  # type: ignore[arg-type]
    assert list(told) == [2] and "broke off (RuntimeError)" in told[2] and "secret" not in told[2] and "secret" in capsys.readouterr().err
