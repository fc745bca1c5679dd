"""Every named cause of failure with a model, or in which processes are killed, hang or share a STUDIO_HOME; the list is in tests/faults."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.faults import OF_PROCESSES, real
from tests.faults.fault import Fault, attempt

LATER = (
    "kill -9 of the real studio",
    "a byte of the model's weights is changed",
    "during a measurement",
)  # for `make test-all`, as are real.SLOW
CASES = [
    *(pytest.param(fault, marks=[pytest.mark.slow] if any(name in fault.name for name in LATER) else []) for fault in OF_PROCESSES),
    *(pytest.param(fault, marks=pytest.mark.slow) for fault in real.SLOW),
]


@pytest.mark.timeout(300)
@pytest.mark.parametrize("fault", CASES, ids=lambda fault: fault.name)
def test_nothing_confirmed_is_lost_and_it_goes_on(fault: Fault, tmp_path: Path, paths: object) -> None:
    outcome = attempt(fault, tmp_path)
    assert not outcome.problems(fault), outcome
    assert outcome.kept and outcome.went_on
