"""The Curate tab's own decisions, without a browser: forms from dataclasses, what a public studio takes, what stays in hand."""

from __future__ import annotations

from collections.abc import Iterator

import gradio as gr
import pytest

from pipelines.corpus import drafts
from pipelines.corpus.drafts import Draft
from pipelines.corpus.engine import Tools
from pipelines.corpus.sources import open_source
from pipelines.corpus.steps.registry import ALL
from pipelines.errors import StudioError
from pipelines.paths import Paths
from studio.owning import Me
from studio.services import Services
from studio.tabs.curating import cleaning, forms, reviewing
from studio.tabs.curating.desk import Desk
from studio.tabs.curating.endpoint import Endpoint
from studio.telling import told


@pytest.fixture
def desk(paths: Paths, monkeypatch: pytest.MonkeyPatch) -> Iterator[Desk]:
    monkeypatch.setenv("STUDIO_HOME", str(paths.root))
    with gr.Blocks():
        yield Desk(Services.create(), gr.State(""), gr.HTML(), gr.Button(), gr.Timer(active=False), gr.State(""), gr.State(Me()))


@pytest.fixture
def draft(paths: Paths) -> Draft:
    return drafts.create(open_source("bundled-confounded"), paths)


@pytest.mark.parametrize("step", [step for step in ALL if step.key not in ("hand", "mend")], ids=lambda step: step.key)
def test_a_form_reads_back_the_steps_own_defaults(step: type) -> None:
    with gr.Blocks():
        boxes = forms.build(step)
    assert forms.read(step, [box.value for box in boxes]) == step()


def test_a_form_refuses_a_value_out_of_range() -> None:
    from pipelines.corpus.steps.text import Length

    with pytest.raises(StudioError, match="must lie between"):
        forms.read(Length, [0, 400])


def test_a_visitor_of_a_public_studio_cannot_name_an_endpoint(monkeypatch: pytest.MonkeyPatch, paths: Paths) -> None:
    monkeypatch.setenv("STUDIO_PUBLIC", "1")
    monkeypatch.setenv("STUDIO_OPEN", "endpoints")
    monkeypatch.delenv("STUDIO_ENDPOINT_URL", raising=False)
    with pytest.raises(StudioError, match="No endpoint is set"):
        Endpoint(Services.create()).client(paths, "http://127.0.0.1:1/v1", "x", "key", 4)


def test_cleaning_twice_is_refused_and_says_how_to_change_settings(desk: Desk, draft: Draft, paths: Paths) -> None:
    boxes = {key: forms.build(cleaning.STEPS[key]) for key in cleaning.KEYS}
    values = [box.value for part in boxes.values() for box in part]
    work = cleaning._work(boxes)
    cleaned, words = work(draft, Tools(paths), ["normalize", "exact"], *values)
    assert [step.key for step in cleaned.steps] == ["normalize", "exact"] and "rows are left" in words
    with pytest.raises(StudioError, match="Done already: Normalize"):
        work(cleaned, Tools(paths), ["normalize", "length"], *values)


def test_the_view_stays_for_the_same_draft_and_starts_anew_for_another(desk: Desk, draft: Draft, paths: Paths) -> None:
    filters = (-1, "", "", 0.0, "wage", False)
    same = reviewing._follow(desk, draft, draft.id, 2, "", *filters)
    other = reviewing._follow(desk, drafts.create(open_source("bundled"), paths), draft.id, 2, "conf-001", *filters)
    assert same[5] == "wage" and "that match, of 96" in same[8] and same[9] == 2
    assert other[5] == "" and "20 shown of 192" in other[8] and other[9] == 1 and other[10] == ""


def test_a_dropped_row_leaves_the_hand_and_can_be_seen_among_the_dropped(desk: Desk, draft: Draft, paths: Paths) -> None:
    dropped, _ = reviewing._drop(draft, Tools(paths), "conf-001", -1)
    shown = reviewing._follow(desk, dropped, draft.id, 1, "conf-001", *reviewing.START)
    assert ("Dropped by By hand (1)", 0) in shown[1]["choices"] and shown[10] == ""
    with pytest.raises(StudioError, match="not among the rows"):
        reviewing._drop(dropped, Tools(paths), "conf-001", -1)
    with pytest.raises(StudioError, match="dropped by a step"):
        reviewing._save(dropped, Tools(paths), "conf-001", 0, "")


def test_one_press_is_one_undo_however_many_fields_it_changed(draft: Draft, paths: Paths) -> None:
    texts = ["", "A new prompt?", "A new answer that was chosen.", "A new answer that was rejected.", "", "", ""]
    saved, _ = reviewing._save(draft, Tools(paths), "conf-001", -1, "look", *texts)
    starred, _ = reviewing._star(saved, Tools(paths), "conf-001", -1, "look", *texts)
    assert drafts.undo(starred).rows.slice(0, 1) == saved.rows.slice(0, 1)
    assert drafts.undo(drafts.undo(starred)).steps == ()


def test_two_workers_on_one_draft_are_told_apart(draft: Draft, paths: Paths) -> None:
    with (
        drafts.working(draft.id, paths),
        pytest.raises(StudioError, match="still running"),
        drafts.working(draft.id, paths),
    ):
        pass
    with drafts.working(draft.id, paths) as again:
        assert again.id == draft.id


def test_any_error_becomes_a_sentence(capsys: pytest.CaptureFixture[str]) -> None:
    assert "Give another" in told(StudioError("Wrong.", "Give another."))
    assert "disk refused" in told(OSError(28, "No space left on device"))
    assert "Traceback" not in told(KeyError("x")) and "KeyError" in capsys.readouterr().err


def test_a_reloaded_page_watches_a_running_step_and_shows_anew_only_when_one_ends(desk: Desk, draft: Draft, paths: Paths) -> None:
    with drafts.working(draft.id, paths):
        status, stop, _, seen = desk.attend(draft.id)
        assert "Still at work" in status and stop["visible"] and desk.attend(draft.id)[3] == seen == "0"
        drafts.apply(draft, ALL[0](), Tools(paths))
        assert desk.attend(draft.id)[3] == "1"
    status, stop, _, seen = desk.attend(draft.id)
    assert (status, stop["visible"], seen) == ("", False, "")
