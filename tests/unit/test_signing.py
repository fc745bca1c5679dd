"""The button to sign in with an account of the Hub: only where the platform offers it."""

import gradio as gr
import pytest

from studio import signing


@pytest.mark.parametrize("missing", [None, *signing.NEEDED])
def test_the_button_is_there_only_where_the_platform_gave_all_that_it_takes(missing: str | None, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in signing.NEEDED:
        monkeypatch.delenv(name, raising=False)
        if name != missing:
            monkeypatch.setenv(name, "given")
    shown: list[str] = []
    monkeypatch.setattr(gr, "LoginButton", lambda text, **_: shown.append(text))  # Gradio's own needs packages that the platform installs
    signing.build()
    assert shown == (["Sign in with Hugging Face"] if missing is None else [])
