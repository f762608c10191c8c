"""Finished shards on disk: items and what their annotations become, in blocks, beside a record of what they are.

Blocks are pickles, the one form that keeps every value of the model as it is and costs microseconds an annotation;
they are read back by an unpickler that knows the classes of the model and nothing else, so that a file that somebody
changed can at worst be refused.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import pickle
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from maskcodec.errors import FormatError
from maskcodec.model.annotations import Annotation
from maskcodec.model.dataset import Item

__all__ = ["Pair", "record", "read_blocks", "replace", "write_part"]

Pair = tuple[Item, list[Annotation] | None]
_ITEMS = 64  # items a block
_CLASSES = {"maskcodec.model.annotations", "maskcodec.model.dataset"}
_FUNCTIONS = {
    ("maskcodec._native.runs", "unpickle"),
    ("builtins", "complex"), ("builtins", "bytearray"), ("builtins", "set"), ("builtins", "frozenset"),
    ("collections", "OrderedDict"),
    ("datetime", "date"), ("datetime", "datetime"), ("datetime", "time"), ("datetime", "timedelta"),
    ("datetime", "timezone"), ("decimal", "Decimal"), ("numpy", "ndarray"), ("numpy", "dtype"),
}  # fmt: skip
_NUMPY = {("numeric", "_frombuffer"), ("multiarray", "_reconstruct"), ("multiarray", "scalar")}


class _Unpickler(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> Any:
        own = module in _CLASSES and name[:1].isupper()
        package, _, inner = module.rpartition(".")
        arrays = package in ("numpy.core", "numpy._core") and (inner, name) in _NUMPY
        if own or arrays or (module, name) in _FUNCTIONS:
            return super().find_class(module, name)
        raise pickle.UnpicklingError(f"{module}.{name} has no place in a part")


def replace(path: Path, data: bytes) -> None:
    """Write a small file, complete or not at all."""
    part = path.with_name(f"{path.name}.{os.getpid()}")
    with part.open("wb") as stream:
        stream.write(data)
        stream.flush()
        os.fsync(stream.fileno())
    os.replace(part, path)


def write_part(path: Path, pairs: Iterable[Pair]) -> tuple[int, str]:
    """Write the blocks of a part, complete or not at all.

    Returns:
        The number of items, and a digest of the file.
    """
    part = path.with_name(f"{path.name}.{os.getpid()}")
    digest, count = hashlib.blake2b(digest_size=16), 0
    try:
        with part.open("wb") as stream:
            for block in _blocks(pairs):
                count += len(block)
                data = pickle.dumps(block, 4)
                for piece in (len(data).to_bytes(8, "little"), data):
                    digest.update(piece)
                    stream.write(piece)
            stream.flush()
            os.fsync(stream.fileno())
        os.replace(part, path)
    finally:
        part.unlink(missing_ok=True)
    return count, digest.hexdigest()


def _blocks(pairs: Iterable[Pair]) -> Iterator[list[Pair]]:
    block: list[Pair] = []
    for pair in pairs:
        block.append(pair)
        if len(block) == _ITEMS:
            yield block
            block = []
    if block:
        yield block


def read_blocks(path: Path) -> Iterator[Pair]:
    """The pairs of a part, in order, a block in memory at a time.

    Raises:
        FormatError: the file is cut or is no part.
    """
    with path.open("rb") as stream:
        while head := stream.read(8):
            size = int.from_bytes(head, "little")
            data = stream.read(size) if size <= os.fstat(stream.fileno()).st_size else b""
            if len(head) != 8 or len(data) != size:
                raise FormatError("ends in the middle of a block; remove it and run the shard again", file=str(path))
            try:
                yield from _Unpickler(io.BytesIO(data)).load()
            except (pickle.UnpicklingError, AttributeError, EOFError, ImportError, IndexError) as error:
                raise FormatError(f"is not a part of a shard: {error}", file=str(path)) from error


def record(path: Path) -> dict[str, Any] | None:
    """What the record beside a part says, if the part is there as the record says; else None."""
    try:
        found = json.loads(path.with_suffix(".json").read_bytes())
        with path.open("rb") as stream:
            digest = hashlib.blake2b(digest_size=16)
            while block := stream.read(1 << 20):
                digest.update(block)
    except (OSError, ValueError):
        return None
    good = isinstance(found, dict) and found.get("digest") == digest.hexdigest()
    return found if good else None
