"""COCO results, out: one list, a record for each annotation."""

from __future__ import annotations

from typing import Any

import numpy as np

from maskcodec.formats._base import Capabilities, Dataset, NullSink
from maskcodec.formats._shared import jsonio
from maskcodec.formats.coco.spool import Numbers, Part
from maskcodec.formats.coco.write import RENUMBERED, category_numbers
from maskcodec.model.annotations import Annotation, Box, Caption, Mask, Points
from maskcodec.model.losses import LossReport

__all__ = ["CARRIES", "write_results"]

CARRIES = Capabilities(
    kinds={"box", "mask", "skeleton", "caption"},
    converts={
        **dict.fromkeys(("polygon", "multipart_polygon", "holed_polygon", "ellipse"), "mask"),
        "rotated_box": "box", "points": "skeleton",
    },
    fields={"score"},
    order=True,
    item_fields=(),
    category_fields={"id"},
    needs_category=("box", "ellipse", "polygon", "mask", "points", "skeleton"),
    namespaces=("coco",),
)  # fmt: skip
_NAMED = "results have the numbers of categories alone"


def write_results(dataset: Dataset, sink: NullSink, report: LossReport, *, score: float = 1.0) -> None:
    """Write one list of results.

    Args:
        dataset: as shown by the shared write loop.
        sink: where to.
        report: hears of what only this writer loses.
        score: of annotations that have none.
    """
    part, images = Part(sink, 1), Numbers(1)
    numbers = category_numbers(dataset, report)
    if any(category.name != str(category.id) for category in dataset.schema.categories):
        report.rename(None, None, "categories", _NAMED, count=len(dataset.schema))
    for key, value in dataset.extras.get("coco", {}).items():
        if value and key[:1] != "#":
            report.drop(None, None, f"extras.coco.{key}", "results are a bare list")
    named: set[Any] = set()
    for item in dataset.items:
        extra = item.extras.get("coco", {})
        for key in extra:
            if key != "id" and key[:1] != "#":
                report.drop(item, None, f"extras.coco.{key}", "results say nothing about images")
        for annotation in item.annotations:
            if isinstance(annotation, Points) and not len(annotation.xy):
                report.drop(item, annotation, "", "it has no points")
        item.annotations = [a for a in item.annotations if not isinstance(a, Points) or len(a.xy)]
        if not item.annotations:
            report.drop(item, None, "", "an image without results is not listed")
            continue
        wanted = extra.get("id", item.id if type(item.id) is int or (type(item.id) is str and not extra) else None)
        wanted = wanted if type(wanted) is int or "id" in extra else None
        image = images.take(wanted)
        if image != item.id:
            report.rename(item, None, "id", "results name images by their number" if "id" in extra else RENUMBERED)
        for annotation in item.annotations:
            own = annotation.extras.get("coco", {})
            named.add(annotation.category_id)
            if annotation.score is None and not isinstance(annotation, Caption):
                report.default(item, annotation, "score", "every result has a score")
            part.add_annotation(jsonio.encode(_row(annotation, own, image, numbers, score)), own.get("#index"))
    for category in dataset.schema.categories:
        if category.id not in named:
            report.drop(category.name, None, "", "no result names it", what="category")
    with sink.open("results.json") as target:
        target.write(b"[")
        part.copy_annotations(target)
        target.write(b"]\n")


def _row(annotation: Annotation, extra: dict[str, Any], image: Any, numbers: dict[Any, Any], score: float) -> Any:
    row: dict[str, Any] = {"image_id": image}
    if annotation.category_id in numbers:
        row["category_id"] = numbers[annotation.category_id]
    if isinstance(annotation, Caption):
        row["caption"] = annotation.text
    elif isinstance(annotation, Mask):
        row["segmentation"] = annotation.rle.to_coco()
    elif isinstance(annotation, Points):
        seen = annotation.visibility if annotation.visibility is not None else [2] * len(annotation.xy)
        kept = extra.get("keypoints")
        if isinstance(kept, list) and len(kept) == 3 * len(seen):
            seen = kept[2::3]
        row["keypoints"] = jsonio.numbers(np.column_stack([annotation.xy, seen]).reshape(-1))
    elif isinstance(annotation, Box):
        box = [annotation.x0, annotation.y0, annotation.x1 - annotation.x0, annotation.y1 - annotation.y0]
        kept = extra.get("bbox")
        if kept is not None and [kept[0], kept[1], kept[0] + kept[2], kept[1] + kept[3]] == [
            annotation.x0, annotation.y0, annotation.x1, annotation.y1,
        ]:  # fmt: skip
            box = kept
        row["bbox"] = jsonio.numbers(box)
        if "#row" in extra:
            return [row["image_id"], *box, annotation.score, row["category_id"]]
    if annotation.score is not None or not isinstance(annotation, Caption):
        row["score"] = annotation.score if annotation.score is not None else score
    for key, value in extra.items():
        if key[:1] != "#" and key not in row and key not in ("id", "iscrowd"):
            row[key] = value
    return row
