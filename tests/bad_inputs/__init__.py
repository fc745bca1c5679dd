"""Broken and hostile inputs, one for each named cause, and what must come of each. `python -m tests.bad_inputs` prints the whole list.

`CAUSES` are data files, opened and normalized the whole way; `TRIALS` are all other positions at which something is handed in.
"""

from tests.bad_inputs import compared, documents, kept, names, places, plans, recipes, strangers, tables, uploads

CAUSES = [*tables.CAUSES, *documents.CAUSES, *places.CAUSES]
OTHERS = (uploads, recipes, plans, names, compared, kept, strangers)
TRIALS = [trial for one in OTHERS for trial in one.TRIALS]
