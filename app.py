"""PoliTune Studio: `python app.py` opens it on 127.0.0.1:7860 (settings: HOST, PORT, STUDIO_HOME)."""

import os

for name, value in {"GRADIO_ANALYTICS_ENABLED": "False", "HF_HUB_DISABLE_TELEMETRY": "1", "TOKENIZERS_PARALLELISM": "false"}.items():
    os.environ.setdefault(name, value)

import sys
import threading

from pipelines import incidents
from pipelines.errors import StudioError
from pipelines.paths import ASSETS
from studio.app import build_studio
from studio.classroom.announcing import announce
from studio.files import Passing
from studio.guard import launch_options
from studio.listening import address
from studio.services import Services
from studio.tabs.curating.opening import UPLOAD_BYTES
from studio.theme import css, theme

THREADS = 120  # whoever waits for the model holds one
SIGN_IN = "This studio is for a class or a group. Its owner gives out names and passwords."


def main() -> int:
    """Serves until it is interrupted; the model is made ready in the background once the page is up."""
    try:
        host, port = address()
        services = Services.create()
        incidents.open_log(services.paths)
        passing = Passing.create(services.paths.root, UPLOAD_BYTES[services.public] if services.access.allows("upload") else 0)
    except StudioError as error:
        print(error, file=sys.stderr)
        return 2
    studio = build_studio(services)
    studio.queue(default_concurrency_limit=8).launch(
        max_threads=THREADS, _frontend=False,  # Gradio's look at its own page gives up after 3 s, which a cold disk needs
        server_name=host, server_port=port, theme=theme(), css=css(), quiet=True, prevent_thread_lock=True, ssr_mode=False,
        favicon_path=str(ASSETS / "icon.svg"), auth=list(services.access.login) or None, auth_message=SIGN_IN, **launch_options(passing, services.paths.root),
    )  # fmt: skip
    passing.keep_swept()
    print(f"PoliTune Studio is open on http://{host}:{port}", flush=True)
    if "--class" in sys.argv[1:]:
        print(announce(services), flush=True)
    threading.Thread(target=services.warm_up, daemon=True).start()
    if services.access.allows("review"):
        threading.Thread(target=services.expire_ballots, daemon=True).start()
    studio.block_thread()
    return 0


if __name__ == "__main__":
    sys.exit(main())
