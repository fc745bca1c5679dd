"""The steps that look at words alone: what they change and drop, and what they must leave."""

from pathlib import Path

import pytest

from pipelines.corpus import engine
from pipelines.corpus.engine import Tools
from pipelines.corpus.shards import Shards
from pipelines.corpus.steps.duplicates import ExactDuplicates, NearDuplicates
from pipelines.corpus.steps.text import Language, Length, Mask, Normalize
from pipelines.paths import Paths, read_json
from tests.unit.test_engine import bundled_posts, fill, outcome, posts


def normalized(text: str) -> str:
    return Normalize().start(Tools(Paths(Path())), Shards(Path()))([{"id": "a", "chosen": text}])[0].row["chosen"]


@pytest.mark.parametrize(
    "before,after",
    [
        ("one\rtwo\r\nthree", "one two\nthree"),
        ("bread &amp; &quot;roses&quot; it&#39;s &gt; &amp;amp; &#x2019;", 'bread & "roses" it\'s > & ’'),
        ("in\u200bvisi\u00adble\ufeff \u202eturned", "invisible turned"),
        ("no\u00a0break\u2003wide   and\ttab ", "no break wide and tab"),
        ("nul\x00 bell\x07", "nul bell"),
        ("cafe\u0301", "café"),
        ("line\u2028separator  \n  space", "line\nseparator\nspace"),
        ("👨\u200d👩\u200d👧 join\u200ded", "👨\u200d👩\u200d👧 joined"),
        ("https://example.org/?a=1&copy=2", "https://example.org/?a=1&copy=2"),
        ("Sure, here is a response: Taxes should fall.", "Taxes should fall."),
        ("Certainly! Here's the answer you asked for:\n\nNo, not now.", "No, not now."),
        ("Here is an alternative response from another perspective:\r\n\r\nAs a nurse", "As a nurse"),
        ("Here's a more constructive way to say it:\n\nLet us talk.", "Let us talk."),
        ("Here's the thing: rents rise.", "Here's the thing: rents rise."),
        ("Sure, here is a response:", "Sure, here is a response:"),
        ("Here we are. A version: mine", "Here we are. A version: mine"),
    ],
)
def test_normalizing_cleans_characters_and_cuts_lead_ins_only(before: str, after: str) -> None:
    assert normalized(before) == after
    assert normalized(after) == after


@pytest.mark.parametrize(
    "before,after",
    [
        ("thanks @corner_cafe_mia!", "thanks [user]!"),
        ("/u/some-one and u/other, and/or", "[user] and [user], and/or"),
        ("@mia@social.example.org wrote", "[user] wrote"),
        ("see (https://example.org/a_b?id=7&x=@y).", "see ([link])."),
        ("www.example.org, example.com/news or shop.example.net", "[link], [link] or [link]"),
        ("mail mia.b+list@mail.example.com.", "mail [email]."),
        ("ring 555-0142 today", "ring [phone] today"),
        ("(555) 555-0187 or 555–0142", "[phone] or [phone]"),
        ("+1 202-555-0143 24 hours", "[phone] 24 hours"),
        ("Tel:1-800-555-0199, ext. 5", "Tel:[phone]"),
        ("202.555.0143 or 2025550143", "[phone] or [phone]"),
        ("+49 30 1234567, +44 20 7946 0958", "[phone], [phone]"),
        ("06 12 34 56 78 and 020 7946 0958", "[phone] and [phone]"),
        ("555-0142 24/7", "[phone] 24/7"),
    ],
)
def test_masking_hides_what_points_to_a_person(before: str, after: str) -> None:
    assert Mask().mask(before) == after
    assert Mask().mask(after) == after


@pytest.mark.parametrize(
    "text",
    [
        *("in 2019-2020", "from 1999 to 2004", "2024-05-17 10:30", "05/06/2024 10 am", "17.05.2024", "24/7", "9-5", "12:30-14:45"),
        *("1,000,000", "1 000 000", "10.000.000", "$500-1000", "800-1200 a month", "1.234567", "+10 000 people", "+1", "1000000"),
        *("2010 300 000 people", "90210-1234", "192.168.10.1", "ISBN 978-3-16-148410-0", "1-2-3-4-5-6-7", "1234567890"),
        *("meet @7pm", "2 for 3 @10", "e.g. this", "and/or", "the end.Next", "#2024"),
    ],
)
def test_masking_leaves_years_prices_times_and_counts(text: str) -> None:
    assert Mask().mask(text) == text


def test_masking_can_be_switched_off_by_kind() -> None:
    text = "@mia mia@example.org https://example.org 555-0142"
    assert Mask(handles=False, links=False, emails=False, phones=False).mask(text) == text
    assert Mask(links=False, phones=False).mask(text) == "[user] [email] https://example.org 555-0142"


@pytest.mark.parametrize(
    "text", ["@" + "a" * 300_000, "a." * 150_000 + "@", "1 " * 150_000, "(" * 300_000, "&" * 300_000, "http://" + ")" * 300_000]
)
@pytest.mark.timeout(20)
def test_no_text_keeps_cleaning_busy_for_long(text: str) -> None:
    assert len(Mask().mask(normalized(text))) <= len(text)


def test_masking_reaches_every_text_of_a_pair(tmp_path: Path) -> None:
    row = {"id": "a", "topic": "", "prompt": "Ask @mia_k", "chosen": "call 555-0142", "rejected": "nobody"}
    result, kept, _ = outcome(Mask(), [row], tmp_path)
    assert (kept[0]["prompt"], kept[0]["chosen"], result.changed) == ("Ask [user]", "call [phone]", 1)


@pytest.mark.parametrize(
    "text",
    [
        *("ngl rent is 2 dam high rn smh", "yall wild fr fr no cap", "gonna b real wit u chief aint no way", "thx bro u da best lmao"),
        *("wen u gon learn dat unions r gud", "MEGA SALE MEGA SALE MEGA SALE sunglasses", "no no no no", "[user] [user] [link] so true"),
    ],
)
def test_english_slang_stays(text: str, tmp_path: Path) -> None:
    assert outcome(Language(), posts(text), tmp_path)[0].dropped == 0


@pytest.mark.parametrize(
    "text,language",
    [
        ("Ich finde, die Stadt müsste endlich selber bauen.", "de"),
        ("Que vuelva al ayuntamiento, digo yo.", "es"),
        ("C'est la vie mon ami", "fr"),
        ("Ik vind het niet eerlijk", "nl"),
        ("Я не согласен с этим", "ru"),
        ("我不同意这个说法，因为税太高了", "zh"),
    ],
)
def test_other_languages_go_and_are_named(text: str, language: str, tmp_path: Path) -> None:
    _, _, dropped = outcome(Language(), posts(text), tmp_path)
    assert [row["reason"] for row in dropped] == ["in another language"] and dropped[0]["detail"].startswith(language)


def test_length_names_the_text_and_lets_prompts_be_short(tmp_path: Path) -> None:
    pairs = [
        {"id": "a", "prompt": "Tax?", "chosen": "yes by all means", "rejected": "no not at all"},
        {"id": "b", "prompt": "Tax?", "chosen": "yes", "rejected": "no not at all"},
        {"id": "c", "prompt": "Tax?", "chosen": "yes by all means", "rejected": "  "},
        {"id": "d", "prompt": "", "chosen": "yes by all means", "rejected": "no not at all"},
        {"id": "e", "prompt": "Tax?", "chosen": "yes " * 11, "rejected": "no not at all"},
    ]
    _, kept, dropped = outcome(Length(3, 10), pairs, tmp_path)
    assert [row["id"] for row in kept] == ["a"]
    assert [row["reason"] for row in dropped] == ["chosen is too short", "rejected is empty", "prompt is empty", "chosen is too long"]


def test_exact_duplicates_name_the_first_and_look_at_words_alone(tmp_path: Path) -> None:
    rows = [
        {"id": n, "topic": "", "text": text}
        for n, text in [("a", "Rents rise!"), ("b", "rents, rise"), ("a", "RENTS RISE"), ("c", "🔥"), ("d", "😂")]
    ]
    _, kept, dropped = outcome(ExactDuplicates(), rows, tmp_path, 2)
    assert [row["id"] for row in kept] == ["a", "c", "d"] and [row["detail"] for row in dropped] == ["a", "a"]


def test_near_duplicates_do_not_depend_on_where_shards_end(tmp_path: Path) -> None:
    rows = [row for n in range(3) for row in bundled_posts()[n::7]]
    step, tools = NearDuplicates(), Tools(Paths(tmp_path))
    found = []
    for size in (1000, 64, 7):
        engine.run(step, fill(tmp_path / f"source-{size}", rows, size), tmp_path / f"target-{size}", tools)
        found.append([row["id"] for row in Shards(tmp_path / f"target-{size}").rows()])
    assert found[0] == found[1] == found[2]


def test_near_duplicates_find_a_repost_among_thousands_of_others(tmp_path: Path) -> None:
    words = [row["text"].split() for row in bundled_posts()]
    others = [" ".join(words[n % 600][:9] + words[(n * 7 + 1) % 600][3:12] + words[(n * 31 + 5) % 600][5:14]) for n in range(3000)]
    text = "My grandmother crossed a border with a baby and a sewing machine. Somebody opened a door. That door should still be open."
    _, _, dropped = outcome(NearDuplicates(), posts(text, *others, text.replace("sewing machine", "suitcase")), tmp_path, 500)
    assert dropped[-1]["id"] == "p3001" and dropped[-1]["detail"].startswith("p0, similarity 0.")


def test_on_our_own_posts_each_step_drops_what_is_labelled_so_and_nothing_else(tmp_path: Path) -> None:
    source, tools = fill(tmp_path / "source", bundled_posts(), 200), Tools(Paths(tmp_path))
    found: dict[str, dict[str, int]] = {}
    for step in (Normalize(), Mask(), Language(), Length(), ExactDuplicates(), NearDuplicates()):
        engine.run(step, source, tmp_path / step.key, tools)
        source, dropped = Shards(tmp_path / step.key), Shards(tmp_path / step.key, "dropped")
        labels = [row["own_label"] for row in dropped.rows()]
        found[step.key] = {label: labels.count(label) for label in labels}
    wanted = {label: sum(row["own_label"] == label for row in bundled_posts()) for label in ("foreign", "short", "near_duplicate")}
    assert found["language"] == {"foreign": wanted["foreign"]} and found["length"] == {"short": wanted["short"]}
    assert found["near"] == {"near_duplicate": wanted["near_duplicate"]}
    assert read_json(tmp_path / "near" / engine.DONE)["before"] == len(bundled_posts()) - wanted["foreign"] - wanted["short"]


def test_lead_ins_are_cut_from_answers_and_never_from_posts_or_prompts() -> None:
    text = "Sure, here is a response: Taxes should fall."
    row = {"id": "a", "text": text, "prompt": text, "rejected": text}
    (one,) = Normalize().start(Tools(Paths(Path())), Shards(Path()))([row])
    assert one.row == {**row, "rejected": "Taxes should fall."}
