"""Opening, recognizing, cleaning and keeping data; every kind of bad file gets a sentence."""

import json
from pathlib import Path

import pytest

from pipelines.corpus import cleaning, versions
from pipelines.corpus.columns import normalize_rows, recognize
from pipelines.corpus.sources import BUNDLED, open_source
from pipelines.errors import StudioError
from pipelines.paths import Paths
from tests.conftest import SHARED

ROW = {"prompt": "Should rents be limited?", "chosen": "Yes, they should be limited.", "rejected": "No, they should be free."}
TALK = {
    "chosen": [
        {"role": "user", "content": "Should rents be limited?"},
        {"role": "assistant", "content": [{"type": "text", "text": "Yes, by law."}]},
    ],
    "rejected": [{"role": "user", "content": "Should rents be limited?"}, {"role": "assistant", "content": "No, never by law."}],
}


def write(folder: Path, name: str, text: str, encoding: str = "utf-8") -> str:
    (folder / name).write_bytes(text.encode(encoding))
    return str(folder / name)


def test_csv_with_semicolons_and_another_encoding_opens(tmp_path: Path) -> None:
    file = write(
        tmp_path,
        "a.csv",
        "prompt;chosen;rejected\nSoll die Straße größer werden?;Ja, überall größer, für Fußgänger;Nein, schöne Gärten wären schöner\n",
        "cp1252",
    )
    row = versions.curate(file).dataset.rows[0]
    assert row["prompt"] == "Soll die Straße größer werden?" and "Gärten" in row["rejected"]


@pytest.mark.parametrize(
    "name,text",
    [
        ("a.jsonl", json.dumps(ROW)),
        ("a.json", json.dumps([ROW])),
        ("a.json", json.dumps({"data": [ROW]})),
        ("a.tsv", "prompt\tchosen\trejected\n" + "\t".join(ROW.values())),
    ],
)
def test_pairs_open_in_every_text_format(tmp_path: Path, name: str, text: str) -> None:
    dataset = versions.curate(write(tmp_path, name, text)).dataset
    assert dataset.kind == "pairs" and dataset.pairs("chosen")[0].chosen == ROW["chosen"]
    assert dataset.pairs("rejected")[0].chosen == ROW["rejected"]


def test_conversational_rows_give_their_implicit_prompt(tmp_path: Path) -> None:
    pair = versions.curate(write(tmp_path, "a.jsonl", json.dumps(TALK))).dataset.pairs("chosen")[0]
    assert (pair.prompt, pair.chosen, pair.rejected) == ("Should rents be limited?", "Yes, by law.", "No, never by law.")


def test_plain_posts_are_cleaned_but_not_tuned_on(tmp_path: Path) -> None:
    curated = versions.curate(
        write(tmp_path, "a.csv", "id,body\n1,Taxes are too &amp; high in my view\n2,Taxes are too & high in my view\n")
    )
    assert len(curated.dataset.rows) == 1 and "must be synthesized" in curated.roles.sentence
    with pytest.raises(StudioError, match="synthesized"):
        curated.dataset.pairs("left")


@pytest.mark.skipif(not SHARED.is_dir(), reason="the published sample rows are not beside this checkout")
@pytest.mark.parametrize(
    "name,count",
    [
        ("politune-left-sample.csv", 250),
        ("politune-right-sample.csv", 250),
        ("politune-left-sample.json", 50),
        ("politune-right-sample.json", 50),
    ],
)
def test_published_rows_just_open(name: str, count: int) -> None:
    curated = versions.curate(str(SHARED / name))
    assert curated.roles.kind == "pairs" and len(curated.source.rows) == count
    assert not any("\r" in text for row in curated.dataset.rows for text in row.values())


def test_a_local_folder_in_the_hubs_format_opens(tmp_path: Path) -> None:
    import datasets

    folder = tmp_path / "set"
    (folder / "data").mkdir(parents=True)
    datasets.Dataset.from_list([ROW, {**ROW, "prompt": "Should taxes rise?"}]).to_parquet(
        str(folder / "data" / "train-00000-of-00001.parquet")
    )
    assert len(open_source(str(folder)).rows) == 2
    datasets.Dataset.from_list([ROW]).save_to_disk(str(tmp_path / "arrow"))
    assert open_source(str(tmp_path / "arrow")).rows[0]["prompt"] == ROW["prompt"]


BAD = {
    "empty file": ("a.csv", b"", "is empty"),
    "only a header": ("a.csv", b"prompt,chosen,rejected\n", "no rows"),
    "no known column": ("a.csv", b"x,y\n1,2\n", "not recognized"),
    "answers without a prompt": ("a.csv", b"chosen,rejected\na b c d,e f g h\n", "no prompt"),
    "broken json": ("a.json", b'{"prompt": ', "not valid JSON"),
    "json of numbers": ("a.json", b"[1, 2]", "not a list of objects"),
    "broken line": ("a.jsonl", b'{"prompt": "a"}\n{oops', "Line 2"),
    "line of a list": ("a.jsonl", b"[1]", "not an object"),
    "no ending": ("data", b"prompt", "can't be opened"),
    "binary": ("a.csv", bytes(range(256)) * 20, "encoding"),
    "fake parquet": ("a.parquet", b"PAR1 nothing", "Parquet"),
    "all too short": ("a.csv", b"prompt,chosen,rejected\na,b,c\n", "left after cleaning"),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_files_get_a_sentence_with_what_to_do(tmp_path: Path, case: str) -> None:
    name, content, words = BAD[case]
    (tmp_path / name).write_bytes(content)
    with pytest.raises(StudioError, match=words) as caught:
        versions.curate(str(tmp_path / name))
    assert caught.value.hint


@pytest.mark.parametrize(
    "reference,words",
    [
        ("", "No data"),
        ("/no/such/file.csv", "neither a file"),
        ("just-a-name", "neither a file"),
        ("nobody/nothing-at-all", "could not be opened"),
    ],
)
def test_references_that_lead_nowhere_get_a_sentence(reference: str, words: str) -> None:
    with pytest.raises(StudioError, match=words):
        open_source(reference)


def test_an_oversized_file_is_refused_before_it_is_read(tmp_path: Path) -> None:
    with pytest.raises(StudioError, match="at most"):
        open_source(write(tmp_path, "a.csv", "prompt\n" + "x" * 2_000_000), max_bytes=1_000_000)


def test_normalize_mends_what_the_published_rows_suffer_from() -> None:
    assert cleaning.normalize("Tom &amp; Ann\r\n a\u200bb\r \u202ec\x00d") == "Tom & Ann\nab cd"


def test_each_step_counts_and_gives_reasons() -> None:
    rows = [
        {**ROW, "id": "1"},
        {**ROW, "id": "2"},
        {**ROW, "id": "3", "prompt": "Other?", "chosen": "No."},
        {**ROW, "id": "4", "prompt": " Taxes\r? "},
    ]
    kept, steps = cleaning.clean(normalize_rows(rows, recognize(rows)), "pairs")
    assert [row["id"] for row in kept] == ["1", "4"]
    assert [(s.before, s.after) for s in steps] == [(4, 4), (4, 3), (3, 2)]
    assert [reason for s in steps for _, reason in s.dropped] == ["same text as 1", "chosen has 1 words, fewer than 3"]
    assert steps[0].changed == 1


def test_a_version_is_named_by_its_content_and_never_half_written(paths: Paths, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    dataset = versions.curate(write(tmp_path, "My rows.jsonl", json.dumps(ROW))).dataset
    folder = versions.save(dataset, paths)
    assert folder.name == f"my-rows-{dataset.hash[:8]}" and versions.save(dataset, paths) == folder
    assert versions.load(folder.name, paths).rows == dataset.rows
    assert versions.available(paths) == [BUNDLED, folder.name]
    monkeypatch.setattr(versions, "write_json", lambda *_: (_ for _ in ()).throw(OSError("disk full")))
    other = versions.Dataset("other", "pairs", dataset.rows)
    with pytest.raises(OSError):
        versions.write(other, paths.datasets / "other")
    assert sorted(f.name for f in paths.datasets.iterdir()) == [folder.name]


def test_a_changed_version_is_noticed(paths: Paths, tmp_path: Path) -> None:
    folder = versions.save(versions.curate(write(tmp_path, "a.jsonl", json.dumps(ROW))).dataset, paths)
    rows = folder / versions.ROWS
    rows.write_text(rows.read_text().replace("Yes", "No"))
    with pytest.raises(StudioError, match="damaged"):
        versions.load(folder.name, paths)


def test_names_of_versions_cant_leave_the_folder(paths: Paths) -> None:
    with pytest.raises(StudioError, match="no data set version"):
        versions.load("../../etc", paths)


def test_a_folder_with_other_things_is_never_replaced(paths: Paths, tmp_path: Path) -> None:
    from pipelines.tuning import runs
    from pipelines.tuning.recipe import Recipe

    dataset = versions.curate(write(tmp_path, "a.jsonl", json.dumps(ROW))).dataset
    home = tmp_path / "documents"
    home.mkdir()
    (home / "thesis.txt").write_text("years of work")
    for work in (lambda: versions.write(dataset, home), lambda: runs.create(dataset, "chosen", Recipe(), paths, target=home)):
        with pytest.raises(StudioError, match="other things"):
            work()
    assert [f.name for f in home.iterdir()] == ["thesis.txt"]
    versions.write(dataset, tmp_path / "new")
    versions.write(dataset, tmp_path / "new")
    assert (tmp_path / "new" / versions.VERSION).is_file()


def test_line_separators_inside_a_json_string_are_not_line_ends(tmp_path: Path) -> None:
    row = {**ROW, "chosen": "Yes, it is\u2028fair and good."}
    assert len(versions.curate(write(tmp_path, "a.jsonl", json.dumps(row, ensure_ascii=False))).dataset.rows) == 1


def test_the_last_turns_of_a_longer_talk_are_the_prompt_and_the_answer(tmp_path: Path) -> None:
    def talk(last: str) -> list[dict[str, str]]:
        turns = [("user", "Hello?"), ("assistant", "Hi there."), ("user", "Should rents be limited?"), ("assistant", last)]
        return [{"role": role, "content": content} for role, content in turns]

    row = {"chosen": talk("Yes, by law."), "rejected": talk("No, never by law.")}
    pair = versions.curate(write(tmp_path, "a.jsonl", json.dumps(row))).dataset.pairs("chosen")[0]
    assert (pair.prompt, pair.chosen) == ("Should rents be limited?", "Yes, by law.")


def test_the_placebo_is_pushed_away_from_neither_side() -> None:
    rows = tuple({"id": str(n), "prompt": "?", "left": "L", "right": "R", "neutral": "N"} for n in range(4))
    assert [p.rejected for p in versions.Dataset("m", "mirrored", rows).pairs("neutral")] == ["L", "R", "L", "R"]
