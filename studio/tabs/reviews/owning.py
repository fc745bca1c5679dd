"""Whose review it is: who set it up may close it and see its hash, since with the hash a rater could work out which answer is whose.

The owner's browser keeps a code, the studio only a hash of it (paths.reviews/owners.json). The studio's own computer may do everything.
"""

from __future__ import annotations

import threading

from pipelines.errors import StudioError
from pipelines.paths import Paths, read_json, write_json
from studio.owning import OWNER, Who, mark_of, new_code
from studio.services import Services

__all__ = ["OWNER", "Who", "mark_of", "new_code", "note", "owns", "refuse_others", "refuse_visitors"]
OWNERS = "owners.json"
_NOTING = threading.Lock()
NOT_YOURS = StudioError("This review was set up in another browser.", "Use that one, or the computer on which the studio runs.")


def note(paths: Paths, review_id: str, mark: str) -> None:
    """Remembers whose a review is. Raises StudioError where the owners that are known already can't be read: they are not written over."""
    with _NOTING:
        try:
            known = read_json(paths.reviews / OWNERS)
        except FileNotFoundError:
            known = {}
        except (OSError, ValueError) as error:
            raise _damaged(paths) from error
        if not isinstance(known, dict):
            raise _damaged(paths)
        write_json(paths.reviews / OWNERS, {**known, review_id: mark}, settled=True)


def owns(services: Services, who: Who, review_id: str) -> bool:
    """Whether a review is theirs; one without a known owner belongs to the studio's own computer."""
    return services.access.allows("review") and who.owns(_marks(services.paths).get(review_id, ""))


def refuse_others(services: Services, who: Who, review_id: str) -> None:
    """Raises StudioError where the review is another one's, or none is run here."""
    refuse_visitors(services)
    if not owns(services, who, review_id):
        raise NOT_YOURS


def refuse_visitors(services: Services) -> None:
    """Raises StudioError in a public studio whose owner has not opened reviews."""
    services.access.refuse("review")


def _marks(paths: Paths) -> dict[str, str]:
    try:
        found = read_json(paths.reviews / OWNERS)
    except (OSError, ValueError):
        return {}
    return {str(key): str(value) for key, value in found.items()} if isinstance(found, dict) else {}


def _damaged(paths: Paths) -> StudioError:
    return StudioError(
        f"{paths.reviews.name}/{OWNERS}, where it stands whose each review is, can't be read.",
        "Put a copy of it back, or move it away: then earlier reviews can be changed only on the computer on which the studio runs.",
    )
