"""Endpoints for programs: typed, documented, and bound by the same limits as the page. `Client.view_api()` lists them.

The page's own events have names too, but take and give what the page shows; these take and give plain values.
"""

from collections.abc import Callable
from statistics import fmean
from typing import Any

import gradio as gr
from gradio.context import get_blocks_context
from gradio.utils import get_function_description

from pipelines.commands.stance import summary
from pipelines.corpus import versions
from pipelines.entries import is_blank, is_torn, shown, whole_number
from pipelines.errors import StudioError
from pipelines.records import AXES, Sampling
from pipelines.stance import measuring as instruments
from pipelines.stance.kept import Kept
from pipelines.tuning import runs
from pipelines.tuning.cost import estimate
from pipelines.tuning.recipe import Recipe
from pipelines.tuning.run import Run
from studio.apivalues import Listed, Placed, Said, Standing, known_columns, text_of, texts_of
from studio.owning import Me, Who
from studio.services import Services
from studio.tabs.comparing import answering
from studio.tabs.comparing.answering import Wish
from studio.tabs.stances import measure
from studio.tabs.tuning import setup, watch
from studio.views.progress import latest, total

COLUMNS = ["base", "left", "right", "placebo"]
MOST_TEXTS, LONGEST_TEXT = 500, 8000
TOPIC_AND_WORDING = "topic and wording, not stance: a gate of the ruler's validity is missed"


def build(services: Services) -> None:
    """Adds the endpoints to the page that is being laid out."""
    for work, options in (
        (_list_columns(services), {"concurrency_limit": None}),
        (_compare_columns(services), {"concurrency_limit": None}),  # who waits for the model stands in its own line
        (_tune_adapter(services), {"concurrency_limit": 1}),
        (_run_status(services), {"concurrency_limit": None}),
        (_score_texts(services), {"concurrency_limit": 1}),
        (_measure_columns(services), {"concurrency_limit": None}),
    ):
        _document(gr.api(work, **options), work)


def _list_columns(services: Services) -> Callable[..., Any]:
    def list_columns() -> list[Listed]:
        """The columns that can be asked and measured now: the base, bundled adapters, runs and their steps.

        Returns:
            columns: strengths and blends are written behind a key, such as left*0.5 or left*0.5+right*0.5
        """
        return [{"key": key, "name": name} for name, key in services.catalog().choices()]

    return list_columns


def _compare_columns(services: Services) -> Callable[..., Any]:
    def compare_columns(
        request: gr.Request, question: str, columns: list[str] = COLUMNS, strength: float = 1.0, max_tokens: int = 72,
        seed: int = 1, temperature: float = 0.3, top_p: float = 0.9, system: str = "",
    ) -> list[Said]:  # fmt: skip
        """Asks several columns one question. They answer together, with the same random numbers; equal requests give equal words.

        Args:
            question: at most 600 characters
            columns: keys of list_columns, at most six
            strength: of columns without one of their own: 0 is the base, 1 the adapter as trained; -2 to 2
            max_tokens: the longest answer, 1 to 512; four tokens make about three words
            seed: a whole number from 0
            temperature: 0 to 2; 0 always takes the likeliest word
            top_p: 0.01 to 1; only the likeliest words that together reach this probability are drawn from
            system: a system prompt; empty for the template's own one, as in training

        Returns:
            answers: one a column, the base first; the stamp names base, adapter, strength, seed and settings
        """
        wish = Wish(text_of(question, "The question"), texts_of(columns, "The columns"), strength, Sampling(temperature, top_p, max_tokens, seed),
                    text_of(system, "The system prompt"))  # fmt: skip
        parts = None
        for parts in answering._respond(services, wish, request.session_hash or "", request):
            pass
        if parts is None or parts.talk is None:
            raise StudioError(answering.NOT_ASKED, "Ask again.")
        return [answer.as_dict() for answer in parts.talk.last.answers]  # type: ignore[misc]

    return compare_columns


def _tune_adapter(services: Services) -> Callable[..., Any]:
    def tune_adapter(
        request: gr.Request, side: str = "left", data: str = "bundled", steps: int = 0, settings: dict[str, Any] | None = None,
        sample: str = runs.DEFAULT_SAMPLE,
    ) -> str:  # fmt: skip
        """Starts a training run in a process of its own, or puts it in the queue. A public demo refuses it.

        Args:
            side: left, right, neutral or shuffled; chosen or rejected for preference pairs
            data: bundled, or the name of a saved version
            steps: ends after this many; 0 leaves it to the recipe
            settings: settings of the recipe by name, such as {"learning_rate": 0.001, "method": "dpo"}; docs/own-model.md lists them
            sample: a question that is asked again while the model learns

        Returns:
            run: its id, for run_status and, once it has ended, as the column run:ID
        """
        services.access.refuse("tune")
        made = _recipe(steps, settings)
        if services.public and made.base != Recipe().base:
            raise setup.OWN_BASE
        dataset, side = versions.load(text_of(data, "The data"), services.paths), text_of(side, "The side")
        who = Who.at(request, Me())
        estimate.refuse(estimate.estimate(made, dataset.pairs(side, made.seed), services.paths))
        setup._refuse_more(services, who, 1)
        run = runs.create(dataset, side, made, services.paths, text_of(sample, "The sample question").strip() or runs.DEFAULT_SAMPLE)
        return setup._queued(services, [run], who)[1]

    return tune_adapter


def _recipe(steps: Any, settings: Any) -> Recipe:
    """The default recipe with those settings. Raises StudioError for one that is not there or out of range."""
    if settings is not None and not (isinstance(settings, dict) and all(isinstance(name, str) for name in settings)):
        raise StudioError(f"The settings are {shown(settings)}.", 'Give them by name, such as {"learning_rate": 0.001}.')
    wanted = whole_number(steps, "The number of steps", 0, 100_000)
    return Recipe.from_dict({**(settings or {}), **({"max_steps": wanted} if wanted else {})})


def _run_status(services: Services) -> Callable[..., Any]:
    def run_status(run: str) -> Standing:
        """Where a run stands, and its figures once it has ended.

        Args:
            run: what tune_adapter gave, or bundled:left, bundled:right, bundled:placebo

        Returns:
            status: `step` of `steps` are done; metrics are empty until the end
        """
        name = text_of(run, "The run")
        if not name.startswith(watch.BUNDLED):
            services.access.refuse("tune")
            runs.advance(services.paths)
        found = watch.find(services, name)
        if found is None:
            raise watch.GONE
        return _standing(found, name)

    return run_status


def _standing(run: Run, name: str) -> Standing:
    progress, job = run.progress(), run.job
    steps = latest(progress, "step")
    return {
        "run": name, "state": run.state, "message": run.message, "side": str(job["side"]), "data": str(job["data"]["name"]),
        "step": int(steps[-1]["step"]) if steps else 0, "steps": total(progress, 0), "metrics": run.metrics,
    }  # fmt: skip


def _score_texts(services: Services) -> Callable[..., Any]:
    def score_texts(request: gr.Request, texts: list[str]) -> Placed:
        """Places texts on the two axes with the ruler. It reads topic and wording: see docs/method.md before you quote a score.

        Args:
            texts: at most 500, each of at most 8,000 characters

        Returns:
            placed: scores in the order of the texts, negative left or progressive; their mean by axis, over n texts
        """
        services.access.refuse("measure")
        wanted = texts_of(texts, "The texts")
        if not wanted or len(wanted) > MOST_TEXTS:
            raise StudioError(f"{len(wanted)} texts were given.", f"Give 1 to {MOST_TEXTS}.")
        if any(is_blank(one) or is_torn(one) or len(one) > LONGEST_TEXT for one in wanted):
            raise StudioError("A text is empty, too long or holds half a character.", f"Each has 1 to {LONGEST_TEXT:,} characters.")
        services.access.take_step(request)
        scores = services.ruler.score(wanted)
        mean = {axis: fmean(one[axis] for one in scores) for axis in AXES}
        return {"n": len(scores), "scores": scores, "mean": mean, "reads": _reads(services)}

    return score_texts


def _reads(services: Services) -> str:
    return "stance" if services.ruler.validity.measures_stance else TOPIC_AND_WORDING


def _measure_columns(services: Services) -> Callable[..., Any]:
    def measure_columns(request: gr.Request, columns: list[str] = COLUMNS, profile: str = "quick") -> dict[str, Any]:
        """Measures columns with every instrument: shifts from the base with n, 95% intervals and p, and what else changed.

        Args:
            columns: keys of list_columns, the base among them
            profile: quick (about a minute on two cores), full or robust; a public studio offers quick

        Returns:
            figures: verdicts against the placebo, shifts, contrasts, validity, gates, red lines; the same as `stance run --json` prints
        """
        plan, _ = measure.Wish(known_columns(services, columns), text_of(profile, "The profile"), None, None, False).plan(services)
        kept, session = Kept(None if services.public else services.paths.measured), request.session_hash or ""
        stop = services.new_stop(f"study-{session}")
        try:
            with services.measuring.join(session, sum(plan.seconds.values())) as ticket:
                for _ in ticket.waiting(stop):
                    pass
                return summary(instruments.run(plan, services.host, services.ruler, stop=stop, kept=kept))
        finally:
            stop.set()

    return measure_columns


def _document(endpoint: Any, work: Callable[..., Any]) -> None:
    """Gives every parameter and result of an endpoint its name and the words of the docstring, which Gradio leaves out."""
    page = get_blocks_context()
    assert page is not None
    _, words, results = get_function_description(work)
    names = [name for name in words if name != "request"]
    for block_id, name in zip(endpoint["inputs"], names, strict=True):
        part: Any = page.blocks[block_id]
        part.label, part._api_info = name, {**part._api_info, "additional_description": words[name]}
    for block_id, line in zip(endpoint["outputs"], results, strict=True):
        name, _, told = line.partition(": ")
        part = page.blocks[block_id]
        part.label, part._api_info = name, {**part._api_info, "description": told}
