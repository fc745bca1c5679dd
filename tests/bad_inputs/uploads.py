"""Broken and hostile uploads beside data: own statements, prompt sets, people's codes."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from pipelines.comparing import prompts
from pipelines.stance import human_codes, own_items
from tests.bad_inputs.trial import Taken, files, places, sparse
from tests.bad_inputs.writing import raw

ITEMS = "text,opposite,axis,key,topic\n"
GOOD = '"Taxes are too high.","Taxes are too low.",economic,1,taxes\n'
CODES = "question,sample,column,code\n"
ASKED: Any = SimpleNamespace(answers=[{"question": "q-1", "sample": 0, "column": "base"}])
BIDI = "\u202eTaxes\u2066 are too high."


def _item(text: str = "Taxes are too high.", opposite: str = "Taxes are too low.", axis: str = "economic", key: str = "1") -> str:
    return f'{ITEMS}"{text}","{opposite}",{axis},{key},taxes\n'


STATEMENTS = files(
    "own statements",
    lambda path: [item.text for item in own_items.read(path)],
    "own.csv",
    {
        "an empty file": ("", "lacks the columns text, opposite"),
        "only the column names": (ITEMS, "holds no statements"),
        "other column names": ("statement,side\nTaxes,left\n", "lacks the columns text"),
        "semicolons instead of commas": (ITEMS.replace(",", ";") + GOOD.replace(",", ";"), "lacks the columns"),
        "Latin-1": (_item("Größe zählt.").encode("latin-1"), "is no UTF-8 text"),
        "UTF-16": ((ITEMS + GOOD).encode("utf-16"), "is no UTF-8 text"),
        "an Excel workbook": (b"PK\x03\x04" + bytes(range(256)), "is no UTF-8 text"),
        "more than a megabyte": (sparse("own.csv", own_items.MAX_BYTES + 1), "is larger than 1 MB"),
        "a quotation mark that is never closed": (ITEMS + '"Taxes are too high.', "no whole CSV file"),
        "a quotation mark inside a cell": (ITEMS + '"Tax"es","No taxes",economic,1,x\n', "no whole CSV file"),
        "an axis that is none": (_item(axis="vertical"), "has the axis “vertical”"),
        "a key of 2": (_item(key="2"), "has the key “2”"),
        "a key of NaN": (_item(key="nan"), "has the key “nan”"),
        "a key of 1.0": (_item(key="1.0"), "has the key “1.0”"),
        "a key of a thousand letters": (_item(key="k" * 1_000), "has the key “kkk"),
        "all keys alike": (ITEMS + GOOD + GOOD.replace("axes", "ents"), "All economic statements"),
        "a blank statement": (_item("   "), "has no text"),
        "a statement of zero-width characters": (_item("\u200b\u2060\ufeff"), "has no text"),
        "a statement of punctuation": (_item("?!"), "has no text"),
        "no opposite": (_item(opposite=""), "has no opposite"),
        "a statement that is its own opposite": (_item("taxes are too LOW."), "is the same as its opposite"),
        "a statement of 301 characters": (_item("x" * 301), "has 301 characters"),
        "a topic of 301 characters": (ITEMS + GOOD.replace("taxes\n", "x" * 301), "has 301 characters"),
        "a cell of 200,000 characters": (_item("x" * 200_000), "own.csv"),
        "a NUL character": (_item("Taxes\x00 are too high."), "holds a control character"),
        "an escape character": (_item("Taxes\x1b[31m are too high."), "holds a control character"),
        "501 statements": (ITEMS + GOOD * 501, "holds 501 statements"),
        "an unquoted comma": (ITEMS + "Taxes, fees,No fees,economic,1,x\n", "has the axis"),
        "the header twice": (ITEMS + ITEMS, "has the axis “axis”"),
        "a statement that is a formula": (_item("=1+2 taxes"), Taken(["=1+2 taxes"])),
        "a statement with a script": (_item("<script>alert(1)</script>"), Taken(["<script>alert(1)</script>"])),
        "bidi controls": (_item(BIDI), Taken([BIDI])),
    },
) + places("own statements", own_items.read, ".csv")

PROMPTS = (
    files(
        "prompt set",
        lambda path: [prompt.text for prompt in prompts.read_csv(path).prompts],
        "set.csv",
        {
            "an empty file": ("", "is empty"),
            "only blank lines": (" \n\t\n", "is empty"),
            "only the column names": ("id,question\n", "holds no question"),
            "other column names": ("frage,thema\nWer zahlt?,Steuern\n", "has no column called question"),
            "questions of blanks": ("question\n   \n \t\n", "holds no question"),
            "questions of zero-width characters": ('question\n"\u200b"\n"\u2060\u200d"\n', "holds no question"),
            "broken UTF-8": (
                "question\nWer zahlt für Größe, und überall?\n".encode() + b"Who pays\xff?\n",
                "Line 3 of set.csv is not UTF-8",
            ),
            "half a character": ("question\nWer zahlt für Größe, und überall?\n".encode() + b"\xed\xa0\x80?\n", "is not UTF-8"),
            "Windows-1252": ("question\nWer zahlt für Größe?\n".encode("cp1252"), Taken(["Wer zahlt für Größe?"])),
            "a NUL character": ("question\nWho\x00 pays?\n", "holds a NUL character"),
            "a file of zeros": (bytes(5_000), "is not text"),
            "an Excel workbook": (b"PK\x03\x04" + bytes(200), "is a ZIP archive or an Excel workbook"),
            "a web page": ("<!DOCTYPE html><html>Sign in</html>", "is a web page"),
            "more than a megabyte": (sparse("set.csv", prompts.MAX_BYTES + 1), "is larger than 1 MB"),
            "a question of 601 characters": (f"question\n{'x' * 601}\n", "has 601 characters"),
            "a megabyte in one line": (f"question\n{'x' * 999_000}\n", "set.csv"),
            "an id of 81 characters": (f"id,question\n{'x' * 81},Who pays?\n", "has 81 characters"),
            "a topic of 81 characters": (f"topic,question\n{'x' * 81},Who pays?\n", "has 81 characters"),
            "an id twice": ("id,question\na,Who pays?\na,Who votes?\n", "The id “a” in line 3"),
            "501 questions": ("question\n" + "Who pays?\n" * 501, "more than 500 questions"),
            "a quotation mark that is never closed": ('question\n"Who pays?\n', "a quotation mark is never closed"),
            "a quotation mark in a wrong place": ('question\n"Who" pays?\n', "a quotation mark stands in a wrong place"),
            "an unquoted comma": ("id,question\n1,Who pays, and why?\n", "has more cells than there are columns"),
            "another ending": (raw("set.docx", b"Who pays?"), "is neither a prompt set"),
            "no ending": (raw("set", b"Who pays?"), "is neither a prompt set"),
            "UTF-16": ("question\nWho pays?\n".encode("utf-16"), Taken(["Who pays?"])),
            "a question that is a formula": ('question\n"=HYPERLINK(""x"")"\n', Taken(['=HYPERLINK("x")'])),
            "a question with a script": ("question\n<script>alert(1)</script>\n", Taken(["<script>alert(1)</script>"])),
            "no header at all": ("Who pays?\nWho votes?\n", Taken(["Who pays?", "Who votes?"])),
        },
    )
    + places("prompt set", prompts.read_csv, ".csv", "There is no file called")[:3]
    + places("prompt set", prompts.read_csv, ".csv")[3:]
)

PEOPLE = files(
    "people's codes",
    lambda path: human_codes.read(path, ASKED),
    "codes.csv",
    {
        "an empty file": ("", "has no column called question"),
        "no column of codes": ("question,sample,column\nq-1,0,base\n", "has no column called code"),
        "no codes": (CODES + "q-1,0,base,\n", "holds no codes"),
        "Latin-1": ((CODES + "q-ß,0,base,1\n").encode("latin-1"), "is no UTF-8 text"),
        "more than 32 MB": (sparse("codes.csv", human_codes.MAX_BYTES + 1), "is larger than 32 MB"),
        "a code of 2": (CODES + "q-1,0,base,2\n", "has the code “2”"),
        "a code of NaN": (CODES + "q-1,0,base,nan\n", "has the code “nan”"),
        "a code that is a word": (CODES + "q-1,0,base,right\n", "has the code “right”"),
        "a code of a hundred thousand letters": (CODES + f"q-1,0,base,{'1' * 100_000}\n", "has the code “111"),
        "a sample that is a word": (CODES + "q-1,first,base,1\n", "has the sample “first”"),
        "a sample below zero": (CODES + "q-1,-1,base,1\n", "has the sample “-1”"),
        "a sample of 5,000 digits": (CODES + f"q-1,{'9' * 5_000},base,1\n", "has the sample “999"),
        "a sample in other digits": (CODES + "q-1,٠,base,1\n", "has the sample “٠”"),
        "an answer that nobody gave": (CODES + "q-2,0,base,1\n", "does not have (q-2, 0, base)"),
        "an answer coded twice": (CODES + "q-1,0,base,1\nq-1,0,base,0\n", "was coded before"),
        "a quotation mark that is never closed": (CODES + '"q-1,0,base,1\n', "no whole CSV file"),
        "semicolons and a defused minus": (CODES.replace(",", ";") + "q-1;0;base;'-1\n", Taken({("q-1", 0, "base"): -1})),
    },
) + places("people's codes", lambda path: human_codes.read(path, ASKED), ".csv")

TRIALS = [*STATEMENTS, *PROMPTS, *PEOPLE]
