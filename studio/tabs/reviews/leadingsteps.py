"""The steps of coding in sentences: what is done, what comes next, and why a step is not possible yet."""

from __future__ import annotations

from pipelines.review.intervals import counted
from studio.tabs.reviews.leadingstate import CLOSED, Standing, is_complete
from studio.views.coded import State

Step = tuple[State, str]
OVER = "It ended when the review was closed; what came of it stays as it was."


def rows(now: Standing) -> list[tuple[str, str]]:
    """Where a review's coding is, as (name, sentence)."""
    book = f"version {now.book.version}, {counted(len(now.book.codes), 'code')}" if now.book else "none yet"
    accepted, finished = sum(bool(one.round.accepted) for one in now.calibrations), sum(map(is_complete, now.coding))
    rounds = f"{counted(len(now.calibrations), 'calibration')} ({accepted} accepted), {len(now.coding)} of coding ({finished} finished)"
    older = len(now.sheets) - len(now.calibrations) - len(now.coding)
    many = len(now.disputes)
    said = [
        ("State", "closed" if now.listed.is_closed else "open"),
        ("Raters", f"{len(now.joined)} joined, {now.protocol.design.raters} planned"),
        ("Codebook", book),
        ("Rounds", rounds + f"; {older} with an older codebook" * bool(older)),
    ]
    if now.protocol.design.kind == "class":
        said.append(
            ("Blindness", "a class sees the columns after each vote, so its coders may know them: for a study, code a research review")
        )
    return [*said, ("Differences", f"{many - len(now.open_disputes)} of {many} settled")] if many else said


def following(now: Standing) -> str:
    """What comes next, in one sentence."""
    last, left, waits = now.calibration, now.left(now.coders), bool(now.awaited)
    cases = (
        (now.listed.is_closed, "Choose quotes below; “Results” makes the report." if now.coding else "It was closed without coding."),
        (now.book is None, "Read the starter codebook and use it, or upload your own."),
        (len(now.joined) < 2, "Give raters the link from “Set up”: two have to join."),
        (not now.calibrations, "Open a calibration: all raters code the same few pairs."),
        (not now.circles and last is not None, "Look at the agreement in step 2, then accept it or calibrate again."),
        (not now.circles, "Wait until the raters have read the calibration, then press “Look again”."),
        (not now.coding, "Open the coding of all pairs."),
        (bool(left) and not waits, f"Share out the {counted(len(left), 'pair')} that no two raters have coded."),
        (waits, "Wait until the raters have coded their pairs, then press “Look again”."),
        (bool(now.open_disputes), f"Settle {counted(len(now.open_disputes), 'difference')} in step 4."),
    )
    done = "Coding is done. When the votes are in as well, close the review under “Set up”; counts and quotes come then."
    return next((said for holds, said in cases if holds), done)


def book(now: Standing) -> Step:
    if now.listed.is_closed:
        return "closed", CLOSED
    if now.book is None:
        return (
            "now",
            "A codebook says what raters may mark in an answer besides voting. Use the starter, or change it in a text editor first.",
        )
    return (
        "done",
        "A version never changes. To change a definition, upload the next version: raters calibrate with it again, and only it is counted.",
    )


def before_calibration(now: Standing) -> str:
    """Why no calibration can be opened; "" where it can."""
    if now.listed.is_closed:
        return CLOSED
    if now.book is None:
        return "First decide on a codebook in step 1."
    if len(now.joined) < 2:
        some = "One rater has" if now.joined else "Nobody has"
        return f"Codes need two raters. {some} joined so far: give them the link from “Set up”, then press “Look again”."
    return ""


def calibration(now: Standing) -> Step:
    if now.listed.is_closed:
        return "closed", OVER
    why = before_calibration(now)
    if why:
        return "not yet", why
    numbers = "Raters go by random numbers; nobody knows whose they are."
    if now.circles:
        return "done", f"Calibrate again for raters who have joined since, or with another version of the codebook. {numbers}"
    return "now", f"All chosen raters code the same few pairs, each alone. Then you see how far they agree, code by code. {numbers}"


def before_coding(now: Standing) -> str:
    """Why coding can't be opened; "" where it can."""
    return before_calibration(now) or ("" if now.circles else "First accept a calibration in step 2.")


def coding(now: Standing) -> Step:
    if now.listed.is_closed:
        return "closed", OVER
    why = before_coding(now)
    if why:
        return "not yet", why
    pairs = counted(len(now.pairs), "pair")
    if not now.coding:
        return (
            "now",
            f"{pairs}, in which every answer stands at least once. Two raters code each, and all get about as many; those of a calibration are read again.",
        )
    left = now.left(now.coders)
    if left or now.awaited:
        return "now", "Has a rater stopped? Take the tick away and share out what is left: those pairs go to two others."
    return "done", f"Two raters have coded each of {pairs}."


def settling(now: Standing) -> Step:
    if now.listed.is_closed:
        return "closed", OVER
    if not any(map(is_complete, now.coding)) and not now.disputes:
        return "not yet", "First a round of coding has to be finished by both of its raters."
    if not now.disputes:
        return "done", "The two raters agree on every code in the rounds that are finished."
    words = "Where one rater gave a code and the other did not, you decide and say why. Originals are kept. Neither column nor rater is shown here."
    return ("now" if now.open_disputes else "done"), words


def before_found(now: Standing) -> str:
    """Why nothing may be counted by column; "" where it may."""
    if now.protocol.design.kind == "research" and not now.listed.is_closed:
        return "After the review is closed: until then its columns stay hidden, from you as well while you settle differences."
    return ""


def found(now: Standing) -> Step:
    why = before_found(now)
    if why:
        return "not yet", why
    if not any(one.round.kind == "coding" for one in now.sheets):
        return "closed" if now.listed.is_closed else "not yet", "Nothing was coded" + ("." if now.listed.is_closed else " yet.")
    return "now", "How many answers of each column carry each code, and the words that do."
