"""The figures of Hasty's COCO exports."""

from __future__ import annotations

from collections import Counter

import pytest

import maskcodec as mc


def test_real_letters(samples):
    dataset = mc.read(samples / "hasty-coco" / "real-letters-subset")
    assert dataset.source.format == "hasty_coco"
    assert dataset.info["description"] == "letter_detection "
    names = {c.id: c.name for c in dataset.schema}
    first, second = dataset.items
    assert (first.path, first.width, first.height, first.extras["coco"]["id"]) == ("029_000_01.jpg", 478, 285, 13)
    assert (second.path, second.width, second.height, second.extras["coco"]["id"]) == ("029_000_03.jpg", 535, 2160, 15)
    for item, counts, area in (
        (first, {"aleph": 7, "tav": 4, "mem": 3}, 32270),
        (second, {"tav": 31, "aleph": 29, "he": 25, "mem": 19, "shin": 17, "memsofit": 9}, 298146),
    ):
        assert Counter(names[a.category_id] for a in item.annotations) == counts
        assert sum((a.x1 - a.x0) * (a.y1 - a.y0) for a in item.annotations) == area
        assert {a.variant for a in item.annotations} == {"box"}
    assert [a.id for a in first.annotations] == list(range(373, 387))
    found = {a.id: a for a in second.annotations}
    touching = found[1052]
    assert (touching.x0, touching.y0, touching.x1, touching.y1) == (490, 1451, 535, 1512)
    assert {found[number].x1 for number in (1052, 1054, 1120)} == {535}


@pytest.mark.parametrize(("folder", "ids"), [("authored-masks", [0, 1, 2]), ("authored-string-ids", ["0", "1", "2"])])
def test_authored(samples, tmp_path, folder, ids):
    dataset = mc.read(samples / "hasty-coco" / folder)
    assert [(c.name, c.kind, c.parent) for c in dataset.schema] == [("boat", "thing", None), ("sea", "stuff", None)]
    annotations = [a for item in dataset.items for a in item.annotations]
    assert [a.id for a in annotations] == ids
    masks = [a for a in annotations if isinstance(a, mc.Mask)]
    boxes = [a for a in annotations if isinstance(a, mc.Box)]
    assert (masks[0].rle.area, tuple(masks[0].rle.bbox)) == (6718, (504, 842, 117, 75))
    assert masks[1].rle.area == 26
    assert masks[1].rle.to_coco()["counts"] == "e05400LO010O010O014006"
    assert [(b.x1 - b.x0) * (b.y1 - b.y0) for b in boxes] == [8586]
    assert not any(a.is_crowd for a in annotations)
    assert not len(mc.write(dataset, tmp_path / "out.json", "hasty_coco", on_loss="raise"))
    again = [a.id for item in mc.read(tmp_path / "out.json").items for a in item.annotations]
    assert again == ids


def test_ids_can_be_renumbered_for_readers_that_take_0_for_none(samples, tmp_path):
    report = mc.convert(
        samples / "hasty-coco" / "authored-masks", tmp_path / "out", "coco", renumber=True, on_loss="ignore"
    )
    assert [(loss.action, loss.field) for loss in report] == [("renamed", "id")] * len(report)
    again = [a.id for item in mc.read(tmp_path / "out").items for a in item.annotations]
    assert again == [1, 2, 3]


def test_seed_mask_is_encoded_identically(samples):
    import json

    record = json.loads((samples / "coco" / "hasty-doc-example" / "annotation.json").read_bytes())
    rle = mc.Rle.from_coco(record["segmentation"])
    assert rle.to_coco() == record["segmentation"]
    assert (rle.area, list(rle.bbox)) == (record["area"], record["bbox"])
