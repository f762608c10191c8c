"""The grammar of names: ``0001_c1s1_001051_00.jpg``."""

from __future__ import annotations

import re
from typing import Any

from maskcodec.formats._shared.naming import stem

__all__ = ["ATTRIBUTES", "LABEL", "PLACE", "parse"]

LABEL = "market-1501"
ATTRIBUTES = ("query", "person_id", "camera_id", "track_id", "frame_id", "bbox_id", "custom_name")
# The folder that an image lies in.
PLACE = re.compile(r"(?:bounding_box_[^/]*|query[^/]*)/")
_NAME = re.compile(r"(-?[0-9]+)_c([0-9]{1,9})s([0-9]{1,18})_([0-9]{1,18})_([0-9]{1,18})(.*)", re.DOTALL)


def parse(path: str) -> dict[str, Any] | None:
    """The values that a path says, cameras counted from 0; None where its name is of another form.

    Example:
        >>> parse("query/0001_c2s3_000111_00.jpg")["camera_id"], parse("query/test1.jpg")
        (1, None)
    """
    found = _NAME.fullmatch(stem(path).rpartition("/")[2])
    if found is None:
        return None
    values: dict[str, Any] = {
        "query": path.startswith("query"),
        "person_id": found.group(1),
        "camera_id": int(found.group(2)) - 1,
        "track_id": int(found.group(3)),
        "frame_id": int(found.group(4)),
        "bbox_id": int(found.group(5)),
    }
    if found.group(6):
        values["custom_name"] = found.group(6)
    return values
