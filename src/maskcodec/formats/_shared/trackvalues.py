"""What a track says that its shapes do not say as well: that alone is lost where a format has no tracks of its own."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from maskcodec.model.annotations import Annotation, same_value
from maskcodec.model.dataset import Item, Track

__all__ = ["Unsaid", "key_of"]


def key_of(item: Item, annotation: Annotation, tracks: Mapping[Any, Track]) -> Any:
    """Key of the track of a shape, as ``Dataset.tracks`` has it: the full one goes before the id alone."""
    category, number = annotation.category_id, annotation.track_id
    for key in ((item.subset, item.sequence, category, number), (item.subset, None, category, number)):
        if key in tracks:
            return key
    return number


class Unsaid:
    """Looks at shapes one by one for what they say of the attributes of their tracks.

    Example:
        >>> from maskcodec.model.annotations import Box
        >>> box = Box(0, 0, 1, 1, track_id=7, attributes={"doors": 4})
        >>> unsaid = Unsaid({7: Track(7, attributes={"doors": 4, "colour": "red"})})
        >>> unsaid.look(Item("a", annotations=[box]))
        >>> unsaid.names(7)
        ['colour']
    """

    def __init__(self, tracks: Mapping[Any, Track]) -> None:
        self._tracks = tracks
        self._said = {key: dict(track.attributes) for key, track in tracks.items() if track.attributes}
        self._seen: set[Any] = set()

    def __bool__(self) -> bool:
        """Whether there is anything to look for."""
        return bool(self._said)

    def look(self, item: Item) -> None:
        """Take in the shapes of an item."""
        for annotation in item.annotations if self._said else ():
            if annotation.track_id is None:
                continue
            key = key_of(item, annotation, self._tracks)
            said, own = self._said.get(key), annotation.attributes
            if said is None:
                continue
            self._seen.add(key)
            for name in [n for n in said if not (n in own and same_value(said[n], own[n], types=True))]:
                del said[name]

    def names(self, key: Any) -> list[str]:
        """Names of the attributes of a track that not all of its shapes have with the same value."""
        said = self._said.get(key, {}) if key in self._seen else {}
        return [name for name in self._tracks[key].attributes if name not in said]
