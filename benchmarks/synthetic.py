"""Answerers whose stance is known beforehand, for asking whether the questionnaire finds it and nothing else.

Every answerer is a `survey.Scorer`: with a stance (b log-odds towards right / traditional labels on one axis and the same towards left /
progressive ones on the other, so that mixed-up axes show), or without one (always agreeing, always the option named first, coin, all words
alike). They stand on made-up scores, which need no language model, or on those of a real base. In log-odds (x) a shift does not depend on
the base, so there it only says that keys, wordings, forms and axes are counted rightly; in s = tanh(x / 2), which the studio reports, a
base that is sure of its answers moves less. Noise is drawn from answerer, seed and prompt alone: the order of asking changes nothing, and
no two answerers share it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from math import exp, log, log1p
from statistics import NormalDist, fmean, stdev
from typing import Any

from pipelines import bundled
from pipelines.models.labels import LabelScore
from pipelines.paths import content_hash
from pipelines.records import AXES, Shift
from pipelines.review.intervals import exact
from pipelines.stance.forms import Asked, Form, forms_of
from pipelines.stance.statistics import shift
from pipelines.stance.survey import FACTS_GATE, LEVEL, MASS_GATE, Scorer, Surveyed, measure

STANCES = (-1.0, -0.5, 0.0, 0.5, 1.0)
SIGNS = dict(zip(AXES, (1, -1), strict=True))  # a stance b is b on the first axis and -b on the second
NOISE = 1.0  # SD of a prompt's log-odds
KNOWS = 6.0  # log-odds for the right answer to a plain fact, in each wording
LIKING = 3.0  # log-odds by which the stanceless prefer what they prefer
MASS = 0.9
WORDS = 49_152  # the embedded model's vocabulary, of which each label has six tokens
COVERED, CLEAR = 0.9, 0.5
Odds = Callable[[Asked], float]


def chance(*name: Any) -> float:
    """A standard normal number that belongs to a name, the same whenever it is asked for."""
    digits = content_hash([str(part) for part in name])[:13]
    return NormalDist().inv_cdf((int(digits, 16) + 0.5) / 16**13)


def side(asked: Asked) -> int:
    """+1 where agreeing is right / traditional (true for a fact), -1 where it is the contrary, 0 for content-free prompts."""
    return asked.item.key * (1 if asked.wording == "text" else -1) if asked.item else 0


def score_of(odds: float, mass: float = MASS) -> LabelScore:
    """Two labels that share the probability `mass`, with these log-odds of the agreeing one."""
    return LabelScore(log(mass) - _log1pexp(-odds), log(mass) - _log1pexp(odds))


def _log1pexp(value: float) -> float:
    return max(value, 0.0) + log1p(exp(-abs(value)))


def plain(odds: Odds) -> Scorer:
    """An answerer with these log-odds and nothing else."""
    return lambda asked: [score_of(odds(one)) for one in asked]


def added(base: Scorer, odds: Odds) -> Scorer:
    """An answerer whose log-odds are the base's and these; the labels keep their joint probability."""

    def score(asked: Sequence[Asked]) -> list[LabelScore]:
        scores = base(asked)
        return [score_of(s.agree - s.disagree + odds(a), exp(s.agree) + exp(s.disagree)) for a, s in zip(asked, scores, strict=True)]

    return score


def kept(base: Scorer) -> Scorer:
    """The same answerer, asked each prompt only once."""
    known: dict[str, LabelScore] = {}

    def score(asked: Sequence[Asked]) -> list[LabelScore]:
        new = [one for one in asked if one.text not in known]
        known.update(zip([one.text for one in new], base(new) if new else [], strict=True))
        return [known[one.text] for one in asked]

    return score


def made_up(asked: Sequence[Asked]) -> list[LabelScore]:
    """A base with a leaning of its own on every item, a liking for yes and a liking for one template; not for any side as a whole."""
    return [score_of(0.8 + 0.4 * chance("form", one.form.name) + side(one) * chance("item", one.item and one.item.id)) for one in asked]


def leaning(base: Scorer, stance: float, seed: int, name: str = "") -> Scorer:
    """A base that was moved by `stance` (see SIGNS), knows the plain facts and wavers; `name` keeps its noise apart from other bases'."""

    def odds(one: Asked) -> float:
        if one.item is None:
            return 0.0
        moved = KNOWS if one.item.kind == "sanity" else SIGNS[one.item.axis] * stance
        return side(one) * moved + NOISE * chance(name, stance, seed, one.text)

    return added(base, odds)


def stanceless(seed: int) -> dict[str, Scorer]:
    """Those without any stance, by name. All but the last waver."""
    return {
        "yes-sayer": plain(_wavering("yes-sayer", seed, _yes)),
        "first option": plain(_wavering("first option", seed, _first)),
        "coin": plain(lambda one: LIKING if chance("coin", seed, one.text) > 0 else -LIKING),
        "all words alike": lambda asked: [LabelScore(log(6 / WORDS), log(6 / WORDS)) for _ in asked],
    }


def habits(base: Scorer, seed: int, name: str = "") -> dict[str, Scorer]:
    """A base that took on a habit but no stance: its shift should be none."""
    preferences = {"agrees more": _yes, "prefers the first option": _first}
    return {habit: added(base, _wavering(name + habit, seed, odds)) for habit, odds in preferences.items()}


def _yes(asked: Asked) -> float:
    return LIKING


def _first(asked: Asked) -> float:
    return LIKING if asked.form.agree_first else -LIKING


def _wavering(name: str, seed: int, odds: Odds) -> Odds:
    return lambda one: odds(one) + NOISE * chance(name, seed, one.text)


def asked_of(score: Scorer, name: str, forms: Sequence[Form], one_sided: bool = False) -> Surveyed:
    """Statements and plain facts, by the studio's own questionnaire; `one_sided`: only statements of which agreeing is right."""
    items = [item for item in bundled.items("proposition") if item.key > 0 or not one_sided]
    return measure(score, name, items, bundled.items("sanity"), forms)


@dataclass(frozen=True)
class Found:
    """How a planted stance was found on one axis, over many draws of the noise: mean and SD in log-odds, and counts of draws.

    `held`: the 95% interval holds the planted stance. `told` and `told_s`: p < .05 and its sign, in x and in s (for a stance of 0, either
    sign: a false alarm). `passed`: the gates were passed. `example` is the first draw's mean and interval.
    """

    base: str
    what: str
    axis: str
    planted: float
    mean: float
    sd: float
    held: int
    told: int
    told_s: int
    passed: int
    draws: int
    example: tuple[float, float, float]


def shifts(before: Surveyed, after: Surveyed, axis: str, scale: str = "x") -> Shift:
    """Mean shift in x (log-odds) or s over the items of an axis."""
    base = {row["item"]: row[scale] for row in before.rows}
    return shift([row[scale] - base[row["item"]] for row in after.rows if row["axis"] == axis])


def compared(base: str, what: str, planted: float, before: Surveyed, drawn: Sequence[Surveyed]) -> list[Found]:
    """A planted stance against what was measured in each draw, by axis."""
    found = []
    for axis in AXES:
        truth = SIGNS[axis] * planted + 0.0  # no minus zero
        moved, moved_s = ([shifts(before, one, axis, scale) for one in drawn] for scale in ("x", "s"))
        told, told_s = (sum(one.p < LEVEL and one.mean * truth >= 0 for one in some) for some in (moved, moved_s))
        means, first = [one.mean for one in moved], moved[0]
        held, passed = sum(one.low <= truth <= one.high for one in moved), sum(one.check["passed"] for one in drawn)
        about = base, what, axis, truth, fmean(means), stdev(means) if len(means) > 1 else 0.0
        found.append(Found(*about, held, told, told_s, passed, len(drawn), (first.mean, first.low, first.high)))
    return found


def recovered(base: Scorer, name: str, draws: int, forms: Sequence[Form]) -> list[Found]:
    """Every planted stance on a base; and habits that are none, over those statements of which agreeing is right, where they would show."""
    base = kept(base)
    before, one_sided = asked_of(base, name, forms), asked_of(base, name, forms, one_sided=True)
    print(f"{name} itself: gates passed {before.check['passed']}; {'; '.join(before.check['reasons'])}", flush=True)
    found: list[Found] = []
    for stance in STANCES:
        drawn = [asked_of(leaning(base, stance, seed, name), name, forms) for seed in range(draws)]
        found += compared(name, "stance", stance, before, drawn)
    each = [habits(base, seed, name) for seed in range(draws)]
    for habit in each[0]:
        found += compared(name, habit, 0.0, one_sided, [asked_of(one[habit], name, forms, one_sided=True) for one in each])
    return found


def without_stance(draws: int, forms: Sequence[Form]) -> dict[str, dict[str, Any]]:
    """How many draws of each stanceless answerer pass the gates, fail which (`reasoned`: with a reason each), and lie in the ring."""
    found: dict[str, dict[str, Any]] = {}
    for seed in range(draws):
        for name, scorer in stanceless(seed).items():
            check = asked_of(scorer, name, forms).check
            failed = {
                "label_mass": check["label_mass"] < MASS_GATE,
                "facts": check["facts"] < FACTS_GATE * check["of_facts"],
                "consistent": check["consistent"] < check["needed"],
            }
            one = found.setdefault(name, {"draws": 0, "passed": 0, "reasoned": 0, "failed": Counter(), "in_ring": Counter()})
            one["draws"] += 1
            one["passed"] += check["passed"]
            one["reasoned"] += len(check["reasons"]) == sum(failed.values()) > 0
            one["failed"].update({gate: int(missed) for gate, missed in failed.items()})
            one["in_ring"].update({axis: int(abs(check["position"][axis]) <= check["ring"][axis]) for axis in AXES})
    return found


def verdict(found: Sequence[Found], stanceless: dict[str, dict[str, Any]]) -> dict[str, Any]:
    """The goals over all draws: intervals hold, clear stances are told with their sign, and none is found where there is none."""
    clear = [one for one in found if abs(one.planted) >= CLEAR]
    none = [one for one in found if one.planted == 0]
    held, draws = sum(one.held for one in found), sum(one.draws for one in found)
    alarms, alarm_draws = sum(one.told for one in none), sum(one.draws for one in none)
    interval = exact(alarms, alarm_draws)
    return {
        "held": held / draws,
        "told": min((min(one.told, one.told_s) / one.draws for one in clear), default=None),
        "false_alarms": {"count": alarms, "n": alarm_draws, "interval": interval},
        "passed_without_stance": sum(one["passed"] for one in stanceless.values()),
        "holds": held >= COVERED * draws
        and all(one.told == one.told_s == one.draws for one in clear)
        and (interval is None or interval[0] <= LEVEL)
        and not any(one["passed"] for one in stanceless.values())
        and all(one["reasoned"] == one["draws"] for one in stanceless.values()),
    }


def report(base: Scorer | None, draws: int, profile: str = "full") -> dict[str, Any]:
    """Everything on made-up scores, and on those of a real base where one is given; prints a line a finding."""
    forms = forms_of(profile)
    found = recovered(made_up, "made-up", draws, forms)
    if base is not None:
        found += recovered(base, "real base", draws, forms)
    without = without_stance(draws, forms)
    for one in found:
        mean, low, high = one.example
        print(
            f"{one.base}, {one.what}, {one.axis}: planted {one.planted:+.2f}, found {one.mean:+.3f} (SD {one.sd:.3f}); "
            f"first draw {mean:+.3f} [{low:+.3f}, {high:+.3f}]; held in {one.held} of {one.draws}, told in {one.told}, in s {one.told_s}, "
            f"gates passed in {one.passed}",
            flush=True,
        )
    for name, about in without.items():
        failed, inside = dict(about["failed"]), dict(about["in_ring"])
        print(f"{name}: passes the gates in {about['passed']} of {about['draws']}, fails {failed}, inside the ring {inside}", flush=True)
    return {"found": [asdict(one) for one in found], "stanceless": without, **verdict(found, without)}
