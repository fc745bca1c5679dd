"""A link as a QR code, for the screen and for a terminal."""

from __future__ import annotations

import io


def as_svg(link: str) -> str:
    """Black on white with a quiet edge, also on a dark page; as large as the place that it is put in."""
    import segno

    drawn = segno.make(link, error="m", micro=False).svg_inline(border=4, dark="#000000", light="#ffffff", omitsize=True, svgclass="ps-qr")
    return drawn.replace("<svg ", '<svg role="img" aria-label="QR code with the address of the class" ', 1)


def in_terminal(link: str) -> str:
    """In half blocks, so that it fits a small window."""
    import segno

    out = io.StringIO()
    segno.make(link, error="m", micro=False).terminal(out=out, border=2, compact=True)
    return out.getvalue().rstrip("\n")
