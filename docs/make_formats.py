"""Writes a page per format from what the formats declare and the notes of ``format_notes``, when the site is built."""

from __future__ import annotations

import importlib
import inspect
import sys
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import maskcodec as mc
from maskcodec import registry
from maskcodec.formats._base import Format
from maskcodec.formats._options import described

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE))

from make_fidelity import FIELDS, KINDS, field, kind, names  # noqa: E402

EXAMPLE = HERE.parent / "examples" / "harbour_export"
GROUPS = {
    "Annotation tools": (
        "hasty_json", "hasty_bbox", "hasty_polygon", "hasty_semantic", "hasty_label_classes", "hasty_coco",
        "cvat_images", "cvat_video", "cvat_xml", "segments", "segments_image_segmentation", "segments_image_vector",
        "segments_image_sequence", "segments_pointcloud_cuboid", "segments_pointcloud_vector",
        "segments_pointcloud_segmentation", "segments_pointcloud_sequence", "segments_multisensor",
        "datagym", "datumaro",
        "labelme", "labelme_json",
    ),
    "COCO": (
        "coco", "coco_instances", "coco_keypoints", "coco_captions", "coco_labels", "coco_stuff", "coco_image_info",
        "coco_panoptic", "coco_results",
    ),
    "Detection and segmentation": (
        "voc", "segmentation_mask", "yolo", "ultralytics_detect", "ultralytics_segment", "ultralytics_obb",
        "ultralytics_pose", "ultralytics_classify", "tfrecord", "open_images", "kitti", "kitti_detection",
        "kitti_segmentation", "kitti_raw", "cityscapes", "cityscapes_results", "camvid",
    ),
    "Tracks": ("mot", "mots_png", "mots_txt"),
    "Classification, faces, texts": (
        "imagenet", "imagenet_txt", "wider_face", "vgg_face2", "lfw", "market1501", "icdar_word_recognition",
        "icdar_text_localization", "icdar_text_segmentation",
    ),
    "Archive": ("arrow",),
}  # fmt: skip


def text(words: str) -> str:
    """A docstring as Markdown."""
    return words.replace("``", "`")


def options(title: str, function: Callable[..., Any] | None, known: Mapping[str, inspect.Parameter]) -> list[str]:
    """A table of the options of a reader or writer."""
    if not known:
        return []
    lines = [f"### {title}", "", "| option | default | |", "| --- | --- | --- |"]
    for name, parameter in known.items():
        words = described(function, name) if function is not None else ""
        lines.append(f"| `{name}` | `{parameter.default!r}` | {text(words).replace('|', chr(92) + '|')} |")
    return [*lines, ""]


def kept(format: Format) -> list[str]:
    """Tables of what is kept, converted, dropped."""
    carries = format.capabilities()
    whole, turned, gone = [], [], []
    for row, variants in KINDS.items():
        what = kind(carries, variants)
        if what == "yes":
            whole.append(row)
        elif what == "flat":
            whole.append(f"{row} (one value a pixel: what others cover is lost)")
        elif what == "attribute":
            turned.append(f"{row} as an attribute")
        elif what == "-":
            gone.append(row)
        else:
            turned.append(f"{row} {what}")
    fields = {row: field(carries, name) for row, name in FIELDS.items()}
    fields["z-order"] = "yes" if "z_order" in carries.fields else "order" if carries.order else "-"
    less = "; ".join(f"{name}: {', '.join(sorted(own)) or 'nothing'}" for name, own in sorted(carries.only.items()))
    rows = {
        "kinds kept": ", ".join(whole),
        "kinds converted, reported": ", ".join(turned),
        "kinds dropped, reported": ", ".join(gone),
        "fields kept": ", ".join(row for row, value in fields.items() if value == "yes"),
        "fields as attributes, reported": ", ".join(row for row, value in fields.items() if value == "attribute"),
        "fields as the order of the list": ", ".join(row for row, value in fields.items() if value == "order"),
        "fields dropped, reported": ", ".join(row for row, value in fields.items() if value == "-"),
        "attributes": "all" if carries.attributes is True else names(carries.attributes),
        "kinds that keep less": less,
        "subsets": "yes" if carries.subsets else "no: subsets become names of items, or are dropped and reported",
        "item fields": names(carries.item_fields),
        "item attributes": names(carries.item_attributes),
        "category fields": names(["name", *carries.category_fields]),
        "schema fields": names(carries.schema_fields),
        "data set info": names(carries.info),
        "data set fields": names(carries.dataset_fields),
        "media": names(carries.media),
        "coordinates": "whole pixels, others are rounded and reported" if carries.whole_pixels else "",
    }
    lines = ["| | |", "| --- | --- |"]
    return [*lines, *(f"| {row} | {value} |" for row, value in rows.items() if value and value != "-"), ""]


def written(format: Format) -> list[str]:
    """What the writer makes of the example export: the files, by name."""
    if format.write is None or "image" not in format.capabilities().media or not EXAMPLE.is_dir():
        return []
    with tempfile.TemporaryDirectory() as folder:
        target = Path(folder) / "out"
        try:
            mc.convert(EXAMPLE, target, format.name, on_loss="ignore", media="copy")
        except (mc.Error, ValueError, ImportError):
            return []
        files = sorted(p.relative_to(target).as_posix() for p in target.rglob("*") if p.is_file())
    if not files:
        return []
    shown = files if len(files) <= 24 else [*files[:22], f"... and {len(files) - 22} more"]
    command = f"$ maskcodec convert examples/harbour_export out --to {format.name} --media copy"
    return ["## What is written", "", "```console", command, "```", "", "```text", *shown, "```", ""]


def notes(format: Format) -> list[str]:
    """Hand-written notes: of the family, then of the format."""
    family = registry._TABLE[format.name].partition(".")[0]
    found = [HERE / "format_notes" / f"{name}.md" for name in dict.fromkeys((family, format.name))]
    return [page.read_text("utf-8") for page in found if page.exists()]


def module(format: Format) -> str:
    """What the module says of itself."""
    found = importlib.import_module(f"maskcodec.formats.{registry._TABLE[format.name]}")
    return text(inspect.getdoc(found) or "")


def page(format: Format) -> str:
    """The page of a format."""
    reads, writes = format.read is not None, format.write is not None
    facts = {
        "name": f"`{format.name}`",
        "also called": ", ".join(f"`{alias}`" for alias in format.aliases),
        "direction": " and ".join(["read"] * reads + ["written"] * writes),
        "one file": f"may be a single `{format.single}` file" if format.single else "",
        "memory": {
            "rw": "read and written item by item", "r": "read item by item", "w": "written item by item"
        }.get(format.streams, ""),
        "parts": ", ".join(f"[`{part}`]({part}.md)" for part in format.parts),
        "described in": format.spec,
    }  # fmt: skip
    lines = [f"# {format.title}", "", "| | |", "| --- | --- |"]
    lines += [f"| {row} | {value} |" for row, value in facts.items() if value]
    lines += ["", module(format), ""]
    lines += ["```console"]
    lines += [f"$ maskcodec info data --from {format.name}"] * reads
    lines += [f"$ maskcodec convert data out --to {format.name}"] * writes
    lines += ["```", "", *notes(format)]
    tables = [*options("Of reading", format.read, format.read_options),
              *options("Of writing", format.write, format.write_options)]  # fmt: skip
    if tables:
        how = "In Python `mc.read(path, option=value)`, `mc.write(..., option=value)`; in a shell `-o option=value`."
        lines += ["## Options", "", how, "", *tables]
    lines += ["## Kept and lost", "", *kept(format), *written(format)]
    return "\n".join(lines).rstrip() + "\n"


def index(known: Mapping[str, Format]) -> str:
    """The list of all formats."""
    listed = {name for group in GROUPS.values() for name in group}
    if listed != set(known):
        raise ValueError(f"formats without a group, or groups of no format: {sorted(listed ^ set(known))}")
    lines = [
        "# Formats", "",
        "Each page is made from the declaration that the reader, the writer and the loss report work by, so it cannot "
        "be out of date. [What each format keeps](../fidelity.md) has all of them on one page.", "",
    ]  # fmt: skip
    for title, group in GROUPS.items():
        lines += [f"## {title}", "", "| name | | read | write |", "| --- | --- | --- | --- |"]
        for name in group:
            one = known[name]
            marks = " | ".join("yes" if way else "-" for way in (one.read, one.write))
            lines.append(f"| [`{name}`]({name}.md) | {one.title} | {marks} |")
        lines += ["", "```{toctree}", ":hidden:", *group, "```", ""]
    return "\n".join(lines)


def make(folder: Path) -> None:
    """Write all pages; those that have not changed keep their time."""
    known = {name: registry.formats()[name] for name in registry._TABLE}
    pages = {"index": index(known), **{name: page(format) for name, format in known.items()}}
    folder.mkdir(parents=True, exist_ok=True)
    for old in folder.glob("*.md"):
        if old.stem not in pages:
            old.unlink()
    for name, words in pages.items():
        goal = folder / f"{name}.md"
        if not goal.exists() or goal.read_text("utf-8") != words:
            goal.write_text(words, "utf-8")


if __name__ == "__main__":
    make(HERE / "formats")
