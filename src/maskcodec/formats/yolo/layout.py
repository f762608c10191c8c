"""Where the images and label files of an Ultralytics data set are, and which task its rows are for."""

from __future__ import annotations

from functools import cached_property
from typing import Any
from weakref import WeakKeyDictionary

from maskcodec.errors import FormatError, shorten
from maskcodec.formats._base import NotThisFormat
from maskcodec.formats._shared.naming import IMAGES, stem
from maskcodec.formats._shared.source import Source
from maskcodec.formats.yolo.common import read_list
from maskcodec.formats.yolo.yamlfile import parse_yaml, top_level

__all__ = ["Entry", "Layout", "find_yaml"]

KNOWN = ("path", "names", "nc", "kpt_shape", "kpt_names", "skeleton", "task")
# Keys that hold texts or lists of texts which are no images.
OTHER = ("download", "flip_idx", "channels", "license", "author", "url", "yaml_file")
_MOST = 2000
_layouts: WeakKeyDictionary[Source, Layout] = WeakKeyDictionary()
Entry = tuple[str, str, str | None, str, str]


def find_yaml(source: Source) -> str | None:
    """The file that describes the data set; ``data.yaml`` before others, the outermost first."""
    found = [name for name in source.files if name.lower().endswith((".yaml", ".yml"))]
    best = sorted(found, key=lambda name: (name.rpartition("/")[2].lower() != "data.yaml", name.count("/"), name))
    return best[0] if best else None


class Layout:
    """A data set with its description.

    Attributes:
        names: of the classes, by number; numbers without a name are left out.
        shape: points and numbers a point of poses; None.
        entries: subset, id, path, image file, label file of every image.
        notes: what the file says beside that: top-level keys as they stand.
    """

    @classmethod
    def of(cls, source: Source) -> Layout:
        """The layout of a source, looked for once.

        Raises:
            NotThisFormat: there is no description.
        """
        if source not in _layouts:
            name = find_yaml(source)
            if name is None:
                raise NotThisFormat("no *.yaml file")
            _layouts[source] = cls(source, name)
        return _layouts[source]

    def __init__(self, source: Source, name: str) -> None:
        self.source, self.file = source, source.display(name)
        try:
            text = source.read(name).decode("utf-8-sig")
        except UnicodeDecodeError as error:
            raise FormatError(f"not UTF-8 (byte {error.start})", file=self.file) from error
        data = parse_yaml(text, self.file)
        if "names" not in data:
            raise NotThisFormat(f"{name} has no names")
        self.names = self._names(data["names"])
        self.shape = self._shape(data.get("kpt_shape"))
        self.points = self._lists(data.get("kpt_names"), "kpt_names")
        self.edges = self._edges(data.get("skeleton"))
        self.task = str(data.get("task", ""))
        self.count = str(data.get("nc", len(self.names)))
        self.missing: list[str] = []
        self.base = name.rpartition("/")[0] + "/" if "/" in name else ""
        self.root, self.foreign = self._root(str(data.get("path", ".")))
        self.entries: list[Entry] = []
        taken = set()
        for key, value in data.items():
            if key in KNOWN or key in OTHER or not (isinstance(value, str) or self._texts(value)):
                continue
            taken.add(key)
            for one in [value] if isinstance(value, str) else value:
                self._part("val" if key == "validation" else key, one)
        raw = top_level(text)
        self.notes = {key: raw[key] for key in data if key in raw and key not in (*KNOWN, *taken)}

    @staticmethod
    def _texts(value: Any) -> bool:
        return isinstance(value, list) and all(isinstance(one, str) for one in value)

    def _names(self, value: Any) -> dict[int, str]:
        if isinstance(value, list) and self._texts(value):
            return dict(enumerate(value))
        if isinstance(value, dict) and all(key.isdigit() and isinstance(name, str) for key, name in value.items()):
            return {int(key): name for key, name in value.items()}
        text = f"expected a list of names or numbers with names, got {shorten(value)}"
        raise FormatError(text, file=self.file, field="names")

    def _shape(self, value: Any) -> tuple[int, int] | None:
        if value is None:
            return None
        if not (self._texts(value) and len(value) == 2 and value[0].isdigit() and value[1] in ("2", "3")):
            raise FormatError(f"expected [points, 2 or 3], got {shorten(value)}", file=self.file, field="kpt_shape")
        return int(value[0]), int(value[1])

    def _lists(self, value: Any, field: str) -> dict[int, list[Any]]:
        """Lists by class number; one list is that of class 0."""
        if isinstance(value, list):
            return {0: value}
        if value and not isinstance(value, dict):
            raise FormatError(f"expected numbers with lists, got {shorten(value)}", file=self.file, field=field)
        return {int(k): v for k, v in (value or {}).items() if k.isdigit() and isinstance(v, list)}

    def _edges(self, value: Any) -> dict[int, list[tuple[int, int]]]:
        found = self._lists(value, "skeleton")
        edges = [edge for lists in found.values() for edge in lists]
        if not all(self._texts(edge) and len(edge) == 2 and all(map(str.isdigit, edge)) for edge in edges):
            raise FormatError(f"expected pairs of numbers, got {shorten(value)}", file=self.file, field="skeleton")
        return {number: [(int(a), int(b)) for a, b in edges] for number, edges in found.items()}

    def _has(self, path: str) -> bool:
        if self.source.has(path):
            return True
        folder = path.rstrip("/") + "/" if path else ""
        return any(name.startswith((folder, labels_of(folder))) for name in self.source.files)

    def _root(self, path: str) -> tuple[str, bool]:
        """The folder that paths are below, and whether the file names one that is not here."""
        parts = [part for part in path.replace("\\", "/").split("/") if part not in ("", ".")]
        if not parts:
            return self.base, False
        folder = self.base + "/".join(parts) + "/"
        if path.startswith("/") or ".." in parts or not any(name.startswith(folder) for name in self.source.files):
            return self.base, True
        return folder, False

    def _place(self, value: str) -> str:
        """A path below the root; a leading ``../`` is dropped where it leads nowhere."""
        path = value.replace("\\", "/").removeprefix("./")
        for candidate in (path, path.removeprefix("../"), path.removeprefix("data/")):
            parts = [part for part in candidate.split("/") if part not in ("", ".")]
            if not candidate.startswith("/") and ".." not in parts and self._has(self.root + "/".join(parts)):
                return self.root + "/".join(parts)
        parts = [part for part in path.removeprefix("../").split("/") if part not in ("", ".")]
        if path.startswith("/") or ".." in parts:
            raise FormatError(f"path {shorten(value)} is not inside the data set", file=self.file)
        return self.root + "/".join(parts)

    def _part(self, subset: str, value: str) -> None:
        place = self._place(value)
        if place.lower().endswith(IMAGES):
            inner = self._inner(place[len(self.root) :], subset)
            self.entries.append((subset, stem(inner), inner, place, stem(labels_of(place)) + ".txt"))
            return
        if place.endswith(".txt"):
            if not self.source.has(place):
                raise FormatError(f"the list {shorten(value)} is missing", file=self.file, field=subset)
            base = place.rpartition("/")[0] + "/" if "/" in place else ""
            known: set[str] = set()
            for written, path in read_list(self.source, place, base, self._listed):
                full = path if path.startswith(self.root) else self.root + path
                inner = self._inner(full[len(self.root) :], subset)
                if inner in known:
                    self.missing.append(f"{written} stands twice in a list")
                    continue
                known.add(inner)
                self.entries.append((subset, stem(inner), inner, full, stem(labels_of(full)) + ".txt"))
            return
        folder = place.rstrip("/") + "/" if place else ""
        texts = labels_of(folder)
        images = {stem(n[len(folder) :]): n for n in self.source.files
                  if n.startswith(folder) and n.lower().endswith(IMAGES)}  # fmt: skip
        labels = {stem(n[len(texts) :]): n for n in self.source.files if n.startswith(texts) and n.endswith(".txt")
                  and (texts != self.root or "/" in n[len(texts) :])}  # fmt: skip
        if not images and not labels:
            self.missing.append(f"{value} is not there")
        for key in sorted({*images, *labels}):
            image = images.get(key, "")
            own = image[len(folder) :] or None
            self.entries.append((subset, key, own, image, labels.get(key, f"{texts}{key}.txt")))

    def _listed(self, path: str) -> bool:
        return self.source.has(self.root + path) or self.source.has(stem(labels_of(self.root + path)) + ".txt")

    @staticmethod
    def _inner(path: str, subset: str) -> str:
        for head in (f"images/{subset}/", f"{subset}/images/", "images/"):
            if path.startswith(head) and len(path) > len(head):
                return path[len(head) :]
        return path

    @property
    def four_points(self) -> bool:
        """Whether nothing tells polygons of four points from rotated boxes."""
        return not self.task and bool(self.columns) and self.columns <= {9, 10}

    @cached_property
    def columns(self) -> set[int]:
        """Numbers of columns that rows have."""
        seen: set[int] = set()
        for _, _, _, _, name in self.entries[:_MOST]:
            if self.source.has(name):
                seen.update(len(row.split()) for row in self.source.read(name).splitlines())
        return seen - {0}

    def guess(self) -> tuple[str, str]:
        """The task, and what was seen.

        Raises:
            FormatError: rows of boxes and of polygons are mixed.
        """
        if self.task:
            return self.task, f"the task is {self.task}"
        if self.shape is not None:
            return "pose", "kpt_shape is given"
        seen = self.columns
        if seen <= {5, 6}:
            return "detect", "rows have 5 or 6 columns" if seen else "there are no rows"
        if seen <= {9, 10}:
            return "segment?", "rows of four points: polygons or rotated boxes"
        if 5 in seen:
            text = f"rows with 5 and with {max(seen)} columns: name the task, as ultralytics_segment"
            raise FormatError(text, file=self.file)
        return "segment", f"rows with {min(seen)} to {max(seen)} columns"


def labels_of(path: str) -> str:
    """The path with its last ``images`` folder replaced by ``labels``."""
    head, found, tail = ("/" + path).rpartition("/images/")
    return f"{head}/labels/{tail}"[1:] if found else path
