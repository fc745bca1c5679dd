"""The state of the studio as lights: a shape, a word and a sentence each, for somebody who has no time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from html import escape
from typing import Any, Literal

from pipelines.incidents import Incident
from studio.views import messages

Colour = Literal["green", "amber", "red", "grey"]
WORDS = {"green": "fine", "amber": "look at it", "red": "mend it", "grey": "getting ready"}
GB = 1e9
LITTLE_MEMORY, NO_MEMORY = 1.5 * GB, 0.4 * GB
LITTLE_DISK, NO_DISK = 2 * GB, 0.5 * GB
LONG_WAIT = 60.0
SHOWN = 8
WHERE = "What stands under a code is in the file studio.log, in the folder “log” of the studio's own folder."
MEND = (
    "Close the studio, then run in a terminal: python -m pipelines doctor --repair. It mends what can be mended, and puts aside what can't."
)


@dataclass(frozen=True)
class Light:
    """One thing that is looked at; `key` names it for tests and style."""

    key: str
    state: Colour
    title: str
    sentence: str


def lights(shown: Sequence[Light]) -> str:
    """The state is said in a word as well as by colour and shape."""
    return "".join(
        f'<div class="ps-light ps-{one.state}" data-light="{escape(one.key)}"><span class="ps-lamp" aria-hidden="true"></span>'
        f'<div class="ps-light-words"><b>{escape(one.title)}</b> <span class="ps-state">{WORDS[one.state]}</span><br>'
        f"{escape(one.sentence)}</div></div>"
        for one in shown
    )


def model(title: str, is_loaded: bool, preparing: tuple[float, str], usual: float | None, used: int, free: int) -> Light:
    """`preparing` is how far it is and in what words; `usual` are the seconds that an answer took lately, None where none was asked."""
    share, words = preparing
    if not is_loaded and share == 0 and words:
        return Light("model", "red", "Model", f"{words} Nothing can be asked until then.")
    if not is_loaded:
        return Light("model", "grey", "Model", f"{title} is not in memory yet: {words.lower() or 'it is loaded with the first question'}.")
    took = f" An answer takes about {messages.duration(max(1.0, usual))} lately." if usual else ""
    state: Colour = "red" if free < NO_MEMORY else "amber" if free < LITTLE_MEMORY else "green"
    short = " That is little: close other programs." if state != "green" else ""
    room = f" The studio uses {size(used)} of memory; {size(free)} are free on this machine.{short}"
    return Light("model", state, "Model", f"{title} is loaded and answers.{took}{room}")


def queue(busy: bool, waiting: int, seconds: float, works: Sequence[str] = ()) -> Light:
    """Who is being answered and how many wait; `works` are sentences about longer work that goes on."""
    if waiting:
        who = f"1 question is being answered, {_counted(waiting, 'waits', 'wait')}: about {messages.duration(max(1.0, seconds))} for the next one."
    else:
        who = "1 question is being answered, nobody waits." if busy else "Nobody waits; the model is free."
    return Light("queue", "amber" if waiting and seconds > LONG_WAIT else "green", "Queue", " ".join([who, *works]))


def runs(training: str, queued: int, broken: Sequence[str], total: int) -> Light:
    """`training` is the title of the run that trains here, "" for none; `broken` are those that failed or were cut off within a day."""
    now = f"“{training}” is training" if training else "Nothing is training"
    line = (
        f"; {_counted(queued, 'waits', 'wait')} for it."
        if queued and training
        else f"; {_counted(queued, 'waits', 'wait')}."
        if queued
        else "."
    )
    kept = f" {total} in all." if total else ""
    if not broken:
        return Light("runs", "green", "Training", now + line + kept)
    names = ", ".join(f"“{name}”" for name in broken[:2]) + (f" and {len(broken) - 2} more" if len(broken) > 2 else "")
    hint = "Under Tune, “Watch” says why; what was learned until then is kept and can be gone on with."
    return Light("runs", "amber", "Training", f"{now}{line}{kept} Ended before its time: {names}. {hint}")


def disk(free: int, used: int) -> Light:
    """Bytes that are free where the studio keeps its things, and bytes that it uses."""
    said = f"{size(free)} are free; the studio's own things take {size(used)}."
    if free < NO_DISK:
        return Light("disk", "red", "Disk", f"{said} Make room now: a run or a result may not be kept any more.")
    if free < LITTLE_DISK:
        return Light("disk", "amber", "Disk", f"{said} Make room before long: old runs can be deleted under Tune, “Runs”.")
    return Light("disk", "green", "Disk", said)


def errors(found: Sequence[Incident], lately: int) -> Light:
    """`lately` is how many of them came within the last hour."""
    if not found:
        return Light("errors", "green", "Errors", "Nothing went wrong since the studio was opened.")
    last = found[0]
    said = f"Last at {last.when[11:16]}: {last.during or 'something'} (code {last.code})."
    return Light("errors", "amber" if lately else "green", "Errors", said if lately else f"None within the last hour. {said}")


def about(version: str, seconds: float) -> str:
    """Version and how long it has been open, in minutes, so that it changes seldom."""
    minutes = int(seconds // 60)
    been = "for less than a minute" if minutes < 1 else f"for {messages.duration(minutes * 60).removesuffix(' 0 s').removesuffix(' 0 min')}"
    return messages.note(f"PoliTune Studio{f' {version}' if version else ''}, open {been}.")


def latest(found: Sequence[Incident]) -> str:
    """The latest errors, newest first: never their words, in which somebody's question may stand."""
    if not found:
        return ""
    rows = [[one.code, _when(one.when), one.during or "unexpected", one.what.split(":")[0], str(one.times)] for one in found[:SHOWN]]
    return messages.table(["Code", "When", "What", "Kind", "Times"], rows, (4,)) + messages.note(WHERE)


def rooms(sizes: Mapping[str, int]) -> str:
    """Where the disk goes, the largest first."""
    rows = [[name, size(taken)] for name, taken in sorted(sizes.items(), key=lambda one: -one[1]) if taken]
    return messages.table(["What the studio keeps", "Room"], rows, (1,)) if rows else ""


def health(rows: Sequence[Mapping[str, Any]]) -> str:
    """What an examination found: what needs a hand first, and the rest folded away."""
    bad, good = [row for row in rows if not row["ok"]], [row for row in rows if row["ok"]]
    looked, fine = f"Looked through at {datetime.now():%H:%M}", f"{_counted(len(good), 'thing is', 'things are')} fine"
    if bad:
        top = lights([Light(f"found-{n}", "red", _upper(row["what"]), _found(row)) for n, row in enumerate(bad)])
        said = messages.info(f"{looked}: {_counted(len(bad), 'thing needs', 'things need')} a look, {fine}. {MEND}") + top
    else:
        said = messages.good(f"{looked}: {fine}.")
    listed = "".join(f"<li><b>{escape(str(row['what']))}</b>: {escape(str(row['found']))}</li>" for row in good)
    return f'{said}<details class="ps-asked ps-note"><summary>What is fine</summary><ul>{listed}</ul></details>' if good else said


def _when(written: str) -> str:
    """A time of today without the date."""
    return written[11:] if written[:10] == f"{datetime.now():%Y-%m-%d}" else written[:16]


def _found(row: Mapping[str, Any]) -> str:
    """What is wrong with a thing, and what a repair would do about it."""
    repair = f" A repair {str(row['repair']).removesuffix('.')}." if row.get("repair") else ""
    return f"{_upper(row['found']).removesuffix('.')}.{repair}"


def _upper(text: Any) -> str:
    """A sentence begins with a capital, unless it begins with the name of a file."""
    said = str(text)
    is_file = any(sign in said.partition(" ")[0] for sign in "./_")
    return said if is_file else said[:1].upper() + said[1:]


def size(count: float) -> str:
    """Bytes in words: "60 MB", "1.9 GB"."""
    return f"{count / GB:.1f} GB" if count >= 0.9995 * GB else f"{max(1, round(count / 1e6))} MB"


def _counted(count: int, one: str, many: str) -> str:
    return f"{count} {one if count == 1 else many}"
