"""Runs for people: the list to pick from, what differs between two, and everything that one was made of."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import fields
from html import escape
from typing import Any

from pipelines.tuning.recipe import Recipe
from pipelines.tuning.runs import USABLE, Run
from pipelines.tuning.shelf import history, reading
from pipelines.tuning.shelf.about import about, shown_title
from studio.views import messages
from studio.views.progress import METHODS, Lines, latest, number, shifted, total

HEAD = (("Run", ""), ("State", ""), ("Side", ""), ("Data", ""), ("Method", ""), ("Steps", "num"), ("Loss", "num"), ("Shift", ""), ("Made (UTC)", ""))  # fmt: skip
NOTE, OTHER = 90, "Other"


def empty() -> str:
    """What to do where there is no run yet."""
    return messages.info(
        "No run yet. Choose data and a side, then press “Start tuning”: the run appears here and stays when the page is closed."
    )


def table(found: Sequence[Run], picked: Collection[str] = ()) -> str:
    """All runs, a row each, in the order given; a row can be pressed (the run's id is in `data-pick`), and those in `picked` are marked."""
    if not found:
        return empty()
    head = "".join(f'<th scope="col" class="{kind}">{name}</th>' for name, kind in HEAD)
    body = "".join(_row(run, run.id in picked) for run in found)
    return f'<div class="ps-rows-box"><table class="ps-table ps-rows ps-runs"><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>'


def _row(run: Run, picked: bool) -> str:
    job, facts = run.job, reading.metrics(run)
    data, recipe = job.get("data", {}), job.get("recipe", {})
    _, state, loss = standing(run, run.progress() if run.state not in USABLE else ())
    method = str(recipe.get("method", ""))
    cells = [
        f"<b>{escape(shown_title(run))}</b>{_about(run)}",
        f'<span class="ps-state">{escape(state)}</span>',
        escape(side(str(job.get("side", "")))),
        f'{escape(str(data.get("name", "")))}<br><span class="ps-soft">{escape(said(data.get("rows", "–")))} rows</span>',
        escape(METHODS.get(method, method)),
        escape(said(facts.get("steps", "–"))),
        "–" if loss is None else f"{loss:.2f}",
        shifted(facts.get("shift")).replace(", ", "<br>"),
        escape(str(job.get("created", ""))[:16].replace("T", " ")),
    ]
    kinds = (f' class="{kind}"' if kind else "" for _, kind in HEAD)
    row = "".join(f"<td{kind}>{cell}</td>" for kind, cell in zip(kinds, cells, strict=True))
    return f'<tr tabindex="0" data-pick="{escape(run.id)}" aria-selected="{"true" if picked else "false"}">{row}</tr>'


def _about(run: Run) -> str:
    """Tags and the beginning of the note that people gave the run."""
    written = about(run)
    note = written.note if len(written.note) <= NOTE else written.note[: NOTE - 1] + "…"
    tags = "".join(f'<span class="ps-tag">{escape(tag)}</span>' for tag in written.tags)
    return (f"<br>{tags}" if tags else "") + (f'<br><span class="ps-soft">{escape(note)}</span>' if note else "")


def standing(run: Run, progress: Lines) -> tuple[float, str, float | None]:
    """Share of the steps done (0..1), the state with the step in a few words, and the last loss."""
    steps = latest(progress, "step")
    done, of = (steps[-1]["step"] if steps else 0), total(progress, 0)
    loss = number(reading.metrics(run).get("last_loss"))
    if loss is None and steps:
        loss = number(steps[-1].get("loss"))
    if run.state in USABLE:
        return 1.0, run.state, loss
    return done / max(1, of), run.state + (f", {done} of {of}" if done else ""), loss


def side(name: str) -> str:
    """A side as people read it."""
    return f"{name} (placebo)" if name in ("neutral", "shuffled") else name


def short(value: Any, digits: int = 8) -> str:
    """The first digits of a content hash, or a dash."""
    return str(value)[:digits] if value else "–"


def identical(found: Sequence[Run]) -> str:
    """Whether the settings are the same, and by what data the runs differ; equal hashes prove it."""
    jobs = [run.job for run in found]
    if len(jobs) < 2:
        return ""
    if not all(job.get("settings_hash") for job in jobs):
        return messages.note("Whether these runs have the same settings can't be proven: at least one was made before that was noted.")
    if len({job["settings_hash"] for job in jobs}) > 1:
        listed = _by_side(jobs, "settings_hash")
        return (
            f'<div class="ps-alarm ps-alarm-red" role="alert"><b>These runs do not have the same settings ({escape(listed)}).</b> '
            "A difference between them does not show what the data did. <b>What to do:</b> train them again together, as one group.</div>"
        )
    seeds = sorted({str(job["recipe"].get("seed")) for job in jobs})
    proof = f"settings hash {short(jobs[0]['settings_hash'])} in each" + (f", seeds {', '.join(seeds)}" if len(seeds) > 1 else "")
    return messages.note(f"Settings are identical in all {len(jobs)} runs ({proof}); {_rows(jobs)}.{_questions(jobs)}")


def _by_side(jobs: Sequence[dict[str, Any]], name: str) -> str:
    """A hash of each side, of 8 digits; older runs have the data set's instead of their rows'."""
    hashes = ((side(str(job.get("side", ""))), short(job.get(name) or job.get("data", {}).get("hash"))) for job in jobs)
    return ", ".join(dict.fromkeys(f"{name} {value}" for name, value in hashes))


def _rows(jobs: Sequence[dict[str, Any]]) -> str:
    """By what rows the runs differ. Runs that note their data set only differ by the side that they take from it."""
    sets = {job.get("data", {}).get("hash") for job in jobs}
    if len(sets) == 1 and not all(job.get("rows_hash") for job in jobs):
        return f"from one data set ({short(sets.pop())}) each learns another side"
    return f"only the data differs: {_by_side(jobs, 'rows_hash')}"


def _questions(jobs: Sequence[dict[str, Any]]) -> str:
    """Whether the runs learn from the same questions, where they all say so."""
    hashes = {job.get("prompts_hash") for job in jobs}
    if None in hashes:
        return ""
    if len(hashes) > 1:
        return " Their questions differ too, so a shift may come from topics as well as from sides."
    return f" The questions are the same ({short(jobs[0]['prompts_hash'])})."


def differences(first: Run, second: Run) -> str:
    """The settings and the data that differ between two runs, and nothing else."""
    found = history.differences(first, second)
    if not found:
        return messages.note("Nothing differs but the time.")
    head = ["Setting", *(shown_title(run) for run in (first, second))]
    digits = {one.name: 12 if one.name.endswith("hash") else None for one in found}
    return messages.table(head, [[one.label, one.first[: digits[one.name]], one.second[: digits[one.name]]] for one in found])


def said(value: Any) -> str:
    """A setting's value as people write it."""
    if isinstance(value, bool):
        return "on" if value else "off"
    if isinstance(value, list | tuple):
        return ", ".join(map(str, value)) or "every linear layer"
    return f"{value:,}" if isinstance(value, int) else f"{value:g}" if isinstance(value, float) else str(value)


def details(run: Run) -> str:
    """Every setting by its group with its hint as a title, then versions, hashes and the checkpoints that are kept."""
    job, facts = run.job, reading.metrics(run)
    groups = _groups({"base": job.get("base", ""), **job.get("recipe", {})})
    hashes = {
        "Data set": job.get("data", {}).get("hash"),
        "Rows": job.get("rows_hash"),
        "Questions": job.get("prompts_hash"),
        "Recipe": job.get("recipe_hash"),
        "Settings without seed": job.get("settings_hash"),
        "Base weights": facts.get("base_fingerprint"),
        "Prompt template": facts.get("template_hash"),
        "Adapter weights": facts.get("adapter_fingerprint"),
    }
    blocks = [_block(name, lines) for name, lines in groups.items()]
    blocks.append(_block("Versions", [(name, str(value), "") for name, value in job.get("versions", {}).items()]))
    blocks.append(_block("Hashes", [(name, short(value, 12), str(value)) for name, value in hashes.items() if value]))
    blocks.append(_block("Kept", _kept(run)))
    return f'<div class="ps-levers">{"".join(blocks)}</div>'


def _groups(recipe: Mapping[str, Any]) -> dict[str, list[tuple[str, str, str]]]:
    """(label, value, hint) of every setting by the recipe's groups; settings that it no longer knows come last."""
    found: dict[str, list[tuple[str, str, str]]] = {}
    for lever in fields(Recipe):
        if lever.name in recipe:
            line = (lever.metadata["label"], said(recipe[lever.name]), lever.metadata["hint"])
            found.setdefault(lever.metadata["group"], []).append(line)
    known = {lever.name for lever in fields(Recipe)}
    others = [(name, said(value), "") for name, value in recipe.items() if name not in known]
    return {**found, OTHER: others} if others else found


def _kept(run: Run) -> list[tuple[str, str, str]]:
    """The checkpoints in the run's folder, and the step whose adapter counts as its result."""
    steps = [one.step for one in history.checkpoints(run)]
    result = reading.metrics(run).get("kept_step", reading.metrics(run).get("steps"))
    lines = [("Checkpoints", ", ".join(f"step {step}" for step in steps) or "none", "Each can be looked at in Compare.")]
    return [*lines, ("Result", f"step {result}", "The step whose adapter the run kept.")] if result is not None else lines


def _block(name: str, lines: Sequence[tuple[str, str, str]]) -> str:
    hinted = [(f' title="{escape(hint)}"' if hint else "", label, value) for label, value, hint in lines]
    body = "".join(f"<dt{title}>{escape(label)}</dt><dd>{escape(value)}</dd>" for title, label, value in hinted)
    return f"<section><h3>{escape(name)}</h3><dl>{body}</dl></section>" if lines else ""
