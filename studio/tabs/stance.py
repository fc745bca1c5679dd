"""Stance: where the answers land and how far they moved, with intervals, a placebo and the instruments' validity beside every plot."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache, partial
from typing import Any

import gradio as gr

from pipelines import bundled, incidents
from pipelines.errors import StudioError
from pipelines.figures import plane as plane_figure
from pipelines.paths import read_json
from pipelines.stance.study import Study
from studio import results
from studio.owning import Me, Who
from studio.services import Services
from studio.tabs import measuring
from studio.tabs.reviews import predicting
from studio.tabs.stances import changed, manners, map, measure, moved, plane, report, series, sharing, trust
from studio.tabs.stances.section import Section
from studio.views import messages
from studio.views.headline import headline

RECORDED = results.RECORDED
LAND = "land"
EXPLAIN = (
    "Every small point is one answer to a neutral question, placed by the ruler: a probe on sentence embeddings. Large marks are the means; "
    "arrows go from the base to the tuned model. The placebo was tuned in the same way on neutral answers: a shift counts only beyond the placebo's."
)


@cache
def recorded() -> Study | None:
    """The study that ships with the studio."""
    file = bundled.RECORDED / "stance.json"
    return Study.from_dict(read_json(file)) if file.is_file() else None


def build(services: Services, me: gr.State) -> dict[str, Any]:
    """Lays out the tab and wires it; what stands behind a closed part is filled when it is opened.

    `me` is what is remembered of the page (owning.py): a visitor has results of their own.
    Returns the parts that choose who is measured, the event for when the tab is opened, and "open" for earlier results.
    """
    first, current, seen = recorded(), gr.State(None), gr.State(False)
    gr.HTML(f'<h2 class="ps-unseen">Stance</h2><p class="ps-lead">{EXPLAIN}</p>', padding=False)
    earlier = gr.Dropdown(
        _earlier(services, Who()), value=RECORDED, label="Earlier results", elem_id="earlier-results", visible=not services.public
    )
    sharing.build(services, me, earlier, lambda who: _earlier(services, who), "stance")
    source = gr.HTML(_source(first), elem_id="stance-source", padding=False)
    ahead = predicting.build(services, study=first)
    with gr.Column() as behind:
        summed = gr.HTML(elem_id="stance-headline", padding=False)
        with gr.Tabs(selected=LAND, elem_id="stance-parts") as parts:
            with gr.Tab("Where answers land", id=LAND):
                landed = plane.build(services, current, first, drawn=False)
                with gr.Accordion("Map of wording, and the answers as files", open=False):
                    drawn = map.build(services, current, first)
            sections: dict[str, tuple[str, Callable[..., Section]]] = {
                "moved": ("How far they moved", moved.build),
                "trust": ("How far to trust it", partial(trust.build, me=me)),
                "else": ("What else changed", manners.build),
            }
            for name, (title, make) in sections.items():
                with gr.Tab(title, id=name) as tab:
                    _fill_on(tab.select, make(services, current, first), current, first)
            with gr.Tab("How much of it", id="dose") as dose_tab:
                dose_tab.select(**series.build(services, me)["refresh"])
            with gr.Tab("When the data changed", id="changed") as changed_tab:
                changed_tab.select(**changed.build())
            with gr.Tab("Audit report", id="report"):
                made = report.build(services, current, first)
            with gr.Tab("Measure anew", id="measure", visible=services.access.allows("measure")):
                asked = measure.build(services)
    plainly = ahead["cover"](landed.plot, [behind])
    always = [landed, made, drawn]
    shown = [earlier, current, source, summed, parts, *(part for section in always for part in section.outputs)]

    def show(study: Study) -> tuple[Any, ...]:
        """Updates of `shown` from `source` on; the other parts are filled when they are opened."""
        filled = (update for section in always for update in section.show(study))
        return _source(study), headline(study), gr.Tabs(selected=LAND), *filled

    begun = measure.wire(services, me, asked, shown, show)

    def reopened(request: gr.Request, known: Me, name: str | None, state: dict[str, Any] | None) -> tuple[Any, ...]:
        return _open(services, Who.at(request, known), name, state, show, len(shown))

    earlier.input(reopened, [me, earlier, current], shown, show_progress="hidden", api_visibility="private")
    if plainly:  # a guess is about the study that ships: with another one, or to measure anew, everything is shown
        for event in (earlier.input, begun):
            event(**plainly)

    def opened(
        request: gr.Request, known: Me, which: str | None, keys: list[str] | None, state: dict[str, Any] | None, seen: bool
    ) -> tuple[Any, ...]:
        """The intervals of what ships are worked out when it is looked at first, so that the studio starts without them."""
        study = Study.from_dict(state) if state else first
        listed = gr.update(choices=_earlier(services, Who.at(request, known)))
        plot = gr.skip() if seen or study is None else gr.update(value=plane_figure.plot(study))
        return *measuring.refreshed(services, which, keys), listed, headline(study) if study else "", plot, True

    chooser = [asked["adapters"], asked["names"], asked["hint"]]
    return {
        "stages": parts,
        "chooser": chooser,
        "open": reopened,
        "refresh": {
            "fn": opened,
            "inputs": [me, *chooser[:2], current, seen],
            "outputs": [*chooser, earlier, summed, landed.plot, seen],
            "show_progress": "hidden",
        },
    }


def _fill_on(opened: Any, section: Section, current: gr.State, first: Study | None) -> None:
    """Fills a section with the current study whenever its part of the tab is opened."""

    nothing = (gr.skip(),) * len(section.outputs)
    place = next(number for number, part in enumerate(section.outputs) if isinstance(part, gr.HTML))

    def fill(state: dict[str, Any] | None) -> tuple[Any, ...]:
        study = Study.from_dict(state) if state else first
        try:
            return section.show(study) if study else nothing
        except Exception as error:  # whatever lies in an old or damaged file
            incidents.note(error, "showing a part of a result")
            said = messages.error(
                StudioError("This part of the result can't be shown.", "Its file is damaged or was made by another version; measure anew.")
            )
            return tuple(
                said if isinstance(part, gr.HTML) and number == place else gr.skip() for number, part in enumerate(section.outputs)
            )

    opened(fill, current, section.outputs, show_progress="minimal", api_visibility="private", concurrency_limit=2)


def _earlier(services: Services, who: Who) -> list[tuple[str, str]]:
    return results.choices(services.paths, who, services.public)


def _open(services: Services, who: Who, name: str | None, before: dict[str, Any] | None, show: Any, count: int) -> tuple[Any, ...]:
    """Shows an earlier result: updates of earlier, current and all that is shown of it; of a damaged one only a sentence."""
    try:
        if name in (None, RECORDED) or services.public:
            study, state = recorded(), None
            if study is None:
                raise StudioError("Nothing is recorded.", "Choose another result.")
        else:
            study = results.opened(str(name), services.paths, who)
            state = study.as_dict()
        return gr.skip(), state, *show(study)
    except StudioError as error:
        problem = error
    except Exception as error:  # whatever lies in the file: a damaged one is skipped
        incidents.note(error, "opening an earlier result")
        problem = results.damaged(str(name))
    still = messages.error(problem) + _source(Study.from_dict(before) if before else recorded())
    return gr.update(choices=_earlier(services, who), value=None), gr.skip(), still, *[gr.skip()] * (count - 3)


def _source(study: Study | None) -> str:
    if study is None:
        return messages.info("Nothing is recorded yet. Open “Measure anew”.")
    tokens = study.sampling["max_new_tokens"]
    stamp = study.answers[0]["stamp"]
    when, group = study.notes.get("recorded", ""), study.notes.get("group")
    made = f"Recorded {when}" if when else f"Computed {study.notes.get('computed', 'here')}"
    of = f", group “{group['name']}”" if group else ""
    questions = len({a["question"] for a in study.answers})
    return messages.note(
        f"{made}{of}: {stamp['base']} ({stamp['base_fingerprint']}), {len(study.columns)} columns, {questions} questions, "
        f"temperature {study.sampling['temperature']}, at most {tokens} tokens, seeds shared by all columns.{_profile(study)}{_said(study)}"
    )


def _said(study: Study) -> str:
    """What else has to be known: another placebo than is told above, or an instrument that was left out."""
    mixed = " The placebo of this group was tuned on left and right answers, mixed, not on neutral ones."
    left_out = study.notes.get("survey", "")
    return (mixed if study.notes.get("placebo_of") == "shuffled" else "") + (f" {left_out}" if left_out else "")


def _profile(study: Study) -> str:
    """What else was asked, where the study says so."""
    asked = study.protocol
    if not asked:
        return ""
    return (
        f" Profile “{asked['profile']}”: {asked['completions']} completions, {asked['items']} statements in {2 * len(asked['forms'])} forms, "
        f"{asked['askings']} mirrored askings; protocol {asked['hash']}."
    )
