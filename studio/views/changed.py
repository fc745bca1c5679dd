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
    """The contrast that was fixed beforehand, over seeds and over completions; what is not shown over both is not called shown."""
    seeds, items = changed.aim(), changed.aim_over_items()
    shown = seeds.is_shown and items.is_shown
    numbers = (
        f"The difference of differences is {_with(seeds)} nats a token over {seeds.n} training seeds, and {_range(items)} over completions."
    )
    said = [verdict(changed), numbers, held_out(changed), *beside_placebo(changed)]
    return (messages.good if shown else messages.info)(" ".join(said))


def verdict(changed: Changed) -> str:
    """One sentence on the whole contrast."""
    seeds, items = changed.aim(), changed.aim_over_items()
    if seeds.is_shown and items.is_shown and seeds.mean > 0:
        return "The topics in the data decided which axis moved more: each axis moved further where its own topics were learned."
    if seeds.is_shown and items.is_shown:
        return "Each axis moved further where the other axis’s topics were learned, which nobody expected."
    if seeds.is_shown:
        return "With these completions the topics in the data made a difference in every training alike, but that others would show it too is not shown."
    return "It is not shown that the topics in the data decide which axis moves more."


def held_out(changed: Changed) -> str:
    """The same on topics that no selection holds."""
    seeds, items = changed.aim("held_out"), changed.aim_over_items("held_out")
    carried = "it carries over" if items.is_shown and seeds.is_shown and seeds.mean > 0 else "it is not shown to carry over"
    return f"To topics that no selection holds {carried}: {_with(seeds)} over training seeds, {_range(items)} over completions."


def beside_placebo(changed: Changed) -> list[str]:
    """What the same tuning with neutral answers moved."""
    if not any(one.key == PLACEBO for one in changed.selections):
        return []
    moved = [changed.shift(PLACEBO, axis).mean for axis in AXES]
    return [f"The placebo itself moved {moved[0]:+.3f} on the economy and {moved[1]:+.3f} on society: so much comes from tuning as such."]


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
        f"In plot and table the unit is the training seed, {seeds} in each selection: these intervals speak about these completions only. All are 95%, "
        "Student’s t, and Welch’s for differences.",
        "The embedded model is small and tuned hard; how far this carries to large models is not shown here.",
        f"Recorded {about['recorded']} on {about['base']}. To make it again: <code>python -m benchmarks.changed</code>",
    ]
    return '<ul class="ps-note" style="margin: 0; padding-left: 20px">' + "".join(f"<li>{one}</li>" for one in said) + "</ul>"


def _range(found: Estimate) -> str:
    """The interval alone."""
    return "too few to say" if found.low is None else f"{found.low:+.3f} to {found.high:+.3f}"


def _with(found: Estimate) -> str:
    """A mean with its interval, where there is one."""
    return f"{found.mean:+.3f}" + ("" if found.low is None else f" ({found.low:+.3f} to {found.high:+.3f})")
