"""Key points of a label, written."""

from __future__ import annotations

from typing import Any

from maskcodec.formats.hasty_json.naming import image_name
from maskcodec.formats.hasty_json.schema import stable_id
from maskcodec.model.annotations import Annotation, Points
from maskcodec.model.dataset import Item
from maskcodec.model.losses import LossReport

__all__ = ["write_keypoints"]


def write_keypoints(
    item: Item, annotation: Points, classes: list[dict[str, Any]], kept: list[dict[str, Any]], report: LossReport
) -> list[dict[str, Any]]:
    """Key points with the ids and dates they came with; the positions and visibilities of the annotation.

    Args:
        item: the image.
        annotation: points or a skeleton.
        classes: key-point classes of its category, in order.
        kept: the records as they were read.
        report: hears of what a key point cannot say.
    """
    whole = [[int(v) if v.is_integer() else v for v in point] for point in annotation.xy.tolist()]
    visibility = list(annotation.visibility or [2] * len(whole))
    skeleton = annotation.kind == "skeleton"
    order = [point.get("keypoint_class_id") for point in classes] if skeleton else []
    if skeleton and len(order) != len(whole):
        report.approximate(item, annotation, "", "written as loose points: its class defines other key points")
    elif skeleton and len(whole) < 2:
        report.approximate(item, annotation, "", "one key point is read back as a point")
    places = [
        order.index(p.get("keypoint_class_id")) if skeleton and p.get("keypoint_class_id") in order else at
        for at, p in enumerate(kept)
    ]
    out = []
    for at in [*dict.fromkeys(places), *(k for k in range(len(whole)) if k not in places)]:
        if at >= len(whole) or (skeleton and visibility[at] == 0):
            continue
        old = kept[places.index(at)] if at in places else _fresh(item, annotation, at, order)
        record = {**old, "x": whole[at][0], "y": whole[at][1]}
        if (record.get("visible") is not False) != (visibility[at] == 2):
            record["visible"] = visibility[at] == 2
        if not skeleton and visibility[at] == 0:
            report.approximate(item, annotation, "visibility", "a point is visible or not")
        out.append(record)
    return out


def _fresh(item: Item, annotation: Annotation, at: int, order: list[Any]) -> dict[str, Any]:
    own = stable_id("key point", item.subset, image_name(item), annotation.id, at)
    record: dict[str, Any] = {"x": 0, "y": 0, "id": own, "norder": at, "visible": True}
    record |= dict.fromkeys(("created_by", "updated_by", "create_date", "update_date"))
    return {**record, "keypoint_class_id": order[at] if at < len(order) else None}
