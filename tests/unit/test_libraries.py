"""Threads that need a large library at the same moment."""

import subprocess
import sys

from pipelines.paths import PROJECT

CODE = """
import threading
from pipelines.models.libraries import ready
failed = []
def work():
    try:
        ready("transformers")
        from transformers import AutoConfig, AutoModelForCausalLM
    except ImportError as error:
        failed.append(error)
threads = [threading.Thread(target=work) for _ in range(6)]
[thread.start() for thread in threads]; [thread.join() for thread in threads]
raise SystemExit(len(failed))
"""


def test_many_threads_may_import_transformers_at_once() -> None:
    assert subprocess.run([sys.executable, "-c", CODE], cwd=PROJECT, timeout=120).returncode == 0
