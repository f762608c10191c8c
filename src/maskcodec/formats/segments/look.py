"""A look at a data set before it is written: which contents and task types of Segments.ai fit it."""

from __future__ import annotations

from typing import Any

from maskcodec.formats.segments import schema as names
from maskcodec.formats.segments.family import SHAPES
from maskcodec.model.dataset import Dataset, Item

__all__ = ["DEFAULT", "Look", "sensor_of", "task_of"]

DEFAULT = {"image": "vector", "point_cloud": "pointcloud-vector"}


def sensor_of(item: Item) -> str:
    """Name of the sensor of an item, also of one that says none."""
    return item.sensor or ("camera" if item.media == "image" else "lidar")


class Look:
    """One pass over the items: kinds by sensor, and what they say about their sensors."""

    def __init__(self, dataset: Dataset) -> None:
        self.kinds: dict[str, set[str]] = {}
        self.media: dict[str, str] = {}
        self.said: dict[str, str] = {}
        self.sensors = self.sequences = False
        for item in getattr(dataset.items, "plain", dataset.items):
            sensor = sensor_of(item)
            self.media.setdefault(sensor, item.media)
            self.sensors = self.sensors or item.sensor is not None
            self.sequences = self.sequences or item.sequence is not None
            self.kinds.setdefault(sensor, set()).update(a.variant for a in item.annotations)
            kept = item.extras.get(names.NAMESPACE, {}).get("sensor", {})
            said = (kept.get("label") or kept.get("sample") or {}).get("task_type")
            if said is not None:
                self.said[sensor] = str(names.content_of(str(said)))

    def content(self, medium: str, kinds: set[str], said: str | None) -> str:
        """The content that fits: what was said, if it holds everything; the one that has the kinds; vectors."""
        kinds = kinds - {"tag", "caption"}
        fits = [content for content in SHAPES if content.startswith("pointcloud") == (medium == "point_cloud")]
        if said in fits and kinds <= SHAPES[said]["kinds"]:
            return said
        flat = [content for content in fits if content not in DEFAULT.values()]
        return next((content for content in flat if kinds and kinds <= SHAPES[content]["kinds"]), DEFAULT[medium])

    def over_all(self, medium: str, said: Any) -> str:
        """One content for all items of a kind of media."""
        found = [kinds for sensor, kinds in self.kinds.items() if self.media[sensor] == medium]
        return self.content(medium, set().union(*found), names.content_of(said) if isinstance(said, str) else None)


def task_of(dataset: Dataset) -> Any:
    """Task type of the release that a data set was read from."""
    return dataset.extras.get(names.NAMESPACE, {}).get("dataset", {}).get("task_type")
