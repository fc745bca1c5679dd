"""Broken and hostile JSON, JSONL and Parquet files."""

from __future__ import annotations

import json

from tests.bad_inputs.cause import Cause, Opened, Refused
from tests.bad_inputs.tables import ZIP
from tests.bad_inputs.writing import POST, ROW, packed, parquet, raw, text, value

LINE = json.dumps({"text": POST}) + "\n"
TALK = [{"role": "narrator", "content": "It was night."}, {"role": "wizard", "content": POST}]
TURNS = [{"role": "user", "content": "Should rents be limited?"}, {"role": "assistant", "content": "Yes, by law."}]

CAUSES = [
    Cause("nested JSON", value("a.json", {"meta": {"license": "none"}, "result": {"data": [{"text": POST}]}}), Opened(1, {"text": POST})),
    Cause("JSON scalar", text("a.json", "42"), Refused("not a list of objects")),
    Cause("JSON list of numbers", value("a.json", [1, 2]), Refused("not a list of objects (number 1")),
    Cause("JSON list of lists", value("a.json", [["text"], [POST]]), Refused("not a list of objects")),
    Cause("JSON list of texts", value("a.json", [POST, POST]), Opened(2, {"text": POST})),
    Cause("JSON of objects and numbers", value("a.json", [{"text": POST}, 7]), Refused("number 2 is not one")),
    Cause("empty JSON list", text("a.json", "[]"), Refused("holds no rows")),
    Cause("JSON cut off", text("a.json", '[{"text": "' + POST), Refused("not valid JSON (line 1")),
    Cause("JSON lines called .json", text("a.json", LINE * 3), Opened(3, {"text": POST})),
    Cause(
        "one JSON object",
        value("a.json", {"chosen": TURNS, "rejected": [*TURNS[:1], {"role": "assistant", "content": "No."}]}),
        Opened(1, {"prompt": "Should rents be limited?", "rejected": "No."}, kind="pairs"),
    ),
    Cause(
        "NaN and Infinity",
        value("a.json", [{"text": float("nan"), "n": float("-inf")}, {"text": POST}]),
        Opened(2, {"text": ""}, ("2 NaN or Infinity were read as empty cells",)),
    ),
    Cause(
        "huge integers",
        text("a.jsonl", f'{{"id": {"9" * 5_000}, "text": "{POST}"}}\n{{"id": {"9" * 19}, "text": 5}}\n'),
        Opened(2, {"id": "9" * 80}),
    ),
    Cause(
        "10,000 levels deep", text("a.jsonl", '{"text": ' + "[" * 10_000 + "]" * 10_000 + "}\n"), Refused("nested more than 50 levels deep")
    ),
    Cause("60 levels deep", text("a.json", '[{"text": ' + "[" * 60 + "]" * 60 + "}]"), Refused("nested more than 50 levels deep")),
    Cause("broken line 7", text("a.jsonl", LINE * 6 + '{"text": "oops\n' + LINE), Refused("Line 7 of a.jsonl is not valid JSON")),
    Cause(
        "comma after each line",
        text("a.jsonl", LINE.replace("}", "},") * 2),
        Refused("Line 1 of a.jsonl is not valid JSON (it ends in a comma"),
    ),
    Cause("JSON list called .jsonl", text("a.jsonl", f"[{LINE}]"), Refused("Line 1 of a.jsonl")),
    Cause("a line of a list", text("a.jsonl", LINE + "[1]\n"), Refused("Line 2 of a.jsonl is not an object")),
    Cause("single quotes, as Python prints", text("a.jsonl", "{'text': 'x'}\n"), Refused("Line 1 of a.jsonl")),
    Cause(
        "lone surrogates",
        text("a.jsonl", '{"text": "\\ud800 ' + POST + '", "id": "\\udfff1"}\n{"text": "\\ud83d\\ude00 fine"}\n'),
        Opened(
            2, {"text": f"� {POST}", "id": "�1"}, ("2 halves of characters (lone surrogates) were replaced by “�” (the first in line 1)",)
        ),
    ),
    Cause(
        "line separators inside a text",
        text("a.jsonl", json.dumps({"text": f"{POST}\u2028More\x85of it"}, ensure_ascii=False)),
        Opened(1, {"text": f"{POST}\u2028More\x85of it"}),
    ),
    Cause(
        "unknown roles in messages",
        value("a.json", [{"messages": TALK}]),
        Refused("(column “messages”) neither a user nor an assistant speaks"),
    ),
    Cause(
        "messages without a rejected answer",
        value("a.json", [{"messages": TURNS}, {"messages": []}, {"messages": [*TURNS, *TURNS]}]),
        Opened(4, {"text": "Should rents be limited?"}),
    ),
    Cause(
        "messages without content",
        value("a.json", [{"messages": [{"role": "user"}, {"role": "assistant", "content": None}]}]),
        Opened(1, {"text": ""}),
    ),
    Cause(
        "chosen a list, rejected a text",
        value("a.json", [{"chosen": TURNS, "rejected": "No, never."}]),
        Opened(1, {"prompt": "Should rents be limited?", "chosen": "Yes, by law.", "rejected": "No, never."}, kind="pairs"),
    ),
    Cause(
        "answers without a prompt",
        value("a.json", [{"chosen": "Yes, by law.", "rejected": "No, never."}]),
        Refused("no prompt (columns: chosen, rejected)"),
    ),
    Cause(
        "values of all types",
        text("a.jsonl", '{"text": true}\n{"text": {"a": 1}}\n{"text": ["x", {"text": "y"}]}\n{"text": null}\n{}\n'),
        Opened(5, {"text": "True"}),
    ),
    Cause(
        "every row with other columns",
        text("a.jsonl", "".join(json.dumps({f"c{n}": n, "text": POST}) + "\n" for n in range(1_500))),
        Opened(1_500, {"text": POST}),
    ),
    Cause("object of 5,000 columns", value("a.json", [{f"c{n}": n for n in range(5_000)}]), Refused("rows of 5,000 columns")),
    Cause(
        "cut-off JSONL in gzip",
        packed("a.jsonl.gz", "".join(json.dumps({"text": f"{POST} {n**5}"}) + "\n" for n in range(5_000)).encode(), 0.7),
        Refused("can't be unpacked"),
    ),
    Cause("cut-off Parquet", parquet("a.parquet", mend=lambda data: data[: len(data) // 2]), Refused("can't be read as Parquet")),
    Cause(
        "Parquet with a spoilt page",
        parquet("a.parquet", mend=lambda data: data[:400] + bytes(len(data) - 2_000) + data[-1_600:]),
        Refused("can't be read as Parquet"),
    ),
    Cause(
        "Parquet with nested lists",
        parquet("a.parquet", {"chosen": [TURNS], "rejected": [[*TURNS[:1], {"role": "assistant", "content": "No."}]]}),
        Opened(1, {"prompt": "Should rents be limited?", "chosen": "Yes, by law.", "rejected": "No."}, kind="pairs", encoding=""),
    ),
    Cause(
        "Parquet with bytes and NaN",
        parquet("a.parquet", {"text": [b"caf\xe9 talk", None], "id": [1.5, float("nan")]}),
        Opened(2, {"text": "caf� talk", "id": "1.5"}, encoding=""),
    ),
    Cause("Parquet without rows", parquet("a.parquet", {"text": []}), Refused("holds no rows")),
    Cause("wrong magic", raw("a.parquet", b"XXXX" + bytes(200) + b"XXXX"), Refused("can't be read as Parquet")),
    Cause("only Parquet's magic", raw("a.parquet", b"PAR1 nothing"), Refused("can't be read as Parquet")),
    Cause("ZIP called .parquet", raw("a.parquet", ZIP), Refused("is a ZIP archive")),
    Cause(
        "pairs with empty answers",
        value("a.json", [{**ROW, "chosen": ""}, {**ROW, "rejected": None}]),
        Opened(2, {"chosen": "", "rejected": ROW["rejected"]}, kind="pairs"),
    ),
]
