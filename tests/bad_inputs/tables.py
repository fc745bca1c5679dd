"""Broken and hostile CSV, TSV and text files, and files that are not what their names say."""

from __future__ import annotations

from tests.bad_inputs.cause import Cause, Opened, Refused
from tests.bad_inputs.writing import POST, packed, raw, text

LONG = "word " * 200_000
HEADER = "id,text\n"
ZIP = b"PK\x03\x04\x14\x00\x06\x00\x08\x00" + bytes(range(256)) * 4
CP1252 = "id,text\n1,À quel âge doit-on voter?\n2,Déjà à seize ans\n"

CAUSES = [
    Cause("empty file", raw("a.csv", b""), Refused("is empty")),
    Cause("only white space", text("a.csv", "\n \n\t\n"), Refused("holds no rows")),
    Cause("only a header", text("a.csv", HEADER), Refused("holds no rows")),
    Cause(
        "header twice",
        text("a.csv", f"{HEADER}1,{POST}\n{HEADER}2,{POST}\n"),
        Opened(2, {"id": "1"}, ("1 row repeated the header and was left out (line 3)",)),
    ),
    Cause(
        "duplicate column names",
        text("a.csv", f"id,text,text\n1,{POST},second\n"),
        Opened(1, {"text": POST}, ("The column “text” appears more than once; column 3 is called “text_2”",)),
    ),
    Cause("column without a name", text("a.csv", f"text,,\n{POST},b,c\n"), Opened(1, {"text": POST})),
    Cause("no known column and no text", text("a.csv", "x,y\n1,2\n"), Refused("were not recognized (found: x, y)")),
    Cause(
        "unclosed quote at the end",
        text("a.csv", f'{HEADER}1,{POST}\n2,"{POST}\n3,{POST}\n'),
        Refused("The row in line 3 of a.csv can't be read (a quotation mark is never closed"),
    ),
    Cause(
        "unclosed quote through a large file",
        text("a.csv", f'{HEADER}1,"{POST}\n' + f"2,{POST}\n" * 60_000),
        Refused("The row in line 2 of a.csv can't be read (a cell has more than 2,000,000"),
    ),
    Cause(
        "ragged rows",
        text("a.csv", f"{HEADER}1,{POST},extra,more\n2\n3,{POST}\n"),
        Opened(
            3, {"text": POST}, ("1 row had more cells than the header; the extra cells were left out (line 2)", "1 row had fewer cells")
        ),
    ),
    Cause(
        "commas in a table of one column",
        text("a.csv", f"text\n{POST} Yes, very, truly\n"),
        Opened(1, {"text": f"{POST} Yes, very, truly"}),
    ),
    Cause(
        "5,000 columns",
        text("a.csv", ",".join(f"c{n}" for n in range(5_000)) + "\n" + "," * 4_999 + "\n"),
        Refused("has 5,000 columns; at most 1,000"),
    ),
    Cause("cell of a million characters", text("a.csv", f"{HEADER}1,{LONG}\n2,{POST}\n"), Opened(2, {"text": LONG})),
    Cause(
        "line of 9 MB", text("a.txt", f"{POST}\n" + "x" * 9_000_000 + "\n"), Refused("Line 2 of a.txt is longer than 8,000,000 characters")
    ),
    Cause("line ends of CR only", text("a.csv", f"id,text\r1,{POST}\r2,{POST}\r"), Opened(2, {"id": "1", "text": POST})),
    Cause("line breaks inside cells", text("a.csv", f'{HEADER}1,"{POST}\r\nMore\rof it"\n'), Opened(1, {"text": f"{POST}\r\nMore\rof it"})),
    Cause(
        "formulas in cells",
        text("a.csv", HEADER + '1,"=HYPERLINK(""http://example.org"",""Win"")"\n2,@SUM(1+1)*cmd\n'),
        Opened(2, {"text": '=HYPERLINK("http://example.org","Win")'}),
    ),
    Cause(
        "HTML and script in cells",
        text("a.csv", f"{HEADER}1,<script>alert(1)</script> {POST}\n"),
        Opened(1, {"text": f"<script>alert(1)</script> {POST}"}),
    ),
    Cause(
        "NUL bytes",
        raw("a.csv", f"{HEADER}1,{POST[:5]}\x00{POST[5:]}\n2,\x00\x00{POST}\n".encode()),
        Opened(2, {"text": POST}, ("3 NUL characters were removed (the first in line 2)",)),
    ),
    Cause(
        "mixed encodings",
        raw("a.csv", "id,text\n1,Größe für Fußgänger überall\n".encode() + "2,Straße\n".encode("cp1252")),
        Opened(2, {"text": "Größe für Fußgänger überall"}, ("1 place could not be decoded and was replaced by “�” (line 3)",)),
    ),
    Cause(
        "broken bytes after a megabyte",
        raw("a.txt", f"{POST} Größe\n".encode() * 30_000 + b"broken \xff\xfe here\n" + b"\xc3\n"),
        Opened(30_002, {"text": f"{POST} Größe"}, ("2 places could not be decoded and were replaced by “�” (the first in line 30,001)",)),
    ),
    Cause(
        "UTF-8 cut inside a character",
        raw("a.txt", f"{POST} Größe für überall".encode() + "ß".encode()[:1]),
        Opened(1, {"text": f"{POST} Größe für überall�"}, ("1 place could not be decoded",)),
    ),
    Cause(
        "Latin-1",
        text("a.csv", CP1252, "latin-1"),
        Opened(2, {"text": "À quel âge doit-on voter?"}, ("The encoding was guessed as cp1252",), encoding="cp1252"),
    ),
    Cause("UTF-16 with a mark", text("a.csv", CP1252, "utf-16"), Opened(2, {"text": "À quel âge doit-on voter?"}, encoding="utf-16")),
    Cause(
        "UTF-16 without a mark",
        text("a.csv", CP1252, "utf-16-le"),
        Opened(2, {"text": "À quel âge doit-on voter?"}, ("The encoding was guessed as utf-16-le",), encoding="utf-16-le"),
    ),
    Cause("UTF-7", text("a.csv", f"{HEADER}1,+ADw-script+AD4- {POST}\n"), Opened(1, {"text": f"+ADw-script+AD4- {POST}"})),
    Cause(
        "byte order mark in the middle",
        text("a.csv", f'\ufeff{HEADER}1,{POST}\n\ufeff"2","{POST}"\n'),
        Opened(2, {"id": "1"}, ("1 byte order mark inside the text was removed (line 3)",)),
    ),
    Cause("bidi controls", text("a.csv", f"{HEADER}1,\u202e{POST}\u2066\n"), Opened(1, {"text": f"\u202e{POST}\u2066"})),
    Cause("zero-width characters", text("a.csv", f"{HEADER}1,T\u200ba\u200dx\u2060es\n"), Opened(1, {"text": "T\u200ba\u200dx\u2060es"})),
    Cause("binary data called .csv", raw("a.csv", bytes(range(256)) * 40), Refused("is not text")),
    Cause("zeros called .txt", raw("a.txt", bytes(5_000)), Refused("is not text")),
    Cause("Excel workbook called .csv", raw("a.csv", ZIP), Refused("is a ZIP archive or an Excel workbook")),
    Cause("Parquet called .csv", raw("a.csv", b"PAR1" + bytes(100)), Refused("is a Parquet file")),
    Cause("web page called .csv", text("a.csv", "\n<!DOCTYPE html><html>Sign in</html>"), Refused("is a web page")),
    Cause(
        "Git LFS pointer",
        text("a.jsonl", "version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 9\n"),
        Refused("is a Git LFS pointer"),
    ),
    Cause("unknown ending", text("a.docx", POST), Refused("can't be opened")),
    Cause("all texts empty", text("a.csv", f"{HEADER}1,\n2,\n"), Opened(2, {"text": ""})),
    Cause("only duplicates", text("a.csv", HEADER + f"1,{POST}\n" * 3), Opened(3, {"id": "1"})),
    Cause(
        "colliding ids",
        text("a.csv", HEADER + "".join(f"{n},{POST}\n" for n in ("row-2", "", "row-2", "row-2-3", " row-2 "))),
        Opened(5, {"id": "row-2"}),
    ),
    Cause(
        "cut-off gzip",
        packed("a.csv.gz", (HEADER + "".join(f"{n * n},{POST} {n**3}\n" for n in range(5_000))).encode(), 0.6),
        Refused("can't be unpacked"),
    ),
    Cause("text called .gz", text("a.csv.gz", HEADER + POST), Refused("can't be unpacked")),
    Cause("gzip without .gz", packed("a.csv", b"text\n" * 100), Refused("is packed with gzip")),
    Cause("gzip bomb", packed("a.txt.gz", (b"word " * 200_000 + b"\n") * 110), Refused("unpacks to more than 200 times its size")),
    Cause(
        "small gzip over the limit",
        packed("a.txt.gz", b"word " * 20 * 30_000),
        Refused("is more than 2.0 MB when unpacked"),
        max_bytes=2_000_000,
    ),
    Cause(
        "file over the limit",
        text("a.txt", f"{POST}\n" * 10_000),
        Refused("is 0.4 MB; at most 0.1 MB can be opened here"),
        max_bytes=100_000,
    ),
]
