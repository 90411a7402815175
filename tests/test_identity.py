"""Whether a file is still the same: told by its size, its time of change and its footer."""

from __future__ import annotations

import os
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path

import fsspec
import numpy as np
import pyarrow as pa
import pytest

from logitpack import UsageError
from logitpack import identity as module
from logitpack.identity import checker, identity
from logitpack.resources import schema_folder
from logitpack_conformance.rows import described, valid_rows
from support import table, write_parquet
from webserver import Web, serving

ROWS = table(valid_rows((3, 2)), metadata=described())


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A Parquet file."""
    return write_parquet(tmp_path / "x.parquet", ROWS)


@pytest.fixture
def web(path: Path) -> Iterator[Web]:
    """Its folder on a web server."""
    with serving(path.parent) as web:
        yield web


def footer_of(path: Path) -> bytes:
    """Give the footer of a Parquet file, with its length and what follows that."""
    content = path.read_bytes()
    return content[-8 - int.from_bytes(content[-8:-4], "little") :]


def test_local_file(path: Path) -> None:
    """Size, time in ns, and the digest of the whole footer."""
    status = path.stat()
    expected = (status.st_size, str(status.st_mtime_ns), sha256(footer_of(path)).hexdigest())
    assert expected == identity(path)


def test_long_footer(tmp_path: Path) -> None:
    """A footer of any length is in the digest."""
    fields = {f"column-{number}": pa.array([number]) for number in range(1000)}
    path = write_parquet(tmp_path / "wide.parquet", pa.table(fields))
    assert (True, sha256(footer_of(path)).hexdigest()) == (len(footer_of(path)) > 1 << 16, identity(path).footer)


@pytest.mark.parametrize("size", [0, 5, 100_000])
def test_other_files(tmp_path: Path, size: int) -> None:
    """Of a file without such a footer, its last bytes are in the digest."""
    path = tmp_path / "x.arrows"
    path.write_bytes(np.random.default_rng(1).bytes(size))
    assert (size, sha256(path.read_bytes()[-65_536:]).hexdigest()) == (identity(path).size, identity(path).footer)


def test_touched_file_is_another(path: Path) -> None:
    """A file that was written again is not taken for the one before."""
    before = identity(path)
    os.utime(path, ns=(1, 1))
    assert (before.size, before.footer, "1") == (identity(path).size, identity(path).footer, identity(path).changed)


def test_behind_a_url(path: Path, web: Web) -> None:
    """The web server's ETag stands for the time; the rest is as of the local file."""
    expected = identity(path)._replace(changed=f'"{path.stat().st_size}"')
    assert expected == identity(f"{web.url}/x.parquet")


def test_large_file_behind_a_url(path: Path, web: Web) -> None:
    """Of a large file, only its ends are fetched."""
    with path.open("r+b") as file:
        content = file.read()
        file.seek(10_000_000)
        file.write(content)
    assert (identity(path).footer, True) == (identity(f"{web.url}/x.parquet").footer, web.bytes < 100_000)


def test_in_memory(path: Path) -> None:
    """Another file system has another name for the time of change."""
    with fsspec.open("memory://x.parquet", "wb") as file:
        file.write(path.read_bytes())
    found = identity("memory://x.parquet")
    assert (identity(path).footer, True) == (found.footer, found.changed is not None)


@pytest.mark.parametrize("name", ["nothing", "."])
def test_nothing_there(path: Path, name: str) -> None:
    """What cannot be read has no identity."""
    with pytest.raises(UsageError, match="cannot be read"):
        identity(path.parent / name)


@pytest.mark.parametrize("name", ["screen.py", "columns.json"])
def test_a_changed_checker_is_another(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    """One character of a source or of a table is enough, whatever the version says."""
    (tmp_path / "code").mkdir()
    for source in [*Path(module.__file__).parent.glob("*.py"), *schema_folder().glob("*.json")]:
        (tmp_path / "code" / source.name).write_bytes(source.read_bytes())
    monkeypatch.setattr(module, "__file__", str(tmp_path / "code" / "identity.py"))
    monkeypatch.setattr(module, "schema_folder", lambda: tmp_path / "code")
    before = checker.__wrapped__()
    (tmp_path / "code" / name).write_bytes((tmp_path / "code" / name).read_bytes() + b"\n")
    assert before != checker.__wrapped__()
    assert checker.__wrapped__() == checker.__wrapped__()
