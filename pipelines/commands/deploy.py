"""The command that makes or updates a Hugging Face Space."""

from __future__ import annotations

import argparse
from typing import Any

from pipelines.commands.console import out, progress
from pipelines.paths import Paths

DEFAULT_PROFILE = "zero-gpu"


def options(command: argparse.ArgumentParser) -> None:
    """Adds the command's options to its parser."""
    command.add_argument("repository", metavar="OWNER/NAME", help="the Space; it is made where there is none")
    command.add_argument(
        "--profile", default=DEFAULT_PROFILE, metavar="NAME", help=f"one of those in spaces.yaml (default: {DEFAULT_PROFILE})"
    )
    seen = command.add_mutually_exclusive_group()
    seen.add_argument("--private", dest="visibility", action="store_const", const="private", default="", help="only its owner sees it")
    seen.add_argument("--public", dest="visibility", action="store_const", const="public", help="everybody sees it")
    command.add_argument("--dry-run", action="store_true", help="only print the calls and files; nothing is sent, no token is needed")


def deploy(options: argparse.Namespace, paths: Paths) -> None:
    """Makes or updates the Space; --dry-run prints the same calls and sends nothing."""
    from pipelines.deploying import performing, plan, spec

    wanted = plan.make(spec.read(), options.profile, options.repository, options.visibility)
    if options.dry_run:
        out(options, {**wanted.as_dict(), "dry_run": True}, "\n".join(_lines(wanted)))
        return
    address = performing.perform(wanted, tell=progress)
    value = {**wanted.as_dict(), "dry_run": False, "url": address}
    out(options, value, "\n".join([f"Sent. The platform builds it now, for some minutes: {address}", *wanted.notes]))


def _lines(wanted: Any) -> list[str]:
    """A dry run for people: calls, files, notes."""
    sizes = wanted.parcel.sizes
    return [
        "Nothing was sent. These calls would be made, in this order:",
        *(f"  {number}. {call}" for number, call in enumerate(wanted.calls, 1)),
        f"These {len(sizes)} files would be uploaded:",
        *(f"  {name}  {size:,} bytes" for name, size in sizes.items()),
        *wanted.notes,
    ]
