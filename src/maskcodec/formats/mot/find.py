"""Where the sequences of a MOT data set are, and what ``seqinfo.ini`` says of them."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from maskcodec.errors import FormatError, shorten
from maskcodec.formats._base import Confidence, NotThisFormat, Probe
from maskcodec.formats._shared.lines import lines
from maskcodec.formats._shared.naming import IMAGES
from maskcodec.formats._shared.source import Source

__all__ = ["CLASSES", "Sequence", "detect", "find", "images_of"]

CLASSES = (
    "pedestrian", "person on vehicle", "car", "bicycle", "motorbike", "non motorized vehicle", "static person",
    "distractor", "occluder", "occluder on the ground", "occluder full", "reflection", "crowd",
)  # fmt: skip
_FILE = re.compile(r"(?:(.*)/)?(gt/gt\.txt|det/det\.txt|seqinfo\.ini)")
_LONE = re.compile(r"(?:(.*)/)?(gt|det)\.txt")
_RESULT = re.compile(r"(?:(?:.*)/)?data/([^/]+)\.txt")
_NUMBER = rb"\s*[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?\s*"
_ROW = re.compile(rb"(?:\xef\xbb\xbf)?\s*-?\d+\s*,\s*-?\d+(?:\.0*)?\s*(?:," + _NUMBER + rb"){4,8}$")


@dataclass
class Sequence:
    """One sequence: its folder, files, and what is known of it."""

    folder: str
    truth: str = ""
    boxes: str = ""
    info: str = ""
    name: str | None = None
    subset: str = "default"
    fields: dict[str, str] = field(default_factory=dict)
    keys: dict[str, str] = field(default_factory=dict)
    former: dict[int, str] = field(default_factory=dict)

    def path(self, name: str) -> str:
        """A file of the sequence."""
        return f"{self.folder}/{name}" if self.folder else name

    def number(self, key: str, file: str) -> int:
        """A whole number out of ``seqinfo.ini``; 0 where it says none.

        Raises:
            FormatError: something else stands there.
        """
        text = self.fields.get(key.lower(), "") or "0"
        if not re.fullmatch("[0-9]{1,7}", text):
            message = f"expected a whole number, got {shorten(text)}"
            raise FormatError(message, file=file, record="[Sequence]", field=key)
        return int(text)


def _is_row(head: bytes) -> bool | None:
    """Whether the first line that counts is a row; None where there is none."""
    for raw in head.split(b"\n"):
        text = raw.strip()
        if text and text[:1] != b"#":
            return bool(_ROW.match(text))
    return None


def detect(probe: Probe) -> Confidence:
    """``gt/gt.txt`` or ``det/det.txt`` with comma separated numbers, or ``seqinfo.ini``."""
    reason = "no gt/gt.txt, det/det.txt, seqinfo.ini or data/<sequence>.txt"
    for name in probe.files:
        found, lone = _FILE.fullmatch(name), _LONE.fullmatch(name)
        if found and found.group(2) == "seqinfo.ini":
            if re.search(rb"^\s*\[sequence\]", probe.head(name), re.I | re.M):
                texts = [n for n in probe.files if n.endswith("/gt/gt.txt") or n == "gt/gt.txt"]
                if all(_is_row(probe.head(text)) is not False for text in texts):
                    return Confidence(80, f"{name} describes a sequence")
                raise NotThisFormat(f"{texts[0]} has no comma separated numbers")
            reason = f"{name} has no section [Sequence]"
        elif found or lone or _RESULT.fullmatch(name):
            row = _is_row(probe.head(name))
            if row or (row is None and found and probe.source.has(name[:-6] + "labels.txt")):
                return Confidence(80, f"{name} has boxes of frames and tracks")
            reason = f"{name} has no comma separated numbers"
    raise NotThisFormat(reason)


def find(source: Source) -> list[Sequence]:
    """The sequences of a data set, by their folders.

    Raises:
        FormatError: there is none, or ``seqinfo.ini`` cannot be read.
    """
    out: dict[str, Sequence] = {}
    if source.kind == "file":
        return [Sequence("", boxes=source.files[0])] if source.files[0] != "gt.txt" else [Sequence("", source.files[0])]
    for name in source.files:
        match = _FILE.fullmatch(name)
        if match:
            folder = match.group(1) or ""
            part = {"g": "truth", "d": "boxes", "s": "info"}[match.group(2)[0]]
            setattr(out.setdefault(folder, Sequence(folder)), part, name)
    if not out:
        for name in source.files:
            lone, result = _LONE.fullmatch(name), _RESULT.fullmatch(name)
            if lone:
                own = out.setdefault(lone.group(1) or "", Sequence(lone.group(1) or ""))
                setattr(own, "truth" if lone.group(2) == "gt" else "boxes", name)
            elif result:
                out[name] = Sequence("", boxes=name, name=result.group(1))
    if not out:
        raise FormatError("no gt/gt.txt, det/det.txt, seqinfo.ini or data/<sequence>.txt", file=source.path)
    for sequence in out.values():
        if sequence.info:
            _seqinfo(source, sequence)
        above, _, last = sequence.folder.rpartition("/")
        sequence.subset = above.rpartition("/")[2] or "default"
        sequence.name = sequence.fields.get("name") or sequence.name or last or None
        if source.has(sequence.path("names.txt")):
            _former(source, sequence)
    return sorted(out.values(), key=lambda s: (s.subset, s.folder, s.name or ""))


def _former(source: Source, sequence: Sequence) -> None:
    """Former names of images: ``number path`` a line."""
    for line in lines(source, sequence.path("names.txt")):
        number, _, name = line.text.partition(" ")
        try:
            if not re.fullmatch("[0-9]{1,9}", number) or not name.strip():
                raise line.fault(f"expected the number of a frame and a name, got {shorten(line.text)}")
            if int(number) in sequence.former:
                raise line.fault(f"frame {int(number)} is there already")
        except FormatError as error:
            source.problem(error)
            continue
        sequence.former[int(number)] = name.strip()


def _seqinfo(source: Source, sequence: Sequence) -> None:
    inside = False
    for line in lines(source, sequence.info, comments=True):
        if line.text.startswith("["):
            inside = line.text.lower().startswith("[sequence]")
            continue
        key, sign, value = line.text.partition("=")
        if not inside or line.text.startswith(";"):
            continue
        if not sign:
            source.problem(line.fault(f"expected key=value, got {shorten(line.text)}"))
            continue
        sequence.keys[key.strip()] = value.strip()
        sequence.fields[key.strip().lower()] = value.strip()


def images_of(source: Source, sequences: list[Sequence]) -> list[list[str]]:
    """The image files of each sequence."""
    folders: dict[str, list[str]] = {}
    for name in source.files:
        if name.lower().endswith(IMAGES):
            folders.setdefault(name.rpartition("/")[0], []).append(name)
    return [folders.get(s.path((s.fields.get("imdir") or "img1").strip("/")), []) for s in sequences]
