"""Dialects, traps and bad input of Open Images."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import maskcodec as mc
from maskcodec.formats._shared.images import write_png
from maskcodec.masks import Rle
from maskcodec.model.schema import Category, LabelSchema
from maskcodec.testing import assert_datasets_equal

pytestmark = pytest.mark.filterwarnings("ignore::maskcodec.errors.LossWarning")
BOX = "ImageID,Source,LabelName,Confidence,XMin,XMax,YMin,YMax,IsOccluded,IsTruncated,IsGroupOf,IsDepiction,IsInside"
MASK = "MaskPath,ImageID,LabelName,BoxID,BoxXMin,BoxXMax,BoxYMin,BoxYMax,PredictedIoU,Clicks"


def folder(root: Path, **files: str) -> Path:
    base = {"class-descriptions.csv": "a,Alpha\nb,Beta\n", "images.meta": "x 10 20\n",
            "train-images-with-rotation.csv": "ImageID,Subset\nx,train\n"}  # fmt: skip
    named = {"boxes": "train-annotations-bbox.csv", "labels": "train-annotations-human-imagelabels.csv",
             "masks": "train-annotations-object-segmentation.csv", "classes": "class-descriptions.csv",
             "images": "train-images-with-rotation.csv", "meta": "images.meta"}  # fmt: skip
    (root / "annotations").mkdir(parents=True)
    for name, text in {**base, **{named.get(key, key): text for key, text in files.items()}}.items():
        (root / "annotations" / name).write_text(text)
    return root


def only(path: Path, **options: Any) -> mc.Item:
    return mc.read(path, "open_images", **options).load().items[0]


def fails(path: Path, *words: str) -> mc.Dataset:
    with pytest.raises(mc.FormatError) as caught:
        mc.read(path, "open_images").load()
    for word in words:
        assert word in str(caught.value)
    lenient = mc.read(path, "open_images", on_error="skip").load()
    assert len(lenient.report)
    return lenient


def box(**cells: str) -> str:
    row = {"ImageID": "x", "LabelName": "a", "Confidence": "1", "XMin": "0.1", "XMax": "0.5", "YMin": "0.2",
           "YMax": "1", **dict.fromkeys(BOX.split(",")[8:], "-1"), **cells}  # fmt: skip
    return BOX + "\n" + ",".join(row.get(name, "") for name in BOX.split(",")) + "\n"


def test_columns_go_by_their_names(tmp_path: Path) -> None:
    rows = "ImageID,LabelName,XMin,YMin,XMax,YMax,Extra\nx,b,0,0,0.5,0.5,more\n"
    data = mc.read(folder(tmp_path / "in", boxes=rows), "open_images").load()
    (one,) = data.items[0].annotations
    assert (one.x0, one.y0, one.x1, one.y1, one.category_id) == (0, 0, 10, 5, 1)
    assert one.extras == {"open_images": {"Extra": "more"}}
    mc.write(data, tmp_path / "out", "open_images", on_loss="ignore")
    back = only(tmp_path / "out").annotations[0]
    assert back.extras == one.extras


def test_classes_with_and_without_a_header(tmp_path: Path) -> None:
    plain = mc.read(folder(tmp_path / "a", classes="LabelName,DisplayName\na,Alpha\n"), "open_images")
    assert [c.name for c in plain.schema] == ["a"]
    several = folder(tmp_path / "b", **{"oidv6-class-descriptions.csv": "LabelName,DisplayName\nc,See\n"})
    assert [c.name for c in mc.read(several, "open_images").schema] == ["c"]


BAD = [
    ({"XMin": "0.6"}, "XMax"), ({"YMin": "x"}, "YMin"), ({"XMax": "nan"}, "XMax"), ({"IsInside": "2"}, "IsInside"),
    ({"XMax": ""}, "XMax"), ({"Confidence": "high"}, "Confidence"),
]  # fmt: skip


@pytest.mark.parametrize(("cells", "word"), BAD)
def test_bad_boxes(tmp_path: Path, cells: dict[str, str], word: str) -> None:
    lenient = fails(folder(tmp_path, boxes=box(**cells)), "train-annotations-bbox.csv", "line 2", word)
    assert not lenient.items[0].annotations


def test_coordinates_beyond_the_image_are_cut_by_a_lenient_reader(tmp_path: Path) -> None:
    one = only(folder(tmp_path / "a", boxes=box(YMax="1.0000001"))).annotations[0]
    assert one.y1 == 1.0000001 * 10
    lenient = fails(folder(tmp_path / "b", boxes=box(YMax="1.1")), "YMax")
    assert lenient.items[0].annotations[0].y1 == 10


def test_unknown_label(tmp_path: Path) -> None:
    lenient = fails(folder(tmp_path, boxes=box(LabelName="zz")), "zz", "LabelName")
    assert [c.name for c in lenient.schema] == ["a", "b", "zz"]


def test_missing_columns_and_images_twice(tmp_path: Path) -> None:
    with pytest.raises(mc.FormatError, match="XMin"):
        mc.read(folder(tmp_path / "a", boxes="ImageID,LabelName,XMax,YMin,YMax\n"), "open_images")
    lenient = fails(folder(tmp_path / "b", images="ImageID,Subset\nx,train\nx,train\n"), "line 3", "already")
    assert len(lenient.items) == 1
    fails(folder(tmp_path / "c", images="ImageID,Subset\nx,../up\n"), "subset")


def test_the_list_of_the_whole_set_counts(tmp_path: Path) -> None:
    data = mc.read(folder(tmp_path, **{"image_ids_and_rotation.csv": "ImageID,Subset,Title\nx,test,hello\n"}))
    assert [(i.subset, i.extras) for i in data.items] == [("test", {"open_images": {"Title": "hello"}})]


def test_images_in_no_list(tmp_path: Path) -> None:
    rows = "ImageID,Source,LabelName,Confidence\nq,verification,b,0.25\n"
    data = mc.read(folder(tmp_path, **{"oidv6-val-annotations-human-imagelabels.csv": rows}), "open_images").load()
    assert [(i.subset, i.id) for i in data.items] == [("train", "x"), ("val", "q")]
    (tag,) = data.items[1].annotations
    assert (tag.kind, tag.score, tag.extras) == ("tag", 0.25, {"open_images": {"Source": "verification"}})


def test_size_unknown(tmp_path: Path) -> None:
    data = mc.read(folder(tmp_path / "in", boxes=box(), meta="y 1 1\n"), "open_images").load()
    (one,) = data.items[0].annotations
    assert (one.x0, one.x1, one.y1) == (0.1, 0.5, 1.0)
    assert any(loss.field == "width" for loss in data.report)
    assert not len(mc.write(data, tmp_path / "out", "open_images"))
    assert_datasets_equal(data, mc.read(tmp_path / "out"))


def test_sizes_with_quotes_and_comments(tmp_path: Path) -> None:
    item = only(folder(tmp_path, images="ImageID,Subset\nsub/a b,train\n", meta="# size\n'sub/a b' 6 8 more\n"))
    assert (item.width, item.height) == (8, 6)
    fails(folder(tmp_path / "b", meta="x six 8\n"), "images.meta", "line 1")


def test_masks(tmp_path: Path) -> None:
    root = folder(tmp_path / "in", boxes=box(), masks=f"{MASK}\nm.png,x,a,00ff,0.1,0.5,0.2,1,0.875,0.1 0.2 1\n")
    (root / "masks/train").mkdir(parents=True)
    (root / "masks/train/m.png").write_bytes(write_png(np.array([[0, 255], [0, 0]], np.uint8)))
    data = mc.read(root, "open_images").load()
    first, mask = data.items[0].annotations
    assert (mask.rle.shape, mask.rle.area, tuple(mask.rle.bbox)) == ((10, 20), 50, (10, 0, 10, 5))
    assert first.group_id == mask.group_id == 1
    assert any("scaled" in loss.reason for loss in data.report)
    assert not len(mc.write(data, tmp_path / "out", "open_images"))
    back = mc.read(tmp_path / "out").load()
    assert_datasets_equal(data, back)
    text = (tmp_path / "out/annotations/train-annotations-object-segmentation.csv").read_text()
    (row,) = csv.DictReader(text.splitlines())
    assert (row["BoxID"], row["Clicks"], row["PredictedIoU"]) == ("00ff", "0.1 0.2 1", "0.875")


@pytest.mark.parametrize(("path", "key", "word"), [("../m.png", "1", "MaskPath"), ("m.png", "..", "BoxID"),
                                                   ("a\\b.png", "1", "MaskPath"), ("m.png", "", "BoxID")])  # fmt: skip
def test_unsafe_names(tmp_path: Path, path: str, key: str, word: str) -> None:
    lenient = fails(folder(tmp_path, masks=f"{MASK}\n{path},x,a,{key},,,,,,\n"), word)
    assert not lenient.items[0].annotations


def test_missing_and_bad_masks(tmp_path: Path) -> None:
    root = folder(tmp_path, masks=f"{MASK}\nm.png,x,a,1,,,,,,\nn.png,x,a,2,,,,,,\n")
    (root / "masks/train").mkdir(parents=True)
    (root / "masks/train/n.png").write_bytes(write_png(np.full((10, 20, 3), (1, 2, 3), np.uint8)))
    lenient = fails(root, "m.png is missing")
    assert [a.rle.area for a in lenient.items[0].annotations] == [0, 0]


def test_other_tables_are_named(tmp_path: Path) -> None:
    data = mc.read(folder(tmp_path, **{"train-annotations-vrd.csv": "ImageID\n"}), "open_images")
    assert [loss.action for loss in data.report] == ["unread"]


def dataset(*annotations: mc.Annotation, names: tuple[str, ...] = ("道", "b")) -> mc.Dataset:
    items = [mc.Item(n, path=f"{n}.png", width=9, height=4, annotations=list(annotations)) for n in ("ü", "道/x")]
    return mc.Dataset(LabelSchema([Category(at, name) for at, name in enumerate(names)]), items)


def square(x: int, **more: Any) -> mc.Mask:
    pixels = np.zeros((4, 9), np.uint8)
    pixels[1:3, x : x + 3] = 1
    return mc.Mask(Rle.from_mask(pixels), **{"category_id": 0, **more})


def test_masks_have_files_of_their_own_in_any_alphabet_and_may_overlap(tmp_path: Path) -> None:
    mc.write(dataset(square(0), square(1)), tmp_path / "out", "open_images", on_loss="ignore")
    assert len(list((tmp_path / "out/masks/default").iterdir())) == 4
    for item in mc.read(tmp_path / "out").items:
        assert [tuple(a.rle.bbox) for a in item.annotations] == [(0, 1, 3, 2), (1, 1, 3, 2)]


def test_groups_of_boxes_and_masks(tmp_path: Path) -> None:
    one, two = mc.Box(0, 1, 3, 3, category_id=0, group_id=7), mc.Box(1, 1, 3, 3, category_id=1, group_id=8)
    data = dataset(one, two, square(0, group_id=7), square(1, group_id=8))
    report = mc.write(data, tmp_path / "out", "open_images", on_loss="ignore")
    assert any(loss.field == "group_id" and loss.action == "dropped" for loss in report)
    assert [a.group_id for a in mc.read(tmp_path / "out").items[0].annotations] == [1, None, 1, None]


def test_crowds_and_flags(tmp_path: Path) -> None:
    own = {"is_inside": True, "is_depiction": "yes", "other": 1}
    data = dataset(mc.Box(0, 0, 1, 1, category_id=0, is_crowd=True, occluded=True, attributes=own))
    report = mc.write(data, tmp_path / "out", "open_images", on_loss="ignore")
    fields = {loss.field for loss in report}
    assert {"is_crowd", "attributes.is_depiction", "attributes.other"} <= fields
    back = mc.read(tmp_path / "out").items[0].annotations[0]
    assert (back.is_crowd, back.occluded, back.attributes) == (False, True, {"is_group_of": True, "is_inside": True})


def test_hierarchy_of_parents(tmp_path: Path) -> None:
    data = dataset(names=("a", "b", "c"))
    data.schema.categories[0].parent, data.schema.categories[1].parent = "b", "thing"
    mc.write(data, tmp_path / "out", "open_images", on_loss="ignore")
    assert [c.parent for c in mc.read(tmp_path / "out").schema] == ["b", "thing", None]
    data.schema.categories[1].parent = "a"
    report = mc.write(data, tmp_path / "circle", "open_images", on_loss="ignore")
    assert any(loss.field == "parent" and loss.count == 2 for loss in report)


def test_a_label_twice_gets_another_name(tmp_path: Path) -> None:
    report = mc.write(dataset(names=("a", "a")), tmp_path / "out", "open_images", on_loss="ignore")
    assert any(loss.field == "name" for loss in report)
    assert [c.name for c in mc.read(tmp_path / "out").schema] == ["a", "a_2"]


def test_boxes_are_cut_at_the_border(tmp_path: Path) -> None:
    report = mc.write(dataset(mc.Box(-1, 0, 3, 9, category_id=0)), tmp_path / "out", "open_images", on_loss="ignore")
    assert {loss.field for loss in report if loss.what == "box" and loss.action == "approximated"} == {"x0", "y1"}
    back = mc.read(tmp_path / "out").items[0].annotations[0]
    assert (back.x0, back.y1) == (0, 4)
