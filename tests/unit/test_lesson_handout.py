"""Handouts: everything of the plan is in both files, nothing of the key in what students get, and the same texts give the same bytes."""

from __future__ import annotations

import base64
import json
import re
import sys
import zlib
from html import unescape
from pathlib import Path

import pytest

from pipelines.cli import main
from pipelines.errors import StudioError
from pipelines.lesson import as_html, as_pdf, background, exercise, handout, plan
from pipelines.lesson.document import Break, Document, Grid, Heading, Items, Lines, Text
from pipelines.lesson.translated import translated
from tests.unit.still_english import english

ENDS = {"pdf": b"%%EOF", "html": b"</html>"}
ESCAPED = {"(": "(", ")": ")", "\\": "\\", "n": "\n", "r": "\r", "t": "\t"}


def words_of_html(content: bytes) -> str:
    return _plain(unescape(re.sub("<[^>]+>", " ", content.decode().split("</style>")[1])))


def words_of_pdf(content: bytes) -> str:
    """What the pages of such a file say, read from the file itself."""
    said = []
    for stream in re.findall(rb"stream\r?\n(.*?)~>\s*endstream", content, re.DOTALL):
        drawn = zlib.decompress(base64.a85decode(stream)).decode("latin-1")
        said += [_letters(one) for one in re.findall(r"\(((?:[^()\\]|\\.)*)\) Tj", drawn, re.DOTALL)]
    return _plain(" ".join(said))


def _letters(text: str) -> str:
    found = re.sub(r"\\(\d{3})", lambda one: chr(int(one[1], 8)), text)
    return re.sub(r"\\(.)", lambda one: ESCAPED.get(one[1], one[1]), found).encode("latin-1").decode("cp1252")


def _plain(text: str) -> str:
    """Without spaces: a PDF says where letters stand, and draws no spaces at the ends of lines."""
    return "".join(text.split())


def has(said: str, *texts: str) -> bool:
    return all(_plain(text) in said for text in texts)


WORDS = {"pdf": words_of_pdf, "html": words_of_html}


@pytest.mark.parametrize("minutes", [15, 45, 90])
@pytest.mark.parametrize("ending", ["pdf", "html"])
def test_a_students_handout_has_every_step_and_room_to_write(minutes: int, ending: str) -> None:
    content = handout.handout(plan.plan(minutes), "student", ending)
    said = WORDS[ending](content)
    assert content.rstrip().endswith(ENDS[ending])
    assert has(said, background.background().warning, f"{minutes} minutes - not yet taught")
    for place, one in enumerate(plan.plan(minutes).steps, 1):
        step = one.step
        assert has(said, f"{place}. {step.name} ({one.minutes} minutes)", step.goal, *step.press, *step.look_for, step.question)
    assert has(said, exercise.exercise().task) == (minutes == 90)


@pytest.mark.parametrize("ending", ["pdf", "html"])
def test_a_teachers_handout_has_notes_answers_reading_and_the_key_where_it_is_needed(ending: str) -> None:
    said = WORDS[ending](handout.handout(plan.plan(90), "teacher", ending))
    for one in plan.plan(90).steps:
        note = background.notes()[one.step.id]
        assert has(said, *note.goes_wrong, *(text for says in note.students_say for text in (says.said, says.answer)))
    found = background.background()
    assert has(said, *(one.answer for one in found.misconceptions), *(one.title for one in found.reading))
    assert has(said, *(one.why for one in exercise.exercise().faults))
    assert "Key:" not in WORDS[ending](handout.handout(plan.plan(45), "teacher", ending))


@pytest.mark.parametrize("ending", ["pdf", "html"])
def test_students_are_given_nothing_of_the_key(ending: str) -> None:
    said = WORDS[ending](handout.handout(plan.plan(90), "student", ending))
    key = exercise.exercise()
    assert not [one.id for one in key.faults if has(said, one.why) or any(row in said for row in one.rows)]


def test_the_same_texts_give_the_same_bytes() -> None:
    made = {handout.handout(plan.plan(45), "student", "pdf") for _ in range(2)}
    assert len(made) == 1


def test_texts_are_shown_as_they_are_and_are_no_markup() -> None:
    blocks = (
        Heading("a <b> & c", 2), Text("1 < 2 & 3", "so"), Items(("<i>x</i>", ("said", "<script>"))), Lines("write", 2), Break(),
        Grid(("h",), (("<td>",),), empty=1),
    )  # fmt: skip
    document = Document("T & T", "<u>", "w", blocks)
    html = as_html.render(document)
    assert b"<script>" not in html and b"<i>x" not in html and html.count(b"class=write") == 2 and b'class="page"' in html
    for said in (words_of_html(html), words_of_pdf(as_pdf.render(document))):
        assert has(said, "a <b> & c", "1 < 2 & 3", "<i>x</i>", "<script>", "<td>", "T & T", "<u>")


@pytest.mark.parametrize(
    ("reader", "ending", "said"), [("parents", "pdf", "no handout for “parents”"), ("student", "docx", "ends in “.docx”")]
)
def test_another_reader_or_ending_is_a_sentence(reader: str, ending: str, said: str) -> None:
    with pytest.raises(StudioError, match=said):
        handout.handout(plan.plan(15), reader, ending)


def test_without_the_library_a_sentence_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "reportlab.platypus", None)
    with pytest.raises(StudioError, match="PDF") as refused:
        handout.handout(plan.plan(15), "student", "pdf")
    assert "pip install reportlab" in refused.value.hint
    assert handout.handout(plan.plan(15), "student", "html")


# The command


def lesson(*words: str) -> int:
    return main(["lesson", *words])


def test_the_command_writes_what_the_files_name_says(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for name, start in (("handout.pdf", b"%PDF"), ("deep/handout.html", b"<!doctype html>")):
        assert lesson("handout", "--plan", "45", "--output", str(tmp_path / name)) == 0
        assert (tmp_path / name).read_bytes().startswith(start) and str(tmp_path / name) in capsys.readouterr().out


def test_without_a_name_it_is_written_here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.chdir(tmp_path)
    assert lesson("handout", "--for", "teacher", "--json") == 0
    told = json.loads(capsys.readouterr().out)
    assert told["output"] == "lesson-45-teacher.pdf" and told["bytes"] == (tmp_path / "lesson-45-teacher.pdf").stat().st_size > 5000


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--plan", "46"], "no plan of 46"),
        (["--output", "x.docx"], "“.docx”"),
        (["--output", "x"], "ends in “.”"),
        (["--output", "."], "is a folder"),
    ],
)
def test_the_command_refuses_with_a_sentence(
    words: list[str], said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert lesson("handout", *words) == 2 and said in capsys.readouterr().err and not list(tmp_path.iterdir())


def test_the_plans_are_listed_with_their_minutes(capsys: pytest.CaptureFixture[str]) -> None:
    assert lesson("plans", "--json") == 0
    told = json.loads(capsys.readouterr().out)
    assert [one["minutes"] for one in told] == [15, 45, 90] and [step["minutes"] for step in told[1]["steps"]] == [5, 7, 3, 10, 5, 15]
    assert lesson("plans") == 0 and "45 minutes  One lesson (not yet taught): predict 5" in capsys.readouterr().out


def texts_of(part: object) -> list[str]:
    """All texts of a document, of its blocks and their parts."""
    if isinstance(part, str):
        return [part]
    if isinstance(part, tuple):
        return [text for one in part for text in texts_of(one)]
    return [text for name in getattr(part, "__dataclass_fields__", ()) for text in texts_of(getattr(part, name))]


@pytest.mark.parametrize("reader", ["student", "teacher"])
@pytest.mark.parametrize("minutes", [15, 45, 90])
def test_a_chinese_handout_keeps_only_names_and_works_in_english(minutes: int, reader: str) -> None:
    document = translated(handout.READERS[reader](plan.plan(minutes)), "zh-Hans")
    works = {text for one in background.background().reading for text in (f"{one.authors} ({one.year}).", one.title)}
    left = [text for text in texts_of(document) if english(text) and not any(text.startswith(one) for one in works) and text != "zh-Hans"]
    assert not left and document.language == "zh-Hans" and len(document.blocks) == len(handout.READERS[reader](plan.plan(minutes)).blocks)


def test_a_chinese_pdf_names_a_font_for_it_and_the_next_english_one_does_not() -> None:
    chinese, english_again = (handout.handout(plan.plan(45), "student", "pdf", code) for code in ("zh-Hans", "en"))
    assert b"STSong-Light" in chinese and b"STSong-Light" not in english_again and b"Helvetica-Bold" in english_again
    assert b'lang="zh-Hans"' in handout.handout(plan.plan(45), "student", "html", "zh-Hans")


def test_a_language_that_nobody_wrote_gets_a_sentence() -> None:
    with pytest.raises(StudioError, match="no handout in “xx”"):
        handout.handout(plan.plan(45), "student", "pdf", "xx")
