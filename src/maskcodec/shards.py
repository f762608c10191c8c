"""Conversion in shards: plan once, run the shards anywhere and in any order, merge.

``run_shard`` is a function of the manifest and a number alone: a process pool, an engine or a loop in a shell may call
it. It does what looks at one annotation at a time (parse, check, convert, rasterise); ``merge_shards`` does what looks
at all of them (names, numbers, tables) with the same code as ``convert``, so the output is the same to the byte for any
number of shards and workers. Finished shards are not run again; a source that has changed is refused.
"""

from __future__ import annotations

import hashlib
import json
import multiprocessing
import os
import shutil
import sys
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from maskcodec import __version__, registry
from maskcodec._parts import Pair, read_blocks, record, write_part
from maskcodec._parts import replace as replace_file
from maskcodec.errors import Error, FormatError
from maskcodec.formats._shared.carry import shown_annotations
from maskcodec.formats._shared.source import Source
from maskcodec.model.dataset import Dataset, Item
from maskcodec.model.losses import LossReport

__all__ = ["convert", "merge_shards", "plan_shards", "run_shard"]

_PathLike = str | os.PathLike[str]
Manifest = dict[str, Any]
_EACH = 4  # shards a worker, so that one long shard does not keep the others waiting
_KEYS = ("source", "fingerprint", "format", "to", "target", "on_error", "on_loss", "media", "options", "bounds", "work")


@dataclass
class _Open:
    """A source that this process has open, and the shards that were run on it."""

    key: str
    dataset: Dataset
    of_writer: dict[str, Any]
    before: LossReport
    run: set[int] = field(default_factory=set)


_open: list[_Open] = []  # at most one


def fingerprint(path: _PathLike) -> str:
    """What tells whether a source has changed: names, sizes and times of its files."""
    source, root = Source(path, on_error="skip"), Path(path)
    digest = hashlib.blake2b(digest_size=16)
    for name in source.files if source.kind == "folder" else [""]:
        found = (root / name if name else root).stat()
        digest.update(f"{name}\0{found.st_size}\0{found.st_mtime_ns}\0".encode("utf-8", "surrogatepass"))
    return digest.hexdigest()


def plan_shards(
    source: _PathLike,
    n: int,
    target: _PathLike,
    to: str,
    *,
    format: str | None = None,
    work: _PathLike | None = None,
    on_error: str = "raise",
    on_loss: str = "warn",
    media: str = "reference",
    overwrite: bool = False,
    **options: Any,
) -> Manifest:
    """Divide a conversion into ``n`` shards of about equal numbers of items; nothing is converted yet.

    Planning the same conversion again finds what was done already: finished shards are kept.

    Args:
        source: folder, zip or file to read.
        n: number of shards, 1 or more; more shards than items are empty ones.
        target: what ``merge_shards`` will write, as of ``write``.
        to: format to write.
        format: format to read; None: by content.
        work: folder for the manifest and the parts; None: ``.shards-<name>`` beside the target.
        on_error, on_loss, media, overwrite, options: as of ``convert``; options must be what JSON can hold.

    Returns:
        The manifest, a dict that JSON can hold. It also lies in the work folder as ``manifest.json``; the functions
        below take either.

    Raises:
        FormatError: the work folder holds another conversion, or the source has changed since it was planned.

    Example:
        >>> import tempfile
        >>> from maskcodec import Box, Category, Dataset, Item, LabelSchema, write
        >>> folder = tempfile.mkdtemp()
        >>> items = [Item(f"{i}", f"{i}.png", width=8, height=8, annotations=[Box(1, 1, 4, 3, category_id=1)])
        ...          for i in range(5)]
        >>> _ = write(Dataset(LabelSchema([Category(1, "cat")]), items), f"{folder}/in", "coco_instances")
        >>> manifest = plan_shards(f"{folder}/in", 2, f"{folder}/out", "yolo", on_loss="ignore")
        >>> [run_shard(manifest, k)["items"] for k in (1, 0)]
        [3, 2]
        >>> len(merge_shards(manifest)) > 0
        True
    """
    if n < 1:
        raise ValueError(f"n: expected at least one shard, got {n}")
    chosen = registry.get_format(to)
    registry._check_loss(on_loss)
    try:
        options = json.loads(json.dumps(options, allow_nan=False))
    except (TypeError, ValueError) as error:
        raise TypeError(f"options of a conversion in shards must be what JSON can hold: {error}") from error
    held = _Open("", *registry.opened(source, chosen, format, on_error, options, stop=on_loss == "raise"), LossReport())
    held.before = LossReport().merge(held.dataset.report)
    count = len(held.dataset.items)
    target = os.path.abspath(target)
    folder = Path(os.path.abspath(work)) if work is not None else _beside(target)
    manifest: Manifest = {
        "maskcodec": __version__,
        "source": os.path.abspath(source),
        "fingerprint": fingerprint(source),
        "format": held.dataset.source.format if held.dataset.source is not None else format,
        "to": chosen.name,
        "target": target,
        "on_error": on_error,
        "on_loss": on_loss,
        "media": media,
        "overwrite": overwrite,
        "options": options,
        "bounds": [count * k // n for k in range(n + 1)],
        "work": str(folder),
    }
    written = folder / "manifest.json"
    if written.exists():
        before = _load(written)
        if before["fingerprint"] != manifest["fingerprint"] and before["source"] == manifest["source"]:
            raise FormatError(
                "the source has changed since this conversion was planned; remove the folder to start again",
                file=str(folder),
            )
        changed = [key for key in ("maskcodec", *_KEYS) if before.get(key) != manifest[key]]
        if changed:
            raise FormatError(
                f"holds another conversion ({', '.join(changed)} differ); remove it to start again", file=str(folder)
            )
    folder.mkdir(parents=True, exist_ok=True)
    replace_file(written, json.dumps(manifest, indent=1).encode() + b"\n")
    held.key = _key(manifest)
    _open[:] = [held]
    return manifest


def _beside(target: _PathLike) -> Path:
    head, name = os.path.split(os.path.abspath(target))
    return Path(head, f".shards-{name}")


def _resumed(target: _PathLike) -> int:
    """Number of shards of a run that was killed, whatever the number of jobs is now; 0 when there was none."""
    left = _beside(target) / "manifest.json"
    return len(_load(left)["bounds"]) - 1 if left.exists() else 0


def _load(manifest: Manifest | _PathLike) -> Manifest:
    if isinstance(manifest, Mapping):
        found: Any = dict(manifest)
        where = "manifest"
    else:
        path = Path(manifest)
        path = path / "manifest.json" if path.is_dir() else path
        where = str(path)
        try:
            found = json.loads(path.read_bytes())
        except ValueError as error:
            raise FormatError(f"is not a manifest: {error}", file=where) from error
    missing = [key for key in _KEYS if not isinstance(found, dict) or key not in found]
    if missing:
        raise FormatError(f"is not a manifest: it has no {', '.join(missing)}", file=where)
    return found  # type: ignore[no-any-return]


def _key(manifest: Manifest) -> str:
    parts = json.dumps({key: manifest[key] for key in ("maskcodec", *_KEYS)}, sort_keys=True)
    return hashlib.blake2b(parts.encode(), digest_size=16).hexdigest()


def _part(manifest: Manifest, k: int) -> Path:
    return Path(manifest["work"]) / f"part-{k:05}.bin"


def _finished(manifest: Manifest, k: int) -> dict[str, Any] | None:
    found = record(_part(manifest, k))
    return found if found is not None and found.get("plan") == _key(manifest) else None


def _opened(manifest: Manifest, k: int | None) -> _Open:
    """The source, opened once a process as long as no shard is asked for twice."""
    if fingerprint(manifest["source"]) != manifest["fingerprint"]:
        raise FormatError(
            "the source has changed since this conversion was planned; plan it again in an empty folder",
            file=manifest["source"],
        )
    key = _key(manifest)
    if not _open or _open[0].key != key or k in _open[0].run:
        chosen, stop = registry.get_format(manifest["to"]), manifest["on_loss"] == "raise"
        dataset, of_writer = registry.opened(
            manifest["source"], chosen, manifest["format"], manifest["on_error"], manifest["options"], stop=stop
        )
        if len(dataset.items) != manifest["bounds"][-1]:
            raise FormatError(
                f"{len(dataset.items)} items, {manifest['bounds'][-1]} were planned", file=manifest["source"]
            )
        _open[:] = [_Open(key, dataset, of_writer, LossReport().merge(dataset.report))]
    if k is not None:
        _open[0].run.add(k)
    return _open[0]


def run_shard(manifest: Manifest | _PathLike, k: int) -> dict[str, Any]:
    """Run one shard; nothing is done if it is finished already.

    Args:
        manifest: from ``plan_shards``, or the path of the work folder.
        k: from 0 to the number of shards minus 1.

    Returns:
        The record of the part: number of items, digest, and what reading and converting lost.

    Raises:
        FormatError: the source breaks the rules of its format, or has changed since the plan was made.
        LossError: ``on_loss`` is "raise" and something would be lost.
    """
    manifest = _load(manifest)
    if not 0 <= k < len(manifest["bounds"]) - 1:
        raise IndexError(f"shard {k} of {len(manifest['bounds']) - 1}")
    done = _finished(manifest, k)
    if done is not None:
        return done
    held = _opened(manifest, k)
    chosen, report = registry.get_format(manifest["to"]), LossReport(stop=manifest["on_loss"] == "raise")
    before = LossReport().merge(held.dataset.report)
    items = held.dataset.items[manifest["bounds"][k] : manifest["bounds"][k + 1]]
    count, digest = write_part(_part(manifest, k), _shown(held, items, chosen, report))
    found = {
        "plan": _key(manifest),
        "shard": k,
        "items": count,
        "digest": digest,
        "unread": held.dataset.report.since(before).to_json(),
        "losses": report.to_json(),
    }
    replace_file(_part(manifest, k).with_suffix(".json"), json.dumps(found).encode())
    return found


def _shown(held: _Open, items: Sequence[Item], chosen: Any, report: LossReport) -> Iterator[Pair]:
    if chosen.settle is not None:  # what the format holds is known when all items were seen
        yield from ((item, None) for item in items)
        return
    look = shown_annotations(chosen.capabilities(held.of_writer), report, held.dataset.schema)
    for item in items:
        yield item, look(item)


class _Parts:
    """The items of all parts; ``shown`` is what the shared write loop asks for."""

    def __init__(self, paths: list[Path], wait: Callable[[int], Any], tell: Callable[[int], None] | None) -> None:
        self._paths, self._wait, self._tell, self._passes = paths, wait, tell, 0

    def shown(self) -> Iterator[Pair]:
        tell, self._passes = (self._tell if self._passes == 0 else None), self._passes + 1
        done = 0
        for k, path in enumerate(self._paths):
            self._wait(k)
            for pair in read_blocks(path):
                yield pair
                done += 1
                if tell is not None:
                    tell(done)

    def __iter__(self) -> Iterator[Item]:
        return (item for item, _ in self.shown())


def merge_shards(manifest: Manifest | _PathLike, *, keep: bool = False) -> LossReport:
    """Write the target from the finished parts and remove the work folder.

    Args:
        manifest: from ``plan_shards``, or the path of the work folder.
        keep: leave the work folder where it is.

    Returns:
        What could not be kept, as of ``convert``.

    Raises:
        FormatError: shards are missing (they are named), or the source has changed.
    """
    manifest = _load(manifest)
    shards = range(len(manifest["bounds"]) - 1)
    records = [_finished(manifest, k) for k in shards]
    missing = [str(k) for k in shards if records[k] is None]
    if missing:
        raise FormatError(f"shards {', '.join(missing)} are not finished", file=manifest["work"])
    return _merge(manifest, records.__getitem__, keep)


def _merge(
    manifest: Manifest,
    wait: Callable[[int], Any],
    keep: bool,
    tell: Callable[[int], None] | None = None,
    jobs: int = 1,
) -> LossReport:
    held = _opened(manifest, None)
    shards = range(len(manifest["bounds"]) - 1)
    parts = _Parts([_part(manifest, k) for k in shards], wait, tell)
    unread = LossReport().merge(held.before)
    dataset = replace(held.dataset, items=parts, report=unread)
    report = LossReport(stop=manifest["on_loss"] == "raise")
    chosen = registry.get_format(manifest["to"])
    registry._write(
        dataset, manifest["target"], chosen, report, manifest["media"], manifest["overwrite"], held.of_writer, jobs
    )
    for k in shards:
        found = wait(k)
        report.merge(LossReport.from_json(found["losses"]))
        unread.merge(LossReport.from_json(found["unread"]))
    report.merge(unread)
    if not keep:
        shutil.rmtree(manifest["work"])
    registry._warn(report, manifest["on_loss"], f"converting {manifest['source']}")
    return report


def convert(
    src: _PathLike | bytes,
    dst: _PathLike,
    to: str,
    format: str | None = None,
    *,
    jobs: int = 1,
    progress: Callable[[int, int | None], None] | None = None,
    dry_run: bool = False,
    **how: Any,
) -> LossReport:
    """Read and write in one go, item by item, never the whole data set in memory.

    Args:
        src: what to read, as of ``read``.
        dst: what to write, as of ``write``.
        to: format to write.
        format: format to read; None: by content.
        jobs: worker processes; with 2 and more, they read and convert while this one writes. The output is the same to
            the byte. A run that was killed goes on where it was when it is started again.
        progress: called with the number of items done and their total (None when unknown).
        dry_run: predict the report only; nothing is written.
        how: ``on_error``, ``on_loss``, ``media``, ``overwrite`` as of ``read`` and ``write``, and the options of the
            reader and of the writer; an option that both have goes to both.

    Returns:
        What could not be kept, in reading (action ``unread``) and in writing.

    Raises:
        FormatError: the source breaks the rules of its format.
        FileExistsError: the target exists.
        Error: a worker process died.
    """
    if jobs < 1:
        raise ValueError(f"jobs: expected 1 or more, got {jobs}")
    if jobs == 1 or dry_run:
        return registry.convert(src, dst, to, format, progress=progress, dry_run=dry_run, **how)
    if isinstance(src, (bytes, bytearray, memoryview)):
        raise TypeError("workers open the source by its path: give one, or jobs=1")
    manifest = plan_shards(src, _resumed(dst) or _EACH * jobs, dst, to, format=format, **how)
    _check_target(manifest)
    total, tell = manifest["bounds"][-1], progress
    # A forked worker has the opened source already. With threads about, forking is not safe.
    fork = sys.platform == "linux" and threading.active_count() == 1
    context = multiprocessing.get_context("fork" if fork else "spawn")
    pool = ProcessPoolExecutor(jobs, context)
    futures: list[Future[dict[str, Any]]] = []
    try:
        futures += [pool.submit(run_shard, manifest, k) for k in range(len(manifest["bounds"]) - 1)]
        report = _merge(
            manifest, lambda k: futures[k].result(), False, None if tell is None else lambda done: tell(done, total),
            jobs,
        )
    except BrokenProcessPool as error:
        raise Error(f"a worker process died; run again to go on (parts are in {manifest['work']})") from error
    except Exception:  # an interrupted run leaves its parts, to go on from
        pool.shutdown(cancel_futures=True)
        shutil.rmtree(manifest["work"], ignore_errors=True)
        raise
    finally:
        pool.shutdown(cancel_futures=True)
    return report


def _check_target(manifest: Manifest) -> None:
    """What would refuse to be written is refused before the work is done."""
    target = Path(manifest["target"])
    taken = target.is_file() or target.is_dir() and any(target.iterdir())
    if taken and not manifest["overwrite"]:
        shutil.rmtree(manifest["work"], ignore_errors=True)
        raise FileExistsError(17, "the target exists (overwrite=True replaces it)", str(target))
