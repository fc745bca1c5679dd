"""Large libraries, imported by one thread at a time.

Transformers puts another object in its place while it is imported: a second thread that imports it at that moment holds
the half-made one, and fails with "cannot import name".
"""

from __future__ import annotations

import importlib
import threading

PARTS = {"transformers": ("AutoConfig", "AutoTokenizer", "AutoModelForCausalLM")}
_lock = threading.Lock()


def ready(*names: str) -> None:
    """Imports libraries whole; later imports in any thread are plain ones."""
    with _lock:
        for name in names:
            module = importlib.import_module(name)
            for part in PARTS.get(name, ()):
                getattr(module, part)
