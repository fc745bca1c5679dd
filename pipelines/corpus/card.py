"""The data card of a version: a README in the Hub's style, with its metadata block, made from the version's description alone."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Any

TAG = "deliberately-biased"
SIZES = ((1_000, "n<1K"), (10_000, "1K<n<10K"), (100_000, "10K<n<100K"), (1_000_000, "100K<n<1M"), (10_000_000, "1M<n<10M"))
CREATIVE_COMMONS = ("cc0-1.0", "cc-by-4.0", "cc-by-sa-4.0", "cc-by-nc-4.0", "cc-by-nc-sa-4.0", "cc-by-nd-4.0")
LICENSES = frozenset((*CREATIVE_COMMONS, "apache-2.0", "mit", "odc-by", "odbl", "pddl", "gpl-3.0", "unknown", "other"))
TASKS = {"posts": "text-classification", "pairs": "text-generation", "mirrored": "text-generation"}
KINDS = {
    "posts": "plain posts, one text a row",
    "pairs": "preference pairs: a prompt, an answer that is preferred and one that is not",
    "mirrored": "mirrored rows: one question with an answer from each side",
}
FIELDS = {
    "id": "name of the row",
    "topic": "topic id; empty where the text is off topic or was not sorted",
    "axis": "economic or social",
    "prompt": "the question or instruction",
    "left": "answer from the economic or social left",
    "right": "answer from the economic right or the social, traditional right",
    "neutral": "answer that reports both sides",
    "chosen": "the answer a model is tuned towards",
    "rejected": "the answer it is tuned away from",
    "text": "the post",
    "economic": "economic score, -10 (left) to 10 (right); null: no stance",
    "social": "social score, -10 (progressive) to 10 (traditional); null: no stance",
    "quality": "0 (worst) to 10",
    "topic_similarity": "cosine with the nearest topic description",
    "annotator": "who gave scores, quality and topic",
    "picked_by": "the strategy that selected the post",
    "problem": "why the annotator gave no score",
    "own_label": "label given by the authors of the text, used only to report precision and recall",
    "own_topic": "topic given by the authors of the text, used only to report precision and recall",
    "made": "matched: two posts joined, neither written for the prompt; written: by a language model, from a post",
    "chosen_from": "id of the post behind the chosen answer",
    "rejected_from": "id of the post behind the rejected answer",
    "score": "strength of the stance",
    "star": "marked by a reviewer",
    "note": "a reviewer's note",
}
MASKED = {"handles": "handles [user]", "links": "links [link]", "emails": "e-mail addresses [email]", "phones": "phone numbers [phone]"}
NOT_STATED = "Not stated by the person who saved this version."
LISTED = 40


def text(about: dict[str, Any]) -> str:
    """The README of a version, from its description (see description.py)."""
    from huggingface_hub import DatasetCard

    sections = [
        ("What it is for", _purpose(about)),
        ("What it is not for", "Training an assistant for people, advice, news, campaigning, or any claim about what a population thinks."),
        ("Source and its terms", _source(about)),
        ("Legal basis", _plain(about.get("legal_basis")) or NOT_STATED),
        ("How the rows were selected", _steps(about.get("steps") or [])),
        ("Masking", _masking(about)),
        ("Fields", _table(("column", "meaning"), [(name, FIELDS.get(name, "as in the source")) for name in about.get("columns") or []])),
        ("Statistics", _statistics(about.get("statistics") or {}, about["rows"])),
        ("Known limits", _limits(about)),
        ("Version", _version(about)),
    ]
    body = "\n\n".join(f"## {title}\n{content}" for title, content in sections)
    return str(DatasetCard(f"---\n{_metadata(about)}\n---\n# Deliberately biased data: {_plain(about['name'])}\n\n{body}\n"))


def _metadata(about: dict[str, Any]) -> str:
    from huggingface_hub import DatasetCardData

    given = _plain(about.get("license"))
    listed = given.lower() if given.lower() in LICENSES else "other" if given or about.get("terms") else "unknown"
    named: dict[str, Any] = (
        {"license_name": re.sub(r"[^a-z0-9.]+", "-", given.lower()).strip("-")[:60] or "see-card"} if listed == "other" else {}
    )
    data = DatasetCardData(
        pretty_name=" ".join(about["name"].split()),
        license=listed,
        language=about.get("language") or None,
        size_categories=next((name for limit, name in SIZES if about["rows"] < limit), "n>10M"),
        task_categories=[TASKS[about["kind"]]],
        tags=[TAG, "politune-studio", about["kind"]],
        configs=[{"config_name": "default", "data_files": [{"split": "train", "path": "data/train-*.parquet"}]}],
        **named,
    )
    return data.to_yaml()


def _purpose(about: dict[str, Any]) -> str:
    return (
        f"{about['rows']:,} rows; {KINDS[about['kind']]}. They serve to bias a language model **on purpose**, for teaching and research on "
        "what data selection does. They are not the opinion of the people who selected them."
    )


def _source(about: dict[str, Any]) -> str:
    source = about.get("source") or {}
    lines = [f"- {_plain(key)}: {_plain(value)}" for key, value in source.items() if value not in (None, "", [], {})]
    terms = [part for part in (_plain(about.get("license")), _plain(about.get("terms"))) if part]
    return "\n".join([*(lines or ["- source: not recorded"]), f"- terms: {'; '.join(terms) or NOT_STATED}"])


def _steps(steps: Sequence[dict[str, Any]]) -> str:
    if not steps:
        return "No step was applied: the rows are as they were in the source."
    rows = [
        (
            number,
            step.get("label") or step.get("name") or step.get("key", ""),
            _listed(step.get("settings")),
            *(step.get(name, "") for name in ("before", "after", "dropped", "changed")),
            _listed(step.get("reasons")),
        )
        for number, step in enumerate(steps, 1)
    ]
    return _table(("step", "what", "settings", "rows before", "after", "dropped", "changed", "reasons"), rows)


def _masking(about: dict[str, Any]) -> str:
    masked = about.get("masking") or []
    missing = [words for name, words in MASKED.items() if name not in masked]
    if not masked:
        return "Nothing was masked."
    left = f" Not replaced: {', '.join(missing)}." if missing else ""
    return (
        f"Replaced: {', '.join(MASKED.get(name, name) for name in masked)}.{left} Names of people in running text are not masked. "
        "The unmasked originals are not part of this version."
    )


def _statistics(statistics: dict[str, Any], rows: int) -> str:
    means = _table(("text", "mean words"), (statistics.get("mean_words") or {}).items())
    kinds = (("topic", "topics"), ("made", "made"), ("annotator", "annotators"))
    return "\n\n".join([f"{rows:,} rows.", means, *(_counts(title, statistics[key]) for title, key in kinds if statistics.get(key))])


def _counts(title: str, values: dict[str, int]) -> str:
    more = f"\n\n… and {len(values) - LISTED} more." if len(values) > LISTED else ""
    return _table((title, "rows"), list(values.items())[:LISTED]) + more


def _limits(about: dict[str, Any]) -> str:
    statistics = about.get("statistics") or {}
    lines = ["Selected on purpose: it represents neither its source nor any population."]
    if about.get("from_posts"):
        lines.append("Ids are those of the source, where it had any; a post may be found again by its words.")
    if "matched" in (statistics.get("made") or {}):
        lines.append("Matched pairs join two posts that were written apart: neither answers the prompt directly.")
    if "written" in (statistics.get("made") or {}):
        lines.append("Written pairs are a language model's words about a post, not the words of its author.")
    if statistics.get("annotators"):
        lines.append("Scores are estimates by a program or a language model, not the views of the authors.")
    if about["rows"] < 100:
        lines.append("Fewer than 100 rows: too few for a claim about what tuning on them does.")
    return "\n".join(f"- {line}" for line in lines)


def _version(about: dict[str, Any]) -> str:
    parents = ", ".join(map(_plain, about.get("parents") or [])) or "none"
    saved = _plain(about.get("saved", ""))
    return f"- content hash (SHA-256 over kind and rows): {_plain(about['hash'])}\n- made from: {parents}\n- saved: {saved}"


def _listed(values: dict[str, Any] | None) -> str:
    return ", ".join(f"{key} {_words(value)}" for key, value in (values or {}).items())


def _words(value: Any) -> str:
    if isinstance(value, bool):
        return "on" if value else "off"
    return " / ".join(map(str, value)) if isinstance(value, list | tuple) else str(value) if value != "" else "-"


def _table(heads: Sequence[str], rows: Iterable[Sequence[Any]]) -> str:
    lines = [heads, ["---"] * len(heads), *rows]
    return "\n".join(f"| {' | '.join(_plain(cell) for cell in line)} |" for line in lines)


def _plain(value: Any) -> str:
    """Text on one line that can neither end a table cell nor begin markup of its own."""
    line = " ".join(str(value if value is not None else "").split())
    return re.sub(r"[\\|<>\[\]`$]", lambda found: f"\\{found.group()}", line)
