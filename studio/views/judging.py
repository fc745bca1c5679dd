"""What a judging language model found, in tables and sentences, and what to think of it."""

from __future__ import annotations

from html import escape
from typing import Any

from pipelines.figures.look import label
from pipelines.stance import human_codes, judge, judging
from pipelines.stance.judge import ASKINGS, CLASSES, NO_STANCE, SCORED, UNREADABLE, Reading
from pipelines.stance.study import Study
from studio.views import messages
from studio.views.cards import title

LEAD = (
    "Optional. A language model of your choice reads every answer with its question, without being told which column gave it, and places it from "
    "1 to 7. It is asked four times: 7 is right, 7 is left, and either end described first. Three of the four must give a number; “no stance”, "
    "“incoherent” and replies that can’t be read are counted apart and are never a middle."
)
CODES_LEAD = (
    "Do people agree with the judge? Download all answers as CSV (“Where answers land”), let people fill in a column called “code” without seeing who "
    "answered (-1 left or progressive, 0 no side, 1 right or traditional), and open that file here. The columns question, sample, column and code are "
    "enough; rows without a code are left out."
)
NO_CODES = "How far people agree with the judge is not known: this study has no human codes."
NOTHING = "No language model has judged the answers of this study."
MANY_UNREADABLE, FEW_SCORED = 0.1, 0.5
EXAMPLE = "(the answer)"


def result(study: Study) -> str:
    """Everything about the judge's verdicts; one sentence where nothing was judged."""
    if not study.judged:
        coded = len(human_codes.of(study))
        return messages.note(NOTHING + (f" {coded:,} human codes wait for it." if coded else ""))
    found, agreed = judging.summary(study), judging.agreement(study)
    parts = [_who(study, found), _classes(study, found), _stances(study, found), _heading("What to think of it")]
    parts += [messages.info(text) if warns else messages.note(text) for text, warns in thoughts(found, agreed)]
    return "".join(f'<div class="ps-between">{part}</div>' for part in parts)


def how() -> str:
    """What the judge is asked, word by word, and how its replies are put together."""
    text = judge.prompt("(the question)", EXAMPLE, "economic", ASKINGS[0])
    rule = (
        "The stance of an answer is the mean over both directions of the scale, from −1 (left, progressive) to 1 (right, traditional). It is taken where "
        "three or four of the four replies are a number; otherwise two unreadable or two incoherent replies decide, and else the answer has no stance."
    )
    return f'{messages.note(rule)}<pre style="white-space: pre-wrap; font-size: .8rem">{escape(text)}</pre>'


def trial(readings: list[Reading]) -> str:
    """How the trial of an estimate went, in one sentence; "" where nothing was tried."""
    if not readings:
        return ""
    bad = [reading for reading in readings if reading.kind == UNREADABLE]
    if not bad:
        return f"All {len(readings)} trial replies could be read."
    return f"{len(bad)} of {len(readings)} trial replies could not be read, the first because: {bad[0].problem}."


def thoughts(found: dict[str, Any], agreed: dict[str, Any]) -> list[tuple[str, bool]]:
    """(sentences, whether they warn) on the judge's readability, leanings and agreement with the ruler."""
    total = found["answers"]
    counts = {name: sum(one["classes"][name] for one in found["columns"].values()) for name in CLASSES}
    said = []
    if counts[UNREADABLE] > MANY_UNREADABLE * total:
        said.append(
            (
                f"{counts[UNREADABLE]} of {total} answers got replies that can’t be read: this model does not keep to the form. Take another judge.",
                True,
            )
        )
    if counts[SCORED] < FEW_SCORED * total:
        said.append(
            (f"Only {counts[SCORED]} of {total} answers got a stance ({counts[NO_STANCE]} have none): the means rest on those alone.", True)
        )
    said.append(_leaning(found["direction"], "high numbers", "low numbers"))
    said.append(_leaning(found["order"], "the end that is described first", "the end that is described last"))
    said += [*_agreement(agreed["ruler"]), *_people(agreed)]
    last = "A judge is a model with views of its own, and it may share a mistake with the ruler. Where it matters, let people code a part of the answers (tab Review)."
    return [one for one in said if one[0]] + [(last, False)]


def _leaning(lean: dict[str, Any], to: str, away: str) -> tuple[str, bool]:
    """Whether the judge favours a kind of number or place, whatever the answer says."""
    if lean["n"] < 2:
        return "", False
    figures = f"{lean['mean']:+.2f} on a scale of −1 to 1, 95% {_interval(lean)}, {lean['answers']} answers to {lean['n']} questions"
    if lean["low"] <= 0 <= lean["high"]:
        return f"That it leans to {to} or to {away} is not shown ({figures}).", False
    leans = to if lean["mean"] > 0 else away
    gap = f"{lean['gap']:.2f}"
    return f"It leans to {leans} ({figures}). In the stance this cancels; its two ways of being asked differ by {gap} on average.", abs(
        lean["mean"]
    ) > 0.1


def _agreement(ruler: dict[str, Any]) -> list[tuple[str, bool]]:
    """Whether the judge ranks answers as the ruler does, over all and within questions."""
    if ruler["r"] is None:
        return [("Agreement with the ruler can’t be told: too few answers were scored, or all alike.", True)]
    size = f"{ruler['answers']} answers to {ruler['questions']} questions"
    if ruler["low"] is None:
        return [(f"Spearman’s r with the ruler is {ruler['r']:+.2f} ({size}): too few questions for an interval.", True)]
    shown = "Judge and ruler rank the answers alike" if ruler["low"] > 0 else "That judge and ruler rank the answers alike is not shown"
    if ruler["high"] < 0:
        shown = "Judge and ruler rank the answers in opposite ways"
    within = ruler["within"]
    inside = f" Within questions, where the topic is the same, r is {within['r']:+.2f}" if within["r"] is not None else ""
    inside += f" (95% {_interval(within)})." if within["low"] is not None else "." if inside else ""
    return [(f"{shown}: Spearman’s r {ruler['r']:+.2f}, 95% {_interval(ruler)}, {size}.{inside}", ruler["low"] <= 0)]


def _people(agreed: dict[str, Any]) -> list[tuple[str, bool]]:
    """Whether the judge ranks answers as people code them, and on which side it puts those that people gave a side."""
    people, side = agreed["people"], agreed["side"]
    if people is None:
        return [(NO_CODES, True)]
    size = f"{people['answers']} answers to {people['questions']} questions that were both coded and scored"
    sided = f" Of {side['n']} that people gave a side, the judge puts {side['same']} on that side." if side["n"] else ""
    if people["r"] is None:
        return [(f"Agreement with people can’t be told: too few answers, or all alike ({size}).{sided}", True)]
    if people["low"] is None:
        return [(f"Spearman’s r with human codes is {people['r']:+.2f} ({size}): too few questions for an interval.{sided}", True)]
    shown = "Judge and people rank the answers alike" if people["low"] > 0 else "That judge and people rank the answers alike is not shown"
    if people["high"] < 0:
        shown = "Judge and people rank the answers in opposite ways"
    within = people["within"]
    inside = f" Within questions r is {within['r']:+.2f}" if within["r"] is not None else ""
    inside += f" (95% {_interval(within)})." if within["low"] is not None else "." if inside else ""
    return [
        (
            f"{shown}: Spearman’s r {people['r']:+.2f}, 95% {_interval(people)}, {size}.{inside}{sided}{_unscored(agreed['coded'])}",
            people["low"] <= 0,
        )
    ]


def _unscored(coded: dict[int, dict[str, int]]) -> str:
    """How many coded answers got no stance from the judge, which enter no correlation."""
    every = sum(sum(classes.values()) for classes in coded.values())
    without = every - sum(classes[SCORED] for classes in coded.values())
    return f" {without} of {every} coded answers got no stance from the judge and are left out." if without else ""


def _who(study: Study, found: dict[str, Any]) -> str:
    judged = found["judge"]
    of = f" of {judged['of']:,}" if judged.get("of", 0) > found["answers"] else ""
    drawn = ", drawn evenly over columns, questions and axes" if of else ""
    return messages.note(
        f"Judged by {judged.get('model', 'a language model')}: {found['answers']:,}{of} answers{drawn}; four replies each."
    )


def _classes(study: Study, found: dict[str, Any]) -> str:
    failed = any(one["failed"] for one in found["columns"].values())
    head = ["Column", "Answers", "Scored", "No stance", "Incoherent", "Unreadable", *(["Requests that failed"] if failed else [])]
    rows = [
        [
            _called(study, name, one),
            str(one["answers"]),
            *(str(one["classes"][kind]) for kind in CLASSES),
            *([str(one["failed"])] if failed else []),
        ]
        for name, one in found["columns"].items()
    ]
    return messages.table(head, rows, numbers=tuple(range(1, len(head))))


def _stances(study: Study, found: dict[str, Any]) -> str:
    rows = []
    for name, one in found["columns"].items():
        for axis, stance in one["stance"].items():
            shift = one["shift"].get(axis)
            moved = [_mean(shift), _interval(shift), _p(shift), str(shift["n"])] if shift else ["", "", "", ""]
            rows.append([_called(study, name, one), axis, _mean(stance), _interval(stance), str(stance["n"]), *moved])
    head = ["Column", "Axis", "Stance", "95% interval", "Questions", "Shift from base", "95% interval", "p (Holm)", "Questions"]
    said = "Stance from −1 (left, progressive) to 1 (right, traditional), of answers that were scored; a shift rests on questions scored for both."
    return messages.table(head, rows, numbers=(2, 3, 4, 5, 6, 7, 8)) + messages.note(said)


def _called(study: Study, name: str, one: dict[str, Any]) -> str:
    seeds = len(one["columns"])
    return f"{title(name)}, {seeds} seeds" if seeds > 1 else label(study, one["columns"][0])


def _mean(one: dict[str, Any]) -> str:
    return f"{one['mean']:+.2f}" if one["n"] else "–"


def _interval(one: dict[str, Any]) -> str:
    return f"{one['low']:+.2f} to {one['high']:+.2f}" if one.get("n", 2) > 1 else "–"


def _p(one: dict[str, Any]) -> str:
    return "–" if one["n"] < 2 else "< .001" if one["p_holm"] < 0.001 else f"{one['p_holm']:.3f}"


def _heading(text: str) -> str:
    return f"<h3>{escape(text)}</h3>"
