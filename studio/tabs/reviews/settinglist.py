"""The list of frozen reviews in “Set up”: the link for raters, what only the owner may see, and the end."""

from __future__ import annotations

from html import escape

import gradio as gr

from pipelines.comparing.naming import title
from pipelines.errors import StudioError
from pipelines.review.ballots import Listed
from pipelines.review.coded import differences
from pipelines.review.intervals import counted, percent
from studio.tabs.reviews import addresses, owning
from studio.tabs.reviews.owning import Who
from studio.tabs.reviews.settingwork import Setter
from studio.tabs.wiring import Updates
from studio.views import messages

CLOSE, SURE = "Close this review", "Press again to close it for good"


def listed(setter: Setter, who: Who, chosen: str | None) -> Updates:
    """All reviews, newest first, and the chosen one, or else the newest."""
    found = setter.box.reviews()
    known = [one.id for one in found]
    here = chosen if chosen in known else next(iter(known), None)
    names = [(f"{one.title} · {one.created[:10]} · {'closed' if one.is_closed else 'open'}", one.id) for one in found]
    return {"box": gr.update(visible=bool(found)), "reviews": gr.update(choices=names, value=here), **shown(setter, who, here)}


def shown(setter: Setter, who: Who, review_id: str | None) -> Updates:
    """One review: its link and progress; to its owner also the hash and the plan."""
    owning.refuse_visitors(setter.services)
    one = next((one for one in setter.box.reviews() if one.id == review_id), None)
    if one is None:
        return {"review": "", "close": gr.update(visible=False), "warned": "", "ending": ""}
    is_theirs = owning.owns(setter.services, who, one.id)
    close = gr.update(visible=is_theirs and not one.is_closed, value=CLOSE)
    return {"review": _card(setter, one, is_theirs), "close": close, "warned": "", "ending": ""}


def _card(setter: Setter, one: Listed, is_theirs: bool) -> str:
    protocol = setter.box.review(one.id)
    design = protocol.design
    finished = f"{one.finished} of {design.raters}" if design.kind == "research" else f"{one.finished}"
    lines = [
        ("State", "closed" if one.is_closed else "open for votes"),
        ("Raters", f"{one.raters} joined, {finished} have judged all {len(protocol.items)} pairs; {counted(one.ballots, 'ballot')}"),
    ]
    cells = "".join(f"<dt>{name}</dt><dd>{escape(text)}</dd>" for name, text in lines)
    if not one.is_closed:
        cells += f"<dt>Link for raters</dt><dd>{addresses.link(addresses.of_review(one.id))}<br>{addresses.ELSEWHERE}</dd>"
    if not is_theirs and not one.is_closed:
        return f'<dl class="ps-plan">{cells}</dl>' + messages.note("Its hash and plan are shown to whoever set it up, until it is closed.")
    named = ", ".join(title(name) for name in protocol.columns)
    flagged = sum(item.flagged for item in protocol.items)
    naming = (
        messages.info(f"In {flagged} of {len(protocol.items)} pairs an answer names its side, so they are hardly blind.") if flagged else ""
    )
    cells += f'<dt>Columns</dt><dd>{escape(named)}</dd><dt>Hash (SHA-256)</dt><dd><code class="ps-hash">{protocol.hash}</code></dd>'
    warning = (
        ""
        if one.is_closed
        else messages.note("Keep columns, hash and plan to yourself until it is closed: with the hash sides can be worked out.")
    )
    steps = "".join(f"<li>{escape(line)}</li>" for line in protocol.planned)
    return f'<dl class="ps-plan">{cells}</dl>{warning}{naming}<details class="ps-which"><summary>The frozen plan</summary><ul>{steps}</ul></details>'


def close(setter: Setter, who: Who, review_id: str | None, warned: str) -> Updates:
    """Closes a review when pressed twice. Raises StudioError where it is not theirs to close."""
    if not review_id:
        raise StudioError("No review is chosen.", "Choose one.")
    owning.refuse_others(setter.services, who, review_id)
    if warned != review_id and not setter.box.is_closed(review_id):
        return {"close": gr.update(value=SURE), "warned": review_id, "ending": messages.info(_before_closing(setter, review_id))}
    setter.box.close(review_id)
    done = messages.good("Closed. No vote and no code is taken any more; “Results” shows what came of it.")
    return {**listed(setter, who, review_id), "ending": done}


def _before_closing(setter: Setter, review_id: str) -> str:
    """What would be cut off, and that it can't be opened again."""
    one, protocol = next(one for one in setter.box.reviews() if one.id == review_id), setter.box.review(review_id)
    codes = setter.services.codes
    sheets = [codes.sheet(each.id) for each in codes.rounds(review_id)]
    open_rounds = sum(not sheet.is_finished for sheet in sheets)
    coding = f"{counted(open_rounds, 'round')} of coding {'is' if open_rounds == 1 else 'are'} not finished. " if open_rounds else ""
    finished = [sheet for sheet in sheets if sheet.is_finished and sheet.round.kind == "coding"]
    unsettled = sum(found.adjudication is None for sheet in finished for found in differences(sheet, protocol))
    coding += f"{counted(unsettled, 'difference')} between coders {'is' if unsettled == 1 else 'are'} not settled. " if unsettled else ""
    share = percent(one.ballots / max(1, one.raters * len(protocol.items)))
    joined = (
        f"{counted(one.raters, 'rater')} joined and gave {share} of their ballots; {one.finished} finished"
        if one.raters
        else "Nobody joined"
    )
    return (
        f"Closing is for good: no votes and no coding afterwards, so finish coding before. {coding}"
        f"{joined}, {protocol.design.raters} were planned."
    )
