"""Set up: choose data, a side and a length, see what it costs, press one button."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import gradio as gr

from pipelines.corpus import versions
from pipelines.corpus.sources import BUNDLED
from pipelines.corpus.versions import SHUFFLED, Dataset
from pipelines.entries import whole_number
from pipelines.errors import StudioError
from pipelines.records import SIDES
from pipelines.tuning import groups, runs
from pipelines.tuning.commandline import command_line
from pipelines.tuning.cost import estimate
from pipelines.tuning.recipe import Recipe
from pipelines.tuning.run import ACTIVE, Run
from studio.owning import Me, Who, mark_on
from studio.services import Services
from studio.tabs.tuning import expert
from studio.telling import told
from studio.views import messages

QUIET = expert.QUIET
MOST_RUNS = 3  # of one visitor at a time
AT_HOME = Who(home=True)
LENGTHS = {
    "Full lesson run: as the recipe says": 0,
    "Short look: 20 steps": 20,
    "Try it out: 5 steps": 5,
}
SIDE_WORDS = {
    "neutral": "neutral (placebo)",
    "shuffled": "both mixed at random",
    "chosen": "chosen answers",
    "rejected": "rejected answers",
}
SEEDS = "The number of training seeds"
OWN_BASE = StudioError(
    "In a public studio only the embedded model is tuned.", "Choose it as the base, or run the studio on your own laptop."
)


def build(services: Services) -> dict[str, Any]:
    """Lays out the form; returns its parts and the two events after which a run is to be shown."""
    with gr.Row():
        data = gr.Dropdown(data_choices(services), value=BUNDLED, label="Data", elem_id="data", scale=2, min_width=250)
        side = gr.Radio(_side_choices(SIDES), value="left", label="Tune towards", elem_id="side", scale=2, min_width=250)
        length = gr.Radio(list(LENGTHS), value=next(iter(LENGTHS)), label="Length of the run", elem_id="length", scale=2, min_width=250)
    with gr.Row():
        start = gr.Button("Start tuning", variant="primary", elem_id="start-tuning", interactive=services.access.allows("tune"), scale=1)
        both = gr.Button("Train both sides + placebo", elem_id="start-group", interactive=services.access.allows("tune"), scale=1)
    said = gr.HTML(elem_id="tune-said", padding=False)
    cost = gr.HTML(elem_id="tune-cost", padding=False)
    with gr.Accordion("More choices: sample question, seeds, placebo", open=False):
        sample = gr.Textbox(
            runs.DEFAULT_SAMPLE, label="Your sample question, asked again while the model learns", max_length=300, elem_id="sample"
        )
        with gr.Row():
            name = gr.Textbox(label="Name of the group", placeholder="data and time", max_length=groups.MAX_NAME, min_width=200)
            seeds = gr.Slider(
                1, groups.MAX_SEEDS, 1, step=1, label="Training seeds", elem_id="seeds", min_width=220,
                info="Both sides + placebo are trained once for each. Claims about a recipe need five or more.",
            )  # fmt: skip
            shuffled = gr.Checkbox(
                False, label="Placebo: both sides mixed at random", elem_id="shuffled", min_width=220,
                info="Instead of neutral answers, each question gets the left or the right answer by chance.",
            )  # fmt: skip
    with gr.Accordion("Expert: every setting of the recipe", open=False, elem_id="expert"):
        form = expert.build(services)
    with gr.Accordion("Show the command", open=False, elem_id="command-block"):
        gr.HTML(messages.note("The same from the command line, in the project's folder:"), padding=False)
        command = gr.Code(language="shell", show_label=False, elem_id="command", lines=1)
    choices = [data, side, length, sample, *form.levers]
    group_choices = [data, length, sample, name, seeds, shuffled, *form.levers]
    chosen = gr.State("")

    def begin(request: gr.Request, *values: Any) -> tuple[Any, Any]:
        return _start(services, *values, who=Who.at(request, Me()))

    def begin_group(request: gr.Request, *values: Any) -> tuple[Any, Any]:
        return _start_group(services, *values, who=Who.at(request, Me()))

    started = start.click(begin, choices, [said, chosen], concurrency_limit=1, api_name="tune")
    grouped = both.click(begin_group, group_choices, [said, chosen], concurrency_limit=1, api_name="tune_group")
    refilled = [data.change(lambda name: _sides(services, name), data, side, **QUIET), *form.refilled]
    priced = [data, side, length, sample, seeds, shuffled, *form.levers]
    pricing: dict[str, Any] = {"fn": lambda *v: _cost(services, *v), "inputs": priced, "outputs": [cost, command], **QUIET}
    gr.on([part.input for part in (side, length, seeds, shuffled, *form.levers)], trigger_mode="always_last", **pricing)
    for event in refilled:
        event.then(**pricing)
    return {
        "data": data,
        "started": [started, grouped],
        "said": said,
        "chosen": chosen,
        "cost": pricing,
    }


def data_choices(services: Services) -> list[tuple[str, str]]:
    """What a model can be tuned on here."""
    names = versions.tunable(services.paths) if services.access.allows("tune") else [BUNDLED]
    return [("Bundled mirrored pairs (192 questions)" if name == BUNDLED else name, name) for name in names]


def _side_choices(sides: Sequence[str], learned: str = "") -> list[tuple[str, str]]:
    names = {"chosen": f"chosen answers ({learned})" if learned else SIDE_WORDS["chosen"]}
    return [({**SIDE_WORDS, **names}.get(side, side), side) for side in (*sides, *((SHUFFLED,) if len(sides) > 1 else ()))]


def _sides(services: Services, name: str | None) -> Any:
    try:
        dataset = versions.load(name or BUNDLED, services.paths)
    except StudioError:
        return gr.skip()
    return gr.update(choices=_side_choices(dataset.sides), value=dataset.sides[0] if dataset.sides else None)


def _recipe(length: str, levers: Sequence[Any]) -> Recipe:
    """The form's recipe, cut to the chosen length."""
    made, steps = expert.recipe(levers), LENGTHS.get(length, 0)
    return replace(made, max_steps=steps, save_every=max(1, min(made.save_every, steps // 4))) if steps else made


def _start(services: Services, data: str, side: str, length: str, sample: str, *levers: Any, who: Who = AT_HOME) -> tuple[Any, Any]:
    try:
        dataset, made = _allowed(services, data, length, levers)
        estimate.refuse(estimate.estimate(made, dataset.pairs(side, made.seed), services.paths))
        _refuse_more(services, who, 1)
        run = runs.create(dataset, side, made, services.paths, sample.strip() or runs.DEFAULT_SAMPLE)
        return _queued(services, [run], who)
    except Exception as error:
        return told(error), gr.skip()


def _start_group(
    services: Services, data: str, length: str, sample: str, name: str, seeds: float, shuffled: bool, *levers: Any, who: Who = AT_HOME
) -> tuple[Any, Any]:
    try:
        dataset, made = _allowed(services, data, length, levers)
        groups.checked(name or "", seeds := whole_number(seeds, SEEDS))
        count = len(groups.sides(dataset, shuffled)) * seeds
        estimate.refuse(estimate.estimate(made, _any_pairs(dataset, made), services.paths, runs=count))
        _refuse_more(services, who, count)
        group = groups.create(dataset, made, services.paths, name or "", seeds, shuffled, sample.strip() or runs.DEFAULT_SAMPLE)
        return _queued(services, list(group.runs), who)
    except Exception as error:
        return told(error), gr.skip()


def _allowed(services: Services, data: str, length: str, levers: Sequence[Any]) -> tuple[Dataset, Recipe]:
    """The button is off in a public demo; whoever calls the function behind it is told the same."""
    services.access.refuse("tune")
    made = _recipe(length, levers)
    if services.public and made.base != Recipe().base:  # a folder of this machine or a model of the Hub: neither is a visitor's to open
        raise OWN_BASE
    return versions.load(data, services.paths), made


def _any_pairs(dataset: Dataset, made: Recipe) -> Any:
    return dataset.pairs(dataset.sides[0], made.seed) if dataset.sides else dataset.pairs("left")


def _refuse_more(services: Services, who: Who, count: int) -> None:
    """Raises StudioError where a visitor would have more than MOST_RUNS runs unfinished; at the studio's own computer there is no limit."""
    if who.home:
        return
    own = [run for run in runs.list_runs(services.paths) if run.state in (*ACTIVE, "queued") and who.made(mark_on(run.folder))]
    if len(own) + count > MOST_RUNS:
        raise StudioError(
            f"{len(own)} of your runs are not finished, and {count} more would be too many: {MOST_RUNS} at a time is the most for one visitor.",
            "Wait until one has ended, or train a single run instead of a group.",
        )


def _queued(services: Services, wanted: list[Run], who: Who) -> tuple[str, str]:
    for run in wanted:
        who.claim(run.folder)
    runs.enqueue(wanted, services.paths)
    waiting = [run for run in wanted if run.state == "queued"]
    failed = next((run for run in wanted if run.state == "failed"), None)
    if failed:
        raise StudioError(failed.message, "Nothing else was changed.")
    if len(waiting) == len(wanted):
        words = "In the queue: it starts when the run before it has ended."
    elif waiting:
        words = f"Started; {len(waiting)} more follow one after another."
    else:
        words = "Started in a process of its own."
    return messages.info(f"{words} You may close this page and come back; nothing is lost."), wanted[0].id


def _cost(
    services: Services, data: str, side: str, length: str, sample: str, seeds: float, shuffled: bool, *levers: Any
) -> tuple[Any, Any]:
    """What the two buttons would cost, and the command for the first."""
    try:
        made = _recipe(length, levers)
        if not services.access.allows("tune") or (services.public and made.base != Recipe().base):
            return "", command_line(data, side, made, sample=sample)
        dataset = versions.load(data, services.paths)
        side = side if side in (*dataset.sides, SHUFFLED) else dataset.sides[0]
        one = estimate.estimate(made, dataset.pairs(side, made.seed), services.paths)
        if one.problems:
            return told(one.problems[0]), ""
        count = len(groups.sides(dataset, shuffled)) * whole_number(seeds, SEEDS, 1, groups.MAX_SEEDS)
        both = estimate.duration(one.seconds * count)
        return messages.note(f"{one.sentence()} Both sides + placebo: {count} runs, about {both}."), command_line(
            data, side, made, sample=sample
        )
    except Exception as error:
        return told(error), ""
