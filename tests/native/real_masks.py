"""Segmentations of the real COCO files, found through `MASKCODEC_SAMPLES`."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

SAMPLES = os.environ.get("MASKCODEC_SAMPLES", "")
REASON = "MASKCODEC_SAMPLES is not set: no real files"


def segmentations() -> Iterator[tuple[str, Any, int, int]]:
    """(where, segmentation as in the file, image height, image width) of every annotation and result that has one."""
    root = Path(SAMPLES) / "coco"
    sizes: dict[Any, tuple[int, int]] = {}
    documents = {path: json.loads(path.read_text(encoding="utf-8")) for path in sorted(root.rglob("*.json"))}
    for path, document in documents.items():
        if isinstance(document, dict):
            for image in document.get("images", []):
                if "val2014" in str(path):
                    sizes[image["id"]] = (image["height"], image["width"])
    for path, document in documents.items():
        own = {}
        if isinstance(document, dict):
            own = {i["id"]: (i.get("height"), i.get("width")) for i in document.get("images", [])}
            records = document.get("annotations", [])
        else:
            records = document
        for index, record in enumerate(records):
            segmentation = record.get("segmentation") if isinstance(record, dict) else None
            if not segmentation:
                continue
            height, width = own.get(record["image_id"]) or sizes.get(record["image_id"]) or (None, None)
            if isinstance(segmentation, dict):
                height, width = segmentation["size"]
            if height and width:
                yield f"{path.relative_to(root)}[{index}]", segmentation, height, width
