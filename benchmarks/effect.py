"""What the default recipe does to answers: right, left and placebo against each other on neutral questions.

`python -m benchmarks.effect --half development` while choosing, `--half confirmation` once. The bundled adapters were
made with the default recipe (a test holds that); `--recorded` reads the recorded answers instead of asking again.
"""

from __future__ import annotations

import argparse

from benchmarks import report
from benchmarks.make_adapters import columns
from pipelines import bundled
from pipelines.models.host import ModelHost
from pipelines.paths import Paths, read_json
from pipelines.stance import claims, measuring, study
from pipelines.stance.embedding import Embedder
from pipelines.stance.plan import Plan
from pipelines.stance.ruler import Ruler
from pipelines.tuning.runs import Run

GOAL = (
    "ruler: right - placebo > 0 and placebo - left > 0, each Holm p < .05; paired completion: the same signs on both axes; "
    "everyday perplexity ratio <= 1.10; at most one plain fact of 12 lost; at most 180 s to train"
)


def measure(half: str, recorded: bool) -> study.Study:
    """The study of one half of the questions."""
    if recorded:
        return study.Study.from_dict(read_json(bundled.RECORDED / "stance.json"))
    paths = Paths.from_environment()
    plan = Plan(columns(), bundled.questions(half), bundled.completions())
    return measuring.run(
        plan, ModelHost(paths), Ruler(Embedder(paths)), lambda fraction, text: print(f"[{fraction:4.0%}] {text}", flush=True)
    )


def main() -> None:
    """Prints the two claims by instrument and axis, then one JSON line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--half", choices=("development", "confirmation", "all"), default="development")
    parser.add_argument("--recorded", action="store_true")
    options = parser.parse_args()
    result = measure(options.half, options.recorded)
    found = claims.claims(result, options.half)
    tuned = [name for name in result.columns if name != study.BASE]
    ratio = max(claims.perplexity_ratio(result, name) for name in tuned)
    lost = max(len(claims.facts_lost(result, name)) for name in tuned)
    seconds = max(Run(bundled.ADAPTERS / name).metrics["seconds"] for name in bundled.BUNDLED_SIDES)
    by_axis = [one for pair in found["completion_by_axis"].values() for one in pair.values()]
    signs = all(one["mean"] > 0 for one in [*found["ruler"].values(), *found["completion"].values(), *by_axis])
    significant = all(one["p_holm"] < claims.LEVEL for one in found["ruler"].values())
    holds = signs and significant and ratio <= claims.PERPLEXITY_LIMIT and lost <= claims.FACTS_LIMIT and seconds <= 180
    for row in claims.shift_table(result, options.half):
        print(row)
    report.finish(
        "effect",
        GOAL,
        holds,
        **found,
        perplexity_ratio=ratio,
        sanity_lost=lost,
        seconds=seconds,
        half=options.half,
        validity=result.validity,
    )


if __name__ == "__main__":
    main()
