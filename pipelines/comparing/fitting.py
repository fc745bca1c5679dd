"""Which runs fit the base that answers here."""

from __future__ import annotations

from dataclasses import dataclass

from pipelines import bundled
from pipelines.models import prepare
from pipelines.models.catalog import LANGUAGE_MODEL
from pipelines.models.host import ModelHost
from pipelines.models.template import template_hash
from pipelines.tuning.run import Run
from pipelines.tuning.shelf import reading
from pipelines.tuning.shelf.reading import mapping


@dataclass(frozen=True)
class Loaded:
    """The base that answers here: its title, all names by which a job may call it, fingerprint and template ("" while not known)."""

    title: str
    names: frozenset[str]
    fingerprint: str = ""
    template_hash: str = ""


def loaded(host: ModelHost, ahead: str | None = None) -> Loaded:
    """What is known of a host's base; before it is loaded, by the fingerprint that it will have (`ahead`, where that is known)."""
    source, base = host.source, host.base
    names = frozenset({source.name, source.public_id, source.location, source.title})
    if base:
        return Loaded(source.title, names, base.fingerprint, template_hash(base.tokenizer))
    return Loaded(source.title, names, fingerprint_ahead(host) if ahead is None else ahead)


def fingerprint_ahead(host: ModelHost) -> str:
    """The fingerprint that the base will have; "" where only fetching it tells. Reads the weights of a local folder."""
    if host.source.kind == "package":
        return embedded_fingerprint()
    return prepare.fingerprint(host.source.path) if host.source.kind in ("path", "folder") else ""


def misfit(run: Run, loaded: Loaded) -> str:
    """Why a run's adapter can't answer here: a sentence, "" where its base is the loaded one.

    Fingerprints decide where both are known, else the public name that the training noted, else the job's.
    """
    job, metrics = reading.job(run), reading.metrics(run)
    named = str(job.get("base") or mapping(job.get("recipe")).get("base") or "")
    public, print_ = str(metrics.get("base") or ""), metrics.get("base_fingerprint")
    known = print_ == loaded.fingerprint if print_ and loaded.fingerprint else (public or named or loaded.title) in loaded.names
    if known:
        return ""
    if print_ == embedded_fingerprint():
        how = f"without {LANGUAGE_MODEL.variable}"
    else:
        how = f"with {LANGUAGE_MODEL.variable}={public if named == LANGUAGE_MODEL.name else named}"
    shown = metrics.get("base_title") or public or named
    return f"Base of this run: {shown}; the studio has {loaded.title} loaded. Start it {how} to use this run."


def embedded_fingerprint() -> str:
    """The fingerprint of the base that the packaged weights become."""
    return bundled.checksums()[LANGUAGE_MODEL.name][:12]


def template_warning(run: Run, loaded: Loaded) -> str:
    """A sentence where a run learned with another template than the one it is asked with here."""
    learned = reading.metrics(run).get("template_hash")
    if not learned or not loaded.template_hash or learned == loaded.template_hash:
        return ""
    return "It was tuned with another prompt template than the one it is asked with here, so it may show less of what it learned."
