"""A run as people follow it: where it stands, how long it still takes, what went wrong, and how its sample answers change."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from typing import Any

from pipelines.corpus.diff import words
from pipelines.errors import StudioError
from pipelines.tuning.recorded import Recording
from pipelines.tuning.runs import ACTIVE, USABLE, Run
from pipelines.tuning.shelf import reading
from studio.views import messages
from studio.views.progress import ALARMS, FIRED, HOW, SIDES, Lines, latest, number, phases, shifted, total
from studio.views.runs import identical, said, short, side, standing

STATES = {
    "waiting": "Waiting to be started",
    "queued": "In the queue",
    "starting": "Starting",
    "training": "Training",
    "finished": "Finished",
    "stopped": "Stopped early",
    "failed": "Failed",
    "interrupted": "Interrupted",
}
SHOWN, NEWEST = 6, 4
REPLAYED = "Recorded, replayed"


def status(run: Run, progress: Lines, place: int | None = None, wait: float | None = None) -> str:
    """Where a run stands, with the remaining time; `place` is its place in the queue, from 1, and `wait` the seconds until its turn."""
    state = run.state
    if state == "failed":
        what = run.message or "It left no message; the end of trainer.log in its folder says more."
        return messages.error(
            StudioError("The run failed.", f"{what} Mend that, then go on with this run or start a new one (run {run.id}).")
        )
    if state in USABLE:
        return messages.good(_ended(run))
    if state == "interrupted":
        return messages.info(_interrupted(progress))
    if state == "queued":
        where = "" if place is None else " and is next" if place == 1 else f", place {place}"
        soon = "" if wait is None else f" About {messages.duration(wait)} until then."
        return messages.info(
            f"{STATES[state]}{where}. It starts by itself when the run before it has ended; you may close this page.{soon}"
        )
    if state in ACTIVE:
        return _running(progress)
    return messages.info(f"{STATES.get(state, state)}.")


def replayed(made: Recording, step: int) -> str:
    """Where a recording that is replayed stands, marked as one: a bar with the step, the loss and how long training had taken then."""
    steps = latest(made.upto(step), "step")
    last, parts = made.steps[-1], [f"{REPLAYED} · " + (f"step {step} of {made.steps[-1]}" if step else "before training")]
    loss, seconds = number(steps[-1].get("loss")) if steps else None, made.seconds_upto(step)
    parts += [f"loss {loss:.2f}"] if loss is not None else []
    parts += [f"{messages.duration(seconds)} after its start"] if seconds is not None else []
    return f'<div class="ps-replayed">{messages.bar(step / last, " · ".join(parts))}</div>'


def recorded(made: Recording, shipped: bool, seconds: float) -> str:
    """What a recording is, how long its replay takes in seconds, and what it did not note; `shipped` with the studio, or made here."""
    took = number(reading.metrics(made.run).get("seconds"))
    day = str(made.run.job.get("created", ""))[:10]
    trained = f"It was trained{' before the studio was shipped' if shipped else ' in this studio'}{f', on {day}' if day else ''}"
    trained += f", in {messages.duration(took)}" if took is not None else ""
    lacks = f" It did not note {' or '.join(made.missing)}." if made.missing else ""
    told = f"{trained}; “Play” shows it again in about {messages.duration(seconds)}. Nothing is trained by that.{lacks}"
    return f'<p class="ps-recorded"><span class="ps-tag">Recorded run</span> {escape(told)}</p>'


def _running(progress: Lines) -> str:
    steps = latest(progress, "step")
    if not steps:
        stages = [str(line.get("text", "")) for line in progress if line.get("event") == "stage"]
        return messages.bar(0.02, f"Starting · {stages[-1] if stages else 'loading the libraries and the model (about 15 seconds)'}")
    last, of = steps[-1], total(progress)
    loss, left = number(last.get("loss")), number(last.get("remaining"))
    parts = ["Training", f"step {last['step']} of {of}", *_part(progress, last["step"])]
    parts.append("loss is not a number" if loss is None else f"loss {loss:.2f}")
    if left is not None:
        parts.append(f"about {messages.duration(left)} left")
    return messages.bar(last["step"] / max(1, of), " · ".join(parts))


def _part(progress: Lines, step: int) -> list[str]:
    """Which part of a run of several parts a step belongs to, in words."""
    parts = phases(progress)
    now = next((n for n, (_, _, end) in enumerate(parts) if step <= end), len(parts) - 1)
    return [f"part {now + 1} of {len(parts)}: {parts[now][0]}"] if len(parts) > 1 else []


def _ended(run: Run) -> str:
    """How a run ended that left an adapter. Older runs note fewer figures."""
    facts = reading.metrics(run)
    steps, rows, seconds = facts.get("steps"), facts.get("rows"), number(facts.get("seconds"))
    text = STATES[run.state]
    text += f": {steps} steps" if steps is not None else ""
    text += f" on {said(rows)} rows" if rows is not None else ""
    text += f" in {messages.duration(seconds)}" if seconds is not None else ""
    text += "."
    if facts.get("rows_too_long"):
        text += f" {said(facts['rows_too_long'])} rows were too long and left out."
    kept = facts.get("kept_step")
    if kept is not None and kept != steps:
        kinds = dict.fromkeys(FIRED.get(str(event.get("kind")), "an alarm") for event in facts.get("guard") or [])
        why = f" The guard fired ({', '.join(kinds)}): the" if kinds else " The"
        return text + f"{why} adapter of step {kept} was kept."
    said_so = run.message or ("What was learned until then is kept." if run.state == "stopped" else "")
    return f"{text} {said_so}".rstrip()


def _interrupted(progress: Lines) -> str:
    steps, kept = (latest(progress, event) for event in ("step", "checkpoint"))
    at = f" after step {steps[-1]['step']} of {total(progress)}" if steps else ""
    onward = f"continue from step {kept[-1]['step']}" if kept else "start it again"
    return f"{STATES['interrupted']}{at}: the training process is gone. Press “Go on” to {onward}."


def alarms(progress: Lines) -> str:
    """What the guard saw, one note a kind, with what to do; nothing where it saw nothing."""
    fired: dict[str, list[dict[str, Any]]] = {}
    for line in latest(progress, "guard"):
        fired.setdefault(str(line.get("kind", "")), []).append(line)
    notes = [_alarm(kind, lines) for kind, lines in fired.items()]
    steps = latest(progress, "step")
    if steps and number(steps[-1].get("loss")) is None:
        what = f"Step {steps[-1]['step']}: the loss is no number any more."
        notes.append(_amber(what, "The adapter is broken from here on. Stop the run and start again with a lower learning rate."))
    return "".join(notes)


def _alarm(kind: str, lines: Lines) -> str:
    title, cure = ALARMS.get(kind, ("The guard fired.", "Compare an earlier checkpoint, or train again with a lower learning rate."))
    first, last = lines[0]["step"], lines[-1]["step"]
    when = f"Step {first}" if first == last else f"Steps {first} to {last}"
    return _amber(f"{when}: {lines[-1].get('text') or title}", cure)


def _amber(what: str, cure: str) -> str:
    return f'<div class="ps-alarm" role="status"><b>{escape(what)}</b><br>What to do: {escape(cure)}</div>'


def timeline(run: Run, progress: Lines) -> str:
    """Each sample question with its answers over time, newest last; the first question is open, the others fold."""
    found = _answers(run, progress)
    if not found:
        return messages.note("Answers to the sample questions appear here before the first step, and again while the model learns.")
    first, *others = found.items()
    note = messages.note("Greedy answers of the model as it is then. Underlined: words that the answer before did not have.")
    folded = "".join(
        f'<details class="ps-asked"><summary>{escape(question)}</summary>{_line(answers)}</details>' for question, answers in others
    )
    if len(others) > SHOWN:
        folded = f'<details class="ps-asked"><summary>{len(others)} fixed questions, the same in every run</summary>{folded}</details>'
    return f'<div class="ps-question">{escape(first[0])}</div>{_line(first[1])}{note}{folded}'


def _answers(run: Run, progress: Lines) -> dict[str, list[tuple[int, str]]]:
    """(step, answer) by question. Older runs asked one question only, and noted it in job.json."""
    found: dict[str, dict[int, str]] = {}
    for line in latest(progress, "sample"):
        found.setdefault(str(run.job.get("sample_question", "")), {})[line["step"]] = str(line.get("text", ""))
    for line in latest(progress, "probe"):
        for one in line.get("answers") or []:
            found.setdefault(str(one.get("question", "")), {})[line["step"]] = str(one.get("text", ""))
    return {question: sorted(answers.items()) for question, answers in found.items()}


def _line(answers: Sequence[tuple[int, str]]) -> str:
    """Answers below each other; the middle of a long line folds, so that the first and the newest stay in sight."""
    texts = [text for _, text in answers]
    items = [
        f"<div><b>{_when(step)}</b><br>{_changed(texts[n - 1], text) if n else _said(escape(text))}</div>"
        for n, (step, text) in enumerate(answers)
    ]
    if len(items) > SHOWN:
        middle = items[1:-NEWEST]
        items[1:-NEWEST] = [f'<details class="ps-between"><summary>{len(middle)} answers in between</summary>{"".join(middle)}</details>']
    return f'<div class="ps-timeline">{"".join(items)}</div>'


def _when(step: int) -> str:
    return f"step {step}" if step else "before training"


def _changed(before: str, text: str) -> str:
    """An answer with the words underlined that the answer before did not have."""
    if text == before:
        return f'{_said(escape(text))} <span class="ps-soft">(the same words)</span>'
    spans = (one for one in words(before, text) if one.where != "first")
    return _said("".join(_marked(one.text) if one.where == "second" else escape(one.text) for one in spans))


def _said(html: str) -> str:
    """Words of a model, which are English in every language of the page."""
    return f'<span lang="en">{html}</span>' if html else "(no words)"


def _marked(text: str) -> str:
    """New words underlined, without the space around them."""
    core = text.strip()
    start = text.index(core)
    end = start + len(core)
    return text[:start] + (f'<span class="ps-new">{escape(core)}</span>' if core else "") + text[end:]


def facts(run: Run) -> str:
    """What the run is made of, in one sentence."""
    job = run.job
    recipe, data = job.get("recipe", {}), job.get("data", {})
    aim, method = str(job.get("side", "")), str(recipe.get("method", ""))
    layers = f"the last {recipe['top_layers']} layers" if recipe.get("top_layers") else "all layers"
    return messages.note(
        f"Learns {SIDES.get(aim, aim)} of {said(data.get('rows', 0))} rows of “{data.get('name', '')}” (content {short(data.get('hash'))}) "
        f"{HOW.get(method, method)}; the adapter sits in {layers} of {recipe.get('base') or job.get('base', '')}, "
        f"rank {said(recipe.get('lora_rank', '–'))}; learning rate {said(recipe.get('learning_rate', '–'))}; run {run.id}."
    )


def group(found: Sequence[Run]) -> str:
    """The runs of one group, a row each, below the proof that nothing but the data differs between them."""
    if not found:
        return ""
    seeds = len({run.job["recipe"].get("seed") for run in found}) > 1
    body = "".join(_member(run, seeds) for run in found)
    head = "".join(f'<th class="{kind}">{name}</th>' for name, kind in (("Side", ""), ("State", ""), ("Loss", "num"), ("Shift", "")))
    table = f'<div class="ps-scroll"><table class="ps-table ps-group"><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>'
    return identical(found) + table


def _member(run: Run, seeds: bool) -> str:
    job, progress = run.job, run.progress()
    name = side(str(job.get("side", ""))) + (f" · seed {job['recipe'].get('seed')}" if seeds else "")
    share, state, loss = standing(run, progress)
    probes = [line["shift"] for line in latest(progress, "probe") if line.get("shift")]
    shift = reading.metrics(run).get("shift") or (probes[-1] if probes else None)
    bar = f'<div class="ps-mini" aria-hidden="true"><span style="width:{100 * share:.0f}%"></span></div>'
    cells = f"<td>{escape(name)}</td><td>{escape(state)}{bar}</td>"
    return f'<tr>{cells}<td class="num">{"–" if loss is None else f"{loss:.2f}"}</td><td>{shifted(shift).replace(", ", "<br>")}</td></tr>'
