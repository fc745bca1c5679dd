"""What strangers of a public demo should know: what is recorded and what is live, and how to have a studio of their own. Elsewhere nothing."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from html import escape

from studio.access import Access

SPACE = re.compile(r"[A-Za-z0-9][\w.-]{0,95}/[A-Za-z0-9][\w.-]{0,95}")
HUB = "https://huggingface.co/spaces/"
RECORDED = (
    "<b>Recorded:</b> the answers at strengths ½, 1 and 1½, the three training runs under “Tune”, and the study under “Stance”. They were made with "
    "the very adapters that answer here."
)
LIVE = "<b>Live:</b> “Ask all” at other strengths, “Draw again” and “Look closer” ask the small model on this machine, for one visitor after another."
OPEN = {"questions": "questions of your own", "upload": "data of your own", "measure": "new measurements", "tune": "training", "batch": "prompt sets", "review": "reviews"}  # fmt: skip


def panel(access: Access, environment: Mapping[str, str] = os.environ) -> str:
    """One line that unfolds, with the link that copies this Space where it is one; "" where no strangers come."""
    if not access.public:
        return ""
    space = space_id(environment)
    link = f'<a class="ps-press" href="{HUB}{escape(space)}?duplicate=true" target="_blank" rel="noopener">Duplicate this Space</a>'
    return (
        '<details class="ps-welcome"><summary>A public demo: what is recorded, what is live, and how to have your own</summary>'
        f"<p>{RECORDED}</p><p>{LIVE} {_closed(access)}</p>{f'<p>{link}</p>' if space else ''}{_own(space)}</details>"
    )


def space_id(environment: Mapping[str, str] = os.environ) -> str:
    """OWNER/NAME of the Space that this studio runs on; "" where it runs on none, or the name can't be one."""
    name = environment.get("SPACE_ID", "").strip()
    return name if SPACE.fullmatch(name) else ""


def _closed(access: Access) -> str:
    """What a studio of one's own has besides."""
    closed = [words for feature, words in OPEN.items() if not access.allows(feature)]
    if not closed:
        return ""
    listed = closed[0] if len(closed) == 1 else f"{', '.join(closed[:-1])} and {closed[-1]}"
    return f"A studio of your own has {listed} as well."


def _own(space: str) -> str:
    """The two commands; a demo that is no Space does not know where its files can be had."""
    if not space:
        return "<p><b>Run it on your laptop:</b> get the project's files from whoever runs this demo, then type <code>make run</code> in their folder.</p>"
    folder = escape(space.rpartition("/")[2])
    return f"<p><b>Run it on your laptop</b> (no graphics card is needed):</p><pre>git clone {HUB}{escape(space)}\ncd {folder} &amp;&amp; make run</pre>"
