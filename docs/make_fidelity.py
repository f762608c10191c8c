"""Writes ``fidelity.md`` from what the formats declare; a test fails when the page is stale."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path

from maskcodec import registry
from maskcodec.formats._base import Capabilities, Format

PAGE = Path(__file__).parent / "fidelity.md"
TEXTS = Path(__file__).parent / "fidelity_differences.md"

KINDS = {
    "tag": ["tag"], "box": ["box"], "rotated box": ["rotated_box"], "polygon": ["polygon"],
    "polygon of parts": ["multipart_polygon"], "polygon with holes": ["holed_polygon"], "polyline": ["polyline"],
    "points": ["points"], "skeleton": ["skeleton"], "ellipse": ["ellipse"], "mask": ["mask"],
    "2D cuboid": ["cuboid2d"], "3D cuboid": ["cuboid"], "3D polygon": ["polygon3d"], "3D polyline": ["polyline3d"],
    "3D points": ["points3d"], "point-cloud segmentation": ["pointmask"], "caption": ["caption"],
}  # fmt: skip
FIELDS = {
    "id": "id", "track": "track_id", "group": "group_id", "parent": "parent_id", "crowd": "is_crowd",
    "occlusion": "occluded", "truncation": "truncated", "outside": "outside", "key frame": "keyframe",
    "score": "score", "origin": "origin",
}  # fmt: skip
HEAD = """# What each format keeps

Made from the declarations that the writers themselves work by; `maskcodec formats --json` prints them. The same
declarations drive `plan()` and the loss report, and the tests hold every pair of formats against them, there and back.

- **yes**: written and read back as it is. **as x**: written as x, reported. **attribute**: written as an attribute of
  this name, reported. **order**: kept as the order of the list. **flat**: one value a pixel, what others cover is lost
  and reported. **-**: the format has no place for it: dropped, reported with kind and count.
- Options of a writer can add to this; the table shows what it does without any.
"""


def kind(carries: Capabilities, names: list[str]) -> str:
    """What becomes of a kind of annotation."""
    (name,) = names
    variants, converts = carries.variants, carries.conversions
    if name in variants:
        return "flat" if name == "mask" and carries.flat else "yes"
    if carries.tags_as_attributes and name in ("tag", "caption"):
        return "attribute"
    target = converts.get(name)
    return f"as {target.replace('_', ' ')}" if target else "-"


def field(carries: Capabilities, name: str) -> str:
    """What becomes of a field of annotations."""
    return "yes" if name in carries.fields else "attribute" if name in carries.as_attributes else "-"


def names(value: object) -> str:
    """Names that are kept, in words."""
    if value is True:
        return "yes"
    return ", ".join(sorted(map(str, value))) if value else "-"  # type: ignore[call-overload]


def rows(format: Format) -> dict[str, str]:
    """The column of one format."""
    carries = format.capabilities()
    out = {"read, write": ("read" if format.read else "") + (", " if format.read and format.write else "")
           + ("write" if format.write else "")}  # fmt: skip
    out.update({row: kind(carries, variants) for row, variants in KINDS.items()})
    out.update({row: field(carries, name) for row, name in FIELDS.items()})
    z = "yes" if "z_order" in carries.fields else "order" if carries.order else "-"
    out["z-order"] = z
    out["attributes"] = names(carries.attributes)
    out["kinds that keep less"] = ", ".join(sorted(carries.only)) or "-"
    out["subsets"] = "yes" if carries.subsets else "-"
    out["item fields"] = names(carries.item_fields)
    out["item attributes"] = names(carries.item_attributes)
    out["category fields"] = names(["name", *carries.category_fields])
    out["schema fields"] = names(carries.schema_fields)
    out["data set info"] = names(carries.info)
    out["data set fields"] = names(carries.dataset_fields)
    out["media"] = names(carries.media)
    return out


def page(formats: Mapping[str, Format]) -> str:
    """The whole page."""
    parts = [HEAD]
    for name, format in formats.items():
        found = rows(format)
        lines = [f"## `{name}`: {format.title}", "", "| | |", "| --- | --- |"]
        lines += [f"| {row} | {value} |" for row, value in found.items() if value != "-"]
        missing = [row for row, value in found.items() if value == "-"]
        lines += ["", f"Dropped and reported: {', '.join(missing)}." if missing else "Nothing is dropped."]
        parts.append("\n".join(lines) + "\n")
    parts.append(TEXTS.read_text("utf-8"))
    return "\n".join(parts)


if __name__ == "__main__":
    text = page({name: registry.formats()[name] for name in registry._TABLE})
    if "--check" in sys.argv:
        sys.exit(0 if PAGE.read_text("utf-8") == text else "docs/fidelity.md is stale, run docs/make_fidelity.py")
    PAGE.write_text(text, "utf-8")
