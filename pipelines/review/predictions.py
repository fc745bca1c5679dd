"""Predict, then reveal: everybody drops a guess for each column on the stance plot before the measured points appear."""

from __future__ import annotations

import math
import sqlite3
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from statistics import median

from pipelines.errors import StudioError
from pipelines.paths import content_hash
from pipelines.review import raters
from pipelines.review.design import FEWEST, LONGEST_TITLE, MOST_DAYS
from pipelines.review.intervals import counted
from pipelines.review.played import Played

Point = tuple[float, float]
REACH = 2.0  # the sides lie at -1 and 1; measured points may lie beyond
MOST_POINTS = 20
SCHEMA = """
CREATE TABLE IF NOT EXISTS predictions (
    review_id TEXT NOT NULL, rater_number INTEGER NOT NULL, place INTEGER NOT NULL, x REAL NOT NULL, y REAL NOT NULL,
    PRIMARY KEY (review_id, rater_number, place)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS seen (
    review_id TEXT NOT NULL, rater_number INTEGER NOT NULL, PRIMARY KEY (review_id, rater_number)
) WITHOUT ROWID;
"""


@dataclass(frozen=True)
class Plot:
    """What is predicted: a point for each column. `study` says of which measurement (its hash or name); the points stay there."""

    title: str
    columns: tuple[str, ...]
    study: str
    keep_days: int = 30

    def __post_init__(self) -> None:
        if not 0 < len(self.title.strip()) <= LONGEST_TITLE or not 1 <= self.keep_days <= MOST_DAYS:
            raise StudioError(
                "The prediction has no title, a very long one, or is kept for no time.", f"Use 1 to {LONGEST_TITLE} characters."
            )
        if not 1 <= len(self.columns) <= MOST_POINTS or len(set(self.columns)) != len(self.columns):
            raise StudioError("These columns can't be predicted.", f"Choose 1 to {MOST_POINTS} different ones.")


@dataclass(frozen=True)
class Cloud:
    """All guesses for one column without persons: `points` are in the order of their values, other in each column than the guessers'.

    `middle` is the median of x and of y; `distance` the median distance to the measured point, None where that is not given.
    """

    column: str
    points: tuple[Point, ...]
    middle: Point | None
    distance: float | None
    sentence: str


class Predictions(Played):
    """Predictions in `folder` (paths.reviews). Raises StudioError like Played."""

    kind = "prediction"

    def __init__(self, folder: Path, clock: Callable[[], float] = time.time) -> None:
        super().__init__(folder, SCHEMA, clock)

    def open_plot(self, plot: Plot) -> str:
        """Keeps what is to be predicted; returns its id. The same plot again begins anew, for another class."""
        value = {"plot": {**asdict(plot), "columns": list(plot.columns)}, "opened": datetime.now(UTC).isoformat(timespec="microseconds")}
        return self._keep(value, plot.keep_days)

    def plot(self, plot_id: str) -> Plot:
        """Raises StudioError where it was changed since."""
        value, wanted = self._body(plot_id)
        if content_hash(value) != wanted:
            raise StudioError("This prediction was changed after it was opened.", "Put a copy of the database back.")
        return Plot(**{**value["plot"], "columns": tuple(value["plot"]["columns"])})

    def drop(self, token: str, column: str, x: float, y: float) -> None:
        """Drops a guess, or moves it; on the disk when this returns. Raises StudioError after the reveal and for no place on the plot."""
        if any(isinstance(one, bool) or not isinstance(one, int | float) or not abs(one) <= REACH for one in (x, y)):
            raise StudioError("This is no place on the plot.", f"Both numbers must lie between {-REACH:g} and {REACH:g}.")
        plot_id, number, plot = self._own(token)
        if column not in plot.columns:
            raise StudioError(f"“{column[:60]}” is not predicted here.", "Choose one of the columns in the list.")
        with self.store.transaction() as file:
            raters.member(file, token, plot_id)
            self._refuse_over(file, plot_id)
            if _has_seen(file, plot_id, number):
                raise StudioError("The points were revealed to you, so your guesses stay as they are.", "Compare them with the points.")
            row = (plot_id, number, plot.columns.index(column), float(x), float(y))
            file.execute("INSERT OR REPLACE INTO predictions VALUES (?, ?, ?, ?, ?)", row)

    def own(self, token: str) -> dict[str, Point]:
        """One's own guesses so far, by column: what a reload goes on with."""
        plot_id, number, plot = self._own(token)
        with self.store.reading() as file:
            rows = file.execute(
                "SELECT place, x, y FROM predictions WHERE review_id = ? AND rater_number = ?", (plot_id, number)
            ).fetchall()
        found = {plot.columns[place]: (x, y) for place, x, y in rows}
        return {column: found[column] for column in plot.columns if column in found}

    def reveal(self, token: str) -> dict[str, Point]:
        """One's own guesses, which stay as they are from now on: the points may be shown to this guesser.

        Raises StudioError where a column has no guess yet, unless the owner has closed the prediction.
        """
        plot_id, number, plot = self._own(token)
        with self.store.transaction() as file:
            raters.member(file, token, plot_id)
            (count,) = file.execute(
                "SELECT count(*) FROM predictions WHERE review_id = ? AND rater_number = ?", (plot_id, number)
            ).fetchone()  # fmt: skip
            if count < len(plot.columns) and not raters.is_closed(file, plot_id):
                missing = len(plot.columns) - count
                raise StudioError(
                    f"{counted(missing, 'column has', 'columns have')} no guess of yours yet.", "Drop one for each, then reveal."
                )
            file.execute("INSERT OR IGNORE INTO seen VALUES (?, ?)", (plot_id, number))
        return self.own(token)

    def tally(self, plot_id: str, measured: Mapping[str, Point] | None = None) -> list[Cloud]:
        """The guesses of everybody who has seen the points, by column; no points before FEWEST people have, so that none is one's own."""
        plot = self.plot(plot_id)
        only = "" if self.is_closed(plot_id) else "JOIN seen USING (review_id, rater_number) "
        query = f"SELECT rater_number, place, x, y FROM predictions {only}WHERE review_id = ? ORDER BY place, x, y"
        with self.store.reading() as file:
            rows = file.execute(query, (plot_id,)).fetchall()
        return [
            _cloud(column, [(x, y) for _, own, x, y in rows if own == place], (measured or {}).get(column))
            for place, column in enumerate(plot.columns)
        ]

    def _own(self, token: str) -> tuple[str, int, Plot]:
        with self.store.reading() as file:
            plot_id, number = self._who(file, token)
        return plot_id, number, self.plot(plot_id)


def _cloud(column: str, points: Sequence[Point], measured: Point | None) -> Cloud:
    if len(points) < FEWEST:
        said = f"{counted(len(points), 'person has', 'people have')} predicted {column}; guesses are shown from {FEWEST} on."
        return Cloud(column, (), None, None, said)
    middle = (median(x for x, _ in points), median(y for _, y in points))
    said = f"{len(points)} people predicted {column}; their middle lies at {middle[0]:+.2f} and {middle[1]:+.2f}"
    if measured is None:
        return Cloud(column, tuple(points), middle, None, f"{said}.")
    distance = median(math.dist(point, measured) for point in points)
    said += f", the measured point at {measured[0]:+.2f} and {measured[1]:+.2f}; half of them are at most {distance:.2f} away from it."
    return Cloud(column, tuple(points), middle, distance, said)


def _has_seen(file: sqlite3.Connection, plot_id: str, number: int) -> bool:
    return file.execute("SELECT 1 FROM seen WHERE review_id = ? AND rater_number = ?", (plot_id, number)).fetchone() is not None
