"""Causes of failure, one scenario each: what was confirmed stays, people are told, the doctor comes, it goes on. `python -m tests.faults`."""

from tests.faults import answered, clocks, databases, disks, endpoints, engines, folders, killed, power, real, rights, studios

IN_FILES = [*databases.FAULTS, *folders.FAULTS, *answered.FAULTS, *disks.FAULTS, *rights.FAULTS, *power.FAULTS, *clocks.FAULTS]
OF_PROCESSES = [*engines.FAULTS, *endpoints.FAULTS, *studios.FAULTS, *killed.FAULTS, *real.FAULTS]
FAULTS = [*IN_FILES, *OF_PROCESSES, *real.SLOW]
