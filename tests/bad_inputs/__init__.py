"""Broken and hostile inputs, one for each named cause, and what must come of each. `python -m tests.bad_inputs` prints the table."""

from tests.bad_inputs import documents, places, tables

CAUSES = [*tables.CAUSES, *documents.CAUSES, *places.CAUSES]
