"""Files packed with gzip or zstd, read as if they were not; what is damaged or grows like a bomb is refused."""

from __future__ import annotations

import gzip
import io
import zlib
from pathlib import Path
from typing import IO, Any

from pipelines.errors import StudioError

CHUNK = 1 << 20
PACKED = {".gz": "gzip", ".zst": "zstd", ".zstd": "zstd"}
BOMB_BYTES, BOMB_RATIO = 100 << 20, 200


class _Unpacked(io.RawIOBase):
    """The unpacked bytes of a packed file.

    Raises StudioError where it is damaged, cut off, larger than `limit` bytes, or grows like an archive bomb.
    """

    def __init__(self, path: Path, kind: str, limit: int | None) -> None:
        self.path, self.limit, self.count, self.packed = path, limit, 0, path.stat().st_size
        self.inner: Any = gzip.GzipFile(path) if kind == "gzip" else _zstd(path)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        try:
            data = self.inner.read(len(buffer))
        except (EOFError, zlib.error, gzip.BadGzipFile, OSError) as error:
            reason = str(error).split("\n")[0][:120]
            raise StudioError(
                f"{self.path.name} can't be unpacked ({reason}).", "It is damaged or cut off; download or pack it again."
            ) from error
        self.count += len(data)
        if self.limit is not None and self.count > self.limit:
            raise StudioError(
                f"{self.path.name} is more than {megabytes(self.limit)} when unpacked.", "Use a part of it, or the command line."
            )
        if self.count > BOMB_BYTES and self.count > BOMB_RATIO * self.packed:
            raise StudioError(f"{self.path.name} unpacks to more than {BOMB_RATIO} times its size.", "Unpack it yourself if you trust it.")
        buffer[: len(data)] = data
        return len(data)

    def close(self) -> None:
        self.inner.close()
        super().close()


def _zstd(path: Path) -> Any:
    import pyarrow

    return pyarrow.input_stream(str(path), compression="zstd")


def megabytes(count: int) -> str:
    """A size for people: 12 MB, 0.5 MB."""
    return f"{count / 1e6:.{0 if count >= 10_000_000 else 1}f} MB"


def open_bytes(path: Path, limit: int | None = None) -> IO[bytes]:
    """A file's bytes, unpacked where it ends in .gz or .zst; at most `limit` unpacked bytes. Raises StudioError and OSError."""
    kind = PACKED.get(path.suffix.lower())
    return io.BufferedReader(_Unpacked(path, kind, limit), CHUNK) if kind else path.open("rb")
