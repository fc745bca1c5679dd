"""What a terminal says of an open class: where phones find it, as a QR code and in words."""

from __future__ import annotations

from pipelines.classroom import code as codes
from pipelines.errors import StudioError
from studio.classroom import leading, qr, room
from studio.services import Services

NO_NETWORK = "The class is open, but this computer has no network that phones could reach. Connect it, then look under Lesson, Class."


def announce(services: Services) -> str:
    """For `python app.py --class`: opens a class, or goes on with the one that was not ended. What went wrong is said the same way."""
    here = room.of(services)
    try:
        left = here.table.unfinished()
        opened = here.go_on(left[0]) if left else here.open(leading.deck())
    except StudioError as error:
        return str(error)
    if not opened.addresses:
        return NO_NETWORK
    return f"{qr.in_terminal(opened.link)}\nThe class is open: {' or '.join(opened.addresses)} · class code {codes.spaced(opened.code)}"
