"""`adapters` of the command line: adapters leave as zip files or to the Hub, and come in from elsewhere."""

from __future__ import annotations

import argparse
from dataclasses import asdict
from typing import Any

from pipelines.commands.console import out, progress
from pipelines.errors import StudioError
from pipelines.paths import Paths
from pipelines.tuning import runs
from pipelines.tuning.sharing import exchange


def export(options: argparse.Namespace, paths: Paths) -> None:
    """Writes the adapter of a run, or of one of its steps, as a zip file."""
    file = exchange.export(runs.find(options.id, paths), options.output, options.step)
    out(options, {"file": str(file), "bytes": file.stat().st_size}, f"Written to {file}")


def bring_in(options: argparse.Namespace, paths: Paths) -> None:
    """Brings in an adapter from elsewhere, through the gate and compared with a base."""
    from pipelines.models import catalog, facts, prepare

    source = catalog.find(options.base, paths)
    base = facts.base_facts(prepare.ensure(source, paths, progress), source.public_id)
    found = exchange.bring_in(options.source, paths, base)
    out(options, _imported(found), f"{found.name} is in {found.folder}. {found.warning}".rstrip())


def imported(options: argparse.Namespace, paths: Paths) -> None:
    """Lists the adapters from elsewhere."""
    found = exchange.list_imported(paths)
    lines = [f"{one.name}  {one.base_id}  {one.warning}".rstrip() for one in found]
    out(options, [_imported(one) for one in found], "\n".join(lines) or "No adapter was brought in yet.")


def _imported(one: Any) -> dict[str, Any]:
    return {"name": one.name, "folder": str(one.folder), "fingerprint": one.fingerprint, "base": one.base_id, "warning": one.warning}


def forget(options: argparse.Namespace, paths: Paths) -> None:
    """Deletes an adapter from elsewhere."""
    exchange.forget_imported(options.name, paths)
    out(options, {"forgotten": options.name}, f"{options.name} is gone.")


def push(options: argparse.Namespace, paths: Paths) -> None:
    """Sends a run's adapter to the Hub, private unless --public; --dry-run only says what would be sent."""
    from pipelines.tuning.sharing import publish

    run = runs.find(options.id, paths)
    if not options.repository:
        raise StudioError("No repository was named.", f"Give one, for example {publish.propose(run, 'your-name')}.")
    done = publish.push(run, options.repository, private=not options.public, dry_run=options.dry_run)
    what = f"Sent to {done.repo_id}." if done.url else f"Nothing was sent; to {done.repo_id} would go:"
    out(options, asdict(done), "\n".join([what, *(f"  {name}  {size:,} bytes" for name, size in done.files.items())]))
