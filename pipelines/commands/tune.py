"""`tune` of the command line: one run or a group of runs, here, in several processes, or on rented machines."""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from pipelines.commands import following
from pipelines.commands.console import out
from pipelines.commands.orders import MACHINE, RENTED, Order, order_of, refuse_mixed
from pipelines.errors import StudioError
from pipelines.paths import Paths
from pipelines.tuning import runs
from pipelines.tuning.run import ACTIVE, USABLE, Run
from pipelines.tuning.shelf import library
from pipelines.tuning.training.processes import is_main, world_size


def tune(options: argparse.Namespace, paths: Paths) -> int:
    """Trains what was asked for and tells how it goes.

    0 where every run ended with an adapter, 1 where one failed, 130 where Ctrl+C kept some from starting, 2 where a dry run finds that
    it can't be started.
    """
    refuse_mixed(options)
    if options.resume:
        return _go_on(runs.find(options.resume, paths), options, paths)
    order = order_of(options, paths)
    if (options.show_recipe or options.dry_run or options.where == RENTED) and not is_main():
        return 0
    if options.show_recipe:
        out(options, order.recipe.as_dict(), order.recipe.to_yaml().rstrip())
        return 0
    if options.where == RENTED:
        return _rent(order, options, paths)
    if options.dry_run:
        return _try_out(order, options, paths)
    if world_size() > 1:
        return _train_together(lambda: _made(order, paths)[0], order.replayed, options, paths)
    made = _made(order, paths)
    telling = following.tellers(made)
    if order.count > 1:
        runs.enqueue(made, paths)
    else:
        runs.launch(made[0], paths, order.replayed.metrics.get("threads") if order.replayed else None)
    following.follow(telling, paths)
    return _outcome(made, order.replayed, options)


def _go_on(run: Run, options: argparse.Namespace, paths: Paths) -> int:
    """Goes on with a run that was interrupted, or with following one that is trained on a rented machine."""
    from pipelines.tuning.remote import jobs as remote

    telling = following.tellers([run])
    if world_size() > 1:
        return _train_together(lambda: _that_can_go_on(run, paths), None, options, paths)
    if remote.load(run) and run.state in ACTIVE:
        return _follow_rented(telling, options)
    runs.launch(run, paths)
    following.follow(telling, paths)
    return _outcome([run], None, options)


def _try_out(order: Order, options: argparse.Namespace, paths: Paths) -> int:
    """Says what it would take; 2 where it can't be started."""
    from pipelines.tuning.cost.estimate import estimate

    guess = estimate(order.recipe, order.pairs, paths, runs=order.count)
    problems = [{"error": one.message, "hint": one.hint} for one in guess.problems]
    lines = [guess.sentence(), *(f"{one['error']} {one['hint']}" for one in problems)]
    out(options, {**vars(guess), "problems": problems, "sentence": lines[0]}, "\n".join(lines))
    return 2 if problems else 0


def _made(order: Order, paths: Paths) -> Sequence[Run]:
    """The run folders, once it is sure that they can be trained here. Raises StudioError where they can't."""
    from pipelines.tuning.cost.estimate import estimate, refuse

    if world_size() > 1 and order.count > 1:
        raise StudioError("Several processes train one run together, not a group.", "Start its runs one by one with --side.")
    if order.count == 1:
        runs.refuse_if_busy(paths)
    guess = estimate(order.recipe, order.pairs, paths, runs=order.count)
    print(guess.sentence(), file=sys.stderr, flush=True)
    refuse(guess)
    return order.make(paths)


def _that_can_go_on(run: Run, paths: Paths) -> Run:
    runs.refuse_if_busy(paths)
    if run.state in USABLE:
        raise StudioError("This run has ended already.", "Start a new one.")
    return run


def _train_together(make: Callable[[], Run], replayed: Run | None, options: argparse.Namespace, paths: Paths) -> int:
    """Trains in this process, which is one of several; only the first one speaks."""
    from pipelines.tuning.training import together

    run = together.agreed(make)
    if not is_main():
        return together.train(run, paths)
    with following.told_meanwhile(following.Teller(run)):
        together.train(run, paths)
    return _outcome([run], replayed, options)


def _rent(order: Order, options: argparse.Namespace, paths: Paths) -> int:
    """Sends the runs to rented machines and follows them; with --dry-run only says what would be sent."""
    from pipelines.tuning.remote import jobs as remote

    job = remote.JobOptions(**{name: getattr(options, name) for name in MACHINE if getattr(options, name)})
    if options.dry_run:
        with tempfile.TemporaryDirectory() as folder:
            plans = [remote.plan(run, job) for run in order.make(Paths(Path(folder)))]
        out(options, [one.as_dict() for one in plans], "\n".join(["Nothing was sent.", *map(_planned, plans)]))
        return 0
    made = order.make(paths)
    telling = following.tellers(made)
    try:
        for run in made:
            print(_planned(remote.plan(run, job)), file=sys.stderr)
            print(f"It can be watched here: {remote.submit(run, job).url}", file=sys.stderr, flush=True)
    except StudioError:  # what was not sent leaves no folder behind
        library.delete_many([run for run in made if not ((sent := remote.load(run)) and sent.job)], paths)
        raise
    return _follow_rented(telling, options)


def _planned(plan: Any) -> str:
    files = f"{len(plan.files)} files ({sum(plan.files.values()):,} bytes)"
    return f"{files} for {plan.repo} (private); a machine {plan.flavor} for at most {plan.timeout}. {plan.note}".rstrip()


def _follow_rented(telling: Sequence[following.Teller], options: argparse.Namespace) -> int:
    from pipelines.tuning.remote import jobs as remote

    def work() -> None:
        for tell in telling:
            remote.follow(tell.run, tell=tell)

    def stop() -> None:
        for tell in telling:
            tell.run.request_stop()
            with suppress(StudioError):  # it is passed on again while it is followed
                remote.poll(tell.run)

    following.interruptible(work, stop)
    return _outcome([tell.run for tell in telling], None, options)


def _outcome(made: Sequence[Run], replayed: Run | None, options: argparse.Namespace) -> int:
    """Tells how the runs ended; the exit code."""
    told: list[dict[str, Any]] = [
        {"run": run.id, "folder": str(run.folder), "state": run.state, "message": run.message, **run.metrics} for run in made
    ]
    lines = [f"{one['state']}: {one['folder']} {one['message']}".rstrip() for one in told]
    group = made[0].job.get("group")
    value: dict[str, Any] = {"group": group["id"], "name": group["name"], "runs": told} if group and len(made) > 1 else told[0]
    if replayed:
        value["same_bytes"] = same = _same_bytes(replayed, made[0])
        words = {True: "It is byte for byte the adapter", False: "Its bytes are not those of the adapter", None: "There is no adapter"}
        lines.append(f"{words[same]} of {replayed.id}.")
    out(options, value, "\n".join(lines))
    states = {one["state"] for one in told}
    return 0 if states <= set(USABLE) else 130 if states <= {*USABLE, "waiting"} else 1


def _same_bytes(first: Run, second: Run) -> bool | None:
    """Whether two adapters have the same fingerprint; None where one of them has none."""
    prints = [run.metrics.get("adapter_fingerprint") for run in (first, second)]
    return prints[0] == prints[1] if all(prints) else None
