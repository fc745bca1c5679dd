"""What three selections of the same pairs did, in words and in a table with the numbers of the plot."""

from __future__ import annotations

from html import escape

from pipelines.records import AXES
from pipelines.stance.changed import PLACEBO, Changed, Estimate
from studio.views import messages

AXIS_NAMES = {"economic": "Economy", "social": "Society"}
LEAD = (
    "Nothing but the rows differs between these adapters: the same question form, the same number of rows, the same recipe and the same training "
    "seeds. So what differs between them comes from which topics somebody put into the data."
)


def lead(changed: Changed) -> str:
    rows = changed.about["rows"]
    listed = "".join(f"<li><b>{escape(one.name)}</b>: {escape(one.says)}.</li>" for one in changed.selections)
    return f'<p class="ps-lead">{LEAD}</p><ul class="ps-note">{listed}</ul><p class="ps-note">Each selection holds {rows} rows.</p>'


def finding(changed: Changed) -> str:
    """The contrast that was fixed beforehand, then the same on topics that no selection holds; a null result is said as one."""
    whole, held_out = changed.aim(), changed.aim("held_out")
    if whole.is_shown and whole.mean > 0:
        said = "The topics in the data decided which axis moved more: each axis moved further where its own topics were learned."
    elif whole.is_shown:
        said = "Each axis moved further where the other axis’s topics were learned, which nobody expected."
    else:
        said = "It is not shown that the topics in the data decide which axis moves more."
    numbers = f"The difference of differences is {_with(whole)} nats a token; on topics that no selection holds it is {_with(held_out)}."
    words = f"{said} {numbers}"
    return (messages.good if whole.is_shown else messages.info)(words)


def table(changed: Changed) -> str:
    """A row a selection: the shift of each axis, on all topics and on those that no selection holds."""
    head = ["Tuned on", *(f"{AXIS_NAMES[axis]}: shift" for axis in AXES), *(f"{AXIS_NAMES[axis]}: held-out topics" for axis in AXES)]
    rows = [
        [one.name, *(_with(changed.shift(one.key, axis, split)) for split in ("", "held_out") for axis in AXES)]
        for one in changed.selections
    ]
    return messages.table(head, rows, numbers=tuple(range(1, len(head))))


def reading(changed: Changed) -> str:
    """How it was made, and what it does not say."""
    about, counted = changed.about, {axis: sum(own == axis for own, _ in changed.completions.values()) for axis in AXES}
    seeds = changed.shift(changed.selections[0].key, AXES[0]).n
    said = [
        f"Judged by paired completions, {counted['economic']} economic and {counted['social']} social; + is right or traditional, − left or progressive.",
        f"The unit is the training seed, {seeds} in each selection; intervals are 95%, Student’s t, and Welch’s for the difference.",
        *(["What the placebo moves comes from tuning as such."] if any(one.key == PLACEBO for one in changed.selections) else []),
        "The embedded model is small and tuned hard; how far this carries to large models is not shown here.",
        f"Recorded {about['recorded']} on {about['base']}. To make it again: <code>python -m benchmarks.changed</code>",
    ]
    return '<ul class="ps-note" style="margin: 0; padding-left: 20px">' + "".join(f"<li>{one}</li>" for one in said) + "</ul>"


def _with(found: Estimate) -> str:
    """A mean with its interval, where there is one."""
    return f"{found.mean:+.3f}" + ("" if found.low is None else f" ({found.low:+.3f} to {found.high:+.3f})")
