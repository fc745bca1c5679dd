"""Signing in with an account of the Hub, on a Space that offers it (`hf_oauth: true` in spaces.yaml)."""

from __future__ import annotations

import os
from collections.abc import Mapping

import gradio as gr

NEEDED = ("SPACE_ID", "OAUTH_CLIENT_ID", "OAUTH_CLIENT_SECRET", "OPENID_PROVIDER_URL")


def is_offered(environment: Mapping[str, str] = os.environ) -> bool:
    """Whether the platform gave the Space what signing in takes."""
    return all(environment.get(name) for name in NEEDED)


def build() -> None:
    """Lays out the button where it is offered. The studio asks nobody to sign in: whoever does has their own allowance of lent cards."""
    if is_offered():
        gr.LoginButton("Sign in with Hugging Face", logout_value="Sign out ({})", size="sm", elem_id="sign-in", scale=0, min_width=200)
