"""How long a second start takes until the page is served, beside `python -c "import gradio"` on the same machine.

`python -m benchmarks.startup`. Three starts of each, in turn; the medians are compared.
"""

from __future__ import annotations

import statistics
import subprocess
import sys
import time

from benchmarks import report
from benchmarks.serving import served

MORE, ROUNDS = 3.0, 3


def seconds_to_page() -> float:
    """From `python app.py` to the first byte of the page."""
    start = time.monotonic()
    with served(pause=0.05):
        return time.monotonic() - start


def seconds_to_import() -> float:
    """`python -c "import gradio"`."""
    start = time.monotonic()
    subprocess.run([sys.executable, "-c", "import gradio"], check=True)
    return time.monotonic() - start


def main() -> None:
    """Alternates both, so that a slow moment of the machine meets both."""
    pages, imports = zip(*[(seconds_to_page(), seconds_to_import()) for _ in range(ROUNDS)], strict=True)
    page, alone = statistics.median(pages), statistics.median(imports)
    goal = f"page at most {MORE:.0f} s after `import gradio`"
    report.finish(
        "startup",
        goal,
        page <= alone + MORE,
        page_seconds=round(page, 2),
        import_gradio_seconds=round(alone, 2),
        ratio=round(page / alone, 2),
    )


if __name__ == "__main__":
    main()
