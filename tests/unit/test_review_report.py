"""The report on a review: null results first, the frozen protocol with it, nobody's own votes in it, and safe in browser and spreadsheet."""

from __future__ import annotations

import csv
import hashlib
import io
import json
import re
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import pytest

from pipelines.comparing.prompts import Prompt
from pipelines.errors import StudioError
from pipelines.export.comparison import MARK
from pipelines.export.review import FORMATS, gather, summed_up, to_csv, to_html, to_json
from pipelines.review.ballots import Box, Vote
from pipelines.review.codebook import starter
from pipelines.review.coding import Codes
from pipelines.review.design import ASKED
from pipelines.review.protocol import Protocol, freeze, shown
from pipelines.review.rounds import Adjudication, codable
from pipelines.review.settling import Settling
from tests import frozen

HOSTILE = '=1+1 <script>alert("x")</script> & "quoted"'


class Reader(HTMLParser):
    """Elements and words of a page as a browser reads them."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []
        self.words: list[tuple[str, str]] = []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes += attrs

    def handle_data(self, data):
        if data.strip():
            self.words.append((self.tags[-1], data))

    @property
    def text(self) -> str:
        return " ".join(" ".join(data for tag, data in self.words if tag != "style").split())


def ballots(protocol: Protocol, raters: int = 3, vote: str = "second", comment: str = "") -> list[Vote]:
    """Everybody votes for one column on the first thing asked, and says "same" to all else."""
    asked = [one.id for one in protocol.design.asked]
    return [
        Vote(4711 + rater, item.id, name, vote if name == asked[0] and item.kind != "same" else "same", comment if name == asked[0] else "")
        for rater in range(raters)
        for item in protocol.items
        for name in asked
    ]


def report(raters: int = 6, is_closed: bool = True, comment: str = "", **changes):
    made = frozen.protocol(12, raters=6, **changes)
    return summed_up(made, ballots(made, raters, comment=comment), is_closed)


def rows(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text)))


def test_a_research_review_that_is_open_is_not_revealed(tmp_path: Path):
    codes = Codes(tmp_path)
    review_id = codes.box.open_review(frozen.protocol(4))
    with pytest.raises(StudioError, match="not closed"):
        gather(codes, review_id)
    codes.box.close(review_id)
    assert gather(codes, review_id).people.ballots == 0
    with pytest.raises(StudioError, match="not closed"):
        report(is_closed=False)


def test_a_class_may_look_before_the_end_and_is_told_that_it_is_early():
    made = report(is_closed=False, kind="class")
    assert "still open when this report was made" in to_html(made)
    assert any("interim" in said for said in made.limits)


def test_the_mark_stands_on_top_of_every_form():
    made = report()
    page = Reader(to_html(made))
    body = [data for tag, data in page.words if tag not in ("style", "title")]
    assert body[0] == MARK
    assert rows(to_csv(made))[0]["words"] == MARK
    assert list(json.loads(to_json(made)))[:2] == ["kind", "mark"] and json.loads(to_json(made))["mark"] == MARK
    assert all("deliberately biased" in make(made) for make in FORMATS.values())


def test_what_was_not_established_comes_before_what_was():
    made = report(raters=7)
    text = Reader(to_html(made)).text
    assert made.headline == "2 of 3 tests established no difference; 1 did."
    assert text.index("Not established") < text.index("Established, for these questions") < text.index("What was reviewed")
    assert all(said in text for said in (*made.nulls, *made.established))
    assert any("agreement" in said.lower() for said in made.nulls)


def test_a_review_without_ballots_or_differences_says_so_first():
    protocol = frozen.protocol(4)
    assert summed_up(protocol, [], True).headline.startswith("There are no ballots")
    none = summed_up(protocol, ballots(protocol, vote="same"), True)
    assert none.headline == "No difference was established in 3 tests. That does not show that there is none."
    assert "no vote chose one of them" in to_html(none)
    assert to_csv(none) and to_json(none)


def test_the_page_has_the_numbers_of_every_question():
    made = report()
    text = Reader(to_html(made)).text
    for one in made.findings:
        for said in (one.asked.text, one.alpha.sentence, one.consistency.sentence, one.alarms.sentence, one.strengths.sentence):
            assert said in text
    assert "6 took part, 6 judged everything, 6 were planned" in text and "84" in text
    assert (
        "0 to 72" in text
        and "546 more of 618 (127 more of 199)" in text
        and "with 3 tests" in text
        and made.protocol.design.purpose in text
    )


def test_the_text_in_the_page_has_the_hash_that_stands_beside_it():
    made = report()
    page = Reader(to_html(made))
    text = "".join(data for tag, data in page.words if tag == "pre")
    assert hashlib.sha256(text.encode()).hexdigest() == made.protocol.hash
    assert made.protocol.hash in page.text.replace(text, "")


def test_the_json_gives_the_frozen_protocol_back():
    made = report()
    value = json.loads(to_json(made))
    assert Protocol.from_dict(value["protocol"], value["hash"]) == made.protocol
    assert {one["protocol_hash"] for one in rows(to_csv(made))} == {made.protocol.hash}
    assert value["findings"][0]["rates"][0]["losses"] == 72 and value["findings"][0]["votes_needed"][0]["still"]["0.6"] == 127


def test_nothing_of_a_single_person_is_in_any_form():
    made = report(comment="My aunt Berta says hello")
    assert made.people.comments == 84
    for make in FORMATS.values():
        text = make(made)
        assert "Berta" not in text and "rater_number" not in text and not re.search(r"\b471[1-6]\b", text)


def test_few_raters_and_an_early_end_are_limits():
    few = report(raters=2)
    assert any("come close to what single persons said" in said for said in few.limits)
    assert any("6 raters were planned to judge all items; 2 did" in said for said in few.limits)
    assert not any("come close" in said for said in report().limits)


def hostile() -> Protocol:
    design = frozen.design(4, raters=3)
    prompts = tuple(Prompt(one.id, f"{HOSTILE} {one.id}", HOSTILE) for one in design.prompts)
    asked = (replace(ASKED[0], text=HOSTILE, ends=(HOSTILE, HOSTILE)),)
    design = replace(design, title=HOSTILE, purpose=HOSTILE, prompts=prompts, asked=asked)
    turns = [
        (prompt, replace(turn, answers=tuple(replace(one, text=f"{HOSTILE} {one.column} {prompt.id}") for one in turn.answers)))
        for prompt, turn in frozen.turns(design)
    ]
    return freeze(design, turns)


def test_the_page_runs_nothing_fetches_nothing_and_takes_no_words_for_markup():
    protocol = hostile()
    text = to_html(summed_up(protocol, ballots(protocol), True))
    page = Reader(text)
    assert not {"script", "img", "link", "iframe", "object", "form"} & set(page.tags)
    assert not any(name.startswith("on") or name in ("src", "href") for name, _ in page.attributes)
    assert not re.search(r"url\(|@import|https?:", text)
    assert page.text.count(HOSTILE) > 5


def test_cells_are_no_formulas():
    protocol = hostile()
    found = rows(to_csv(summed_up(protocol, ballots(protocol), True)))
    cells = [cell for row in found for cell in row.values()]
    assert any(cell.startswith("'=1+1") for cell in cells)
    assert not any(cell.startswith(("=", "+", "@")) or (cell.startswith("-") and not re.fullmatch(r"-[\d.e-]+", cell)) for cell in cells)


def coded(folder: Path, topic: str = "rent") -> tuple[Codes, str, str]:
    """Two raters who agree on one code at every pair and differ on another; one quote is picked. Returns its words too."""
    codes, book = Codes(folder), starter()
    design = frozen.design(4, raters=3)
    design = replace(design, prompts=tuple(replace(one, topic=topic) for one in design.prompts))
    protocol = freeze(design, frozen.turns(design))
    review_id = codes.box.open_review(protocol)
    codes.publish(review_id, book)
    people = [codes.box.join(review_id, True) for _ in range(2)]
    items, numbers = codable(protocol), [codes.box.who(one.token)[1] for one in people]
    calibration = codes.open_round(review_id, "calibration", items[:1], numbers, 1)
    for one in people:
        codes.read(calibration.id, one.token, items[0])
    codes.accept(calibration.id, "It is enough.")
    made = codes.open_round(review_id, "coding", items, numbers, 1)
    for place, one in enumerate(people):
        for pair in shown(protocol, one.token):
            if pair.item_id in items:
                codes.mark(made.id, one.token, pair.item_id, pair.as_letter("second"), "no-stance", book.hash)
                if place == 0:
                    codes.mark(made.id, one.token, pair.item_id, pair.as_letter("second"), "hedging", book.hash, memo="My memo")
                codes.read(made.id, one.token, pair.item_id)
    settling = Settling(codes)
    differing = settling.differences(made.id)[0]
    settling.adjudicate(made.id, Adjudication(differing.item_id, differing.answer, differing.code_id, True, "It hedges at the end."))
    codes.box.close(review_id)
    quote = settling.quotes(review_id)[0]
    settling.pick(review_id, quote)
    return codes, review_id, quote.text


def test_codes_are_counted_by_column_and_topic_with_agreement_and_picked_quotes(tmp_path: Path):
    codes, review_id, words = coded(tmp_path)
    made = gather(codes, review_id)
    page = Reader(to_html(made)).text
    assert "4 of 4 (40% to 100%)" in page and ", 3 open" in page and "No stance, rent" in page
    assert made.coded.alphas["no-stance"].sentence in page and made.coded.codebook.hash in page
    assert words in page and "Left (deliberately biased), asked" in page
    assert "My memo" not in page
    assert "It is enough." in page and "settled 1 of them, 3 stayed open" in page and "It hedges at the end." in page
    found = rows(to_csv(made))
    assert [row["words"] for row in found if row["kind"] in ("calibration", "settled")] == [
        "It is enough.",
        "applies: It hedges at the end.",
    ]
    whole = next(row for row in found if row["kind"] == "code" and row["code"] == "no-stance" and row["column"] == "left")
    assert (whole["topic"], whole["coded"], whole["n"], whole["column_mark"]) == ("all topics", "4", "4", "deliberately biased")
    assert [row["words"] for row in found if row["kind"] == "quote"] == [words]
    assert json.loads(to_json(made))["coded"]["quotes"][0]["mark"] == "deliberately biased"


def test_a_review_without_coding_has_no_part_about_codes():
    made = report()
    assert "Codes" not in [data for tag, data in Reader(to_html(made)).words if tag == "h2"]
    assert json.loads(to_json(made))["coded"] is None


def test_where_raters_stand_is_given_with_the_owners_reason_and_only_where_enough_said(tmp_path: Path):
    box = Box(tmp_path)
    review_id = box.open_review(frozen.protocol(4, kind="class", raters=9, own_politics="To see whether sides judge alike."))
    for place in range(5):
        assert "Where raters said they stand" not in to_html(gather(Codes(tmp_path), review_id))
        box.join(review_id, True, ("left", "right")[place % 2])
    page = Reader(to_html(gather(Codes(tmp_path), review_id))).text
    assert "To see whether sides judge alike." in page and "Where raters said they stand" in page


def test_items_that_name_their_side_are_reported_apart():
    design = frozen.design(4, raters=3)
    turns = frozen.turns(design)
    prompt, turn = turns[0]
    turns[0] = prompt, replace(turn, answers=(turn.answers[0], replace(turn.answers[1], text="As a progressive, I agree.")))
    protocol = freeze(design, turns)
    made = summed_up(protocol, ballots(protocol), True)
    assert "The same without items in which an answer names its side" in to_html(made)
    assert {row["losses"] for row in rows(to_csv(made)) if row["kind"] == "win rate without flagged" and row["asked"] == "economy"} == {"9"}
