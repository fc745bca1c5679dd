"""The one class that a studio has open: its server on the local network, its code, and who may lead it.

The studio stays on this computer's own address. What the network reaches is a server whose page holds nothing but the student's part.
"""

from __future__ import annotations

import os
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipelines.classroom import code as codes
from pipelines.classroom import network
from pipelines.classroom.classes import Classes
from pipelines.classroom.deck import Deck
from pipelines.entries import whole_number
from pipelines.errors import StudioError
from studio.owning import Who
from studio.ratelimit import Limiter, Visitor
from studio.services import Services
from studio.tabs import unlocking

if TYPE_CHECKING:
    from studio.classroom.server import Server

TRIES, TRIES_OF_ALL, TRIES_SECONDS = 20, 500, 600.0  # a class may come from one address, so wrong letters of thirty phones add up
FAREWELL = 20.0  # seconds for which phones can still see that the class is over
NOT_PUBLIC = StudioError("No class can be opened in a public studio.", "Run the studio on a computer in the classroom's own network.")
NOT_HERE = StudioError(
    "A class is led at the computer on which the studio runs.",
    "Use that one, or start the studio with STUDIO_TEACHER_PASSWORD and give the password on this page.",
)
NONE_OPEN = StudioError("No class is open.", "Open one first.")
WRONG_CODE = StudioError("That is not the code of this class.", "It has six letters and stands on the screen in front of the class.")
TRIED = StudioError("The class code was tried too often.", "Wait ten minutes, then type it as it stands on the screen.")
_ROOMS: dict[Path, Room] = {}
_MAKING = threading.Lock()


@dataclass(frozen=True)
class Opened:
    """A class that phones can reach: its id, its code, and where. `addresses` are whole, the likeliest first."""

    class_id: str
    code: str
    port: int
    addresses: tuple[str, ...]

    @property
    def link(self) -> str:
        """What the QR code holds: the first address, with the code filled in."""
        return f"{self.addresses[0]}/?code={self.code}" if self.addresses else ""


class Room:
    """At most one class and one server at a time; thread-safe. Ended classes stay in the database until their time is over."""

    def __init__(self, services: Services) -> None:
        self.services, self.table = services, Classes(services.paths.reviews)
        self.current = ""
        self.asking = threading.Lock()
        self._server: Server | None = None
        self._closing: threading.Timer | None = None
        self._lock = threading.RLock()
        self._tries = Limiter(TRIES, TRIES_SECONDS, "tries")
        self._tries_of_all = Limiter(TRIES_OF_ALL, TRIES_SECONDS, "tries")

    @property
    def opened(self) -> Opened | None:
        """The class that is open now; None where there is none, or it is over."""
        with self._lock:
            if not self._server or not self.current or self.table.is_closed(self.current):
                return None
            port = self._server.port
            here = tuple(f"http://{one}:{port}" for one in network.addresses())
            return Opened(self.current, self.table.about(self.current).code, port, here)

    def open(self, deck: Deck) -> Opened:
        """A new class. Raises StudioError where one is open already, no port is free, or the studio is public."""
        with self._lock:
            self._refuse_second()
            return self._serve(self.table.open_class(deck))

    def go_on(self, class_id: str) -> Opened:
        """Opens a class again that was not ended, after the studio was closed say; phones that had joined are known."""
        with self._lock:
            if self.opened and self.current == class_id:
                return self.opened
            self._refuse_second()
            if self.table.is_closed(class_id):
                raise StudioError("This class is over.", "Open a new one.")
            return self._serve(class_id)

    def end(self) -> None:
        """Ends the class for good. Phones still see that for a moment; then the server is closed."""
        with self._lock:
            if not self.opened:
                raise NONE_OPEN
            self.table.close(self.current)
            self._closing = threading.Timer(FAREWELL, self.close)
            self._closing.daemon = True
            self._closing.start()

    def close(self) -> None:
        """Closes the server; a class that was not ended can go on later."""
        with self._lock:
            if self._closing:
                self._closing.cancel()
            server, self._server, self._closing, self.current = self._server, None, None, ""
        if server:
            server.close()

    def let_in(self, visitor: Visitor, typed: str) -> None:
        """Raises StudioError where a phone gives another code than the open class has, or has tried too often."""
        now = self.opened
        if now is None:
            raise NONE_OPEN
        try:
            self._tries.take(visitor)
            self._tries_of_all.take(Visitor("all"))
        except StudioError as error:
            raise TRIED from error
        if not codes.is_right(typed, now.code):
            raise WRONG_CODE

    def _refuse_second(self) -> None:
        if self.services.public:
            raise NOT_PUBLIC
        if self.opened:
            raise StudioError("A class is open already.", "End it first, or go on with it.")

    def _serve(self, class_id: str) -> Opened:
        from studio.classroom import server

        if self._closing:  # the farewell of the class before
            self._closing.cancel()
            self._closing = None
        if self._server is None:
            self._server = server.launch(self, _first_port())
        self.current = class_id
        opened = self.opened
        if opened is None:
            raise NONE_OPEN
        return opened


def of(services: Services) -> Room:
    """The room of a studio, the same one for all its pages."""
    with _MAKING:
        known = _ROOMS.get(services.paths.root)
        if known is None or known.services is not services:
            if known:
                known.close()
            known = _ROOMS[services.paths.root] = Room(services)
        return known


def refuse_others(services: Services, request: Any) -> None:
    """Raises StudioError for whoever may not lead a class: it takes the studio's own computer, or the teacher's password."""
    if services.public:
        raise NOT_PUBLIC
    if Who.of(request, "").home:
        return
    if not services.access.teachers.are_asked:
        raise NOT_HERE
    unlocking.refuse_others(services, request)


def _first_port() -> int:
    """From STUDIO_CLASS_PORT. Raises StudioError where that is no port."""
    text = os.environ.get("STUDIO_CLASS_PORT", "").strip()
    return whole_number(text, "STUDIO_CLASS_PORT", 1, 65535) if text else network.FIRST_PORT
