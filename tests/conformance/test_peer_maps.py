"""Class maps, maps of instances, label files and tracklets are read by datumaro as they are meant."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

import maskcodec as mc
from tests.conformance.test_peer_datumaro import PEER, PROGRAM

pytestmark = [
    pytest.mark.skipif(PEER is None, reason="MASKCODEC_DATUMARO_PYTHON names no interpreter that has datumaro"),
    pytest.mark.filterwarnings("ignore::maskcodec.errors.LossWarning"),
]


def mask(x: int, category: int, **fields: Any) -> mc.Mask:
    return mc.Mask(mc.Rle.from_box((x, 0, 2, 2), (2, 10)), category_id=category, **fields)


def data() -> mc.Dataset:
    shapes = [mask(0, 1), mask(2, 1), mask(4, 2), mask(6, 2, is_crowd=True)]
    schema = mc.LabelSchema([mc.Category(1, "car", color=(9, 9, 9)), mc.Category(2, "tree", color=(1, 2, 3))])
    return mc.Dataset(schema, [mc.Item("s/a", "s/a.png", width=10, height=2, subset="train", annotations=shapes)])


def boxes() -> mc.Dataset:
    box = mc.Box(1.5, 2.0, 4.25, 6.0, category_id=1, occluded=True)
    plain = mc.Box(1.0, 2.0, 3.0, 4.0, category_id=2)
    return mc.Dataset(data().schema, [mc.Item("s/a", subset="train", annotations=[box, plain])])


def cuboids() -> mc.Dataset:
    items = [
        mc.Item(f"{at:010d}", media="point_cloud", frame=at,
                annotations=[mc.Cuboid((at, 2.0, 3.0), (4.0, 2.0, 1.0), 0.5, category_id=1, track_id=1, occluded=True)])
        for at in range(2)
    ]  # fmt: skip
    return mc.Dataset(data().schema, items)


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    root = tmp_path_factory.mktemp("peer")
    made = {"camvid": data(), "kitti_segmentation": data(), "kitti_detection": boxes(), "kitti_raw": cuboids()}
    rows = []
    for name, dataset in made.items():
        mc.write(dataset, root / name, name)
        rows.append(f"{name}\t{name}\t{Path(root / name)}")
    run = subprocess.run([str(PEER), "-c", PROGRAM], input="\n".join(rows), capture_output=True, text=True, check=True)
    out: dict[str, Any] = json.loads(run.stdout.rpartition("FOUND")[2])
    return out


def rows(found: dict[str, Any], name: str) -> list[dict[str, Any]]:
    assert "error" not in found[name], found[name]
    own: list[dict[str, Any]] = found[name]["rows"]
    return own


def test_camvid(found: dict[str, Any]) -> None:
    shown = {(r["label"], r["area"]) for r in rows(found, "camvid") if r["label"] in ("car", "tree")}
    assert shown == {("car", 8), ("tree", 8)}
    assert found["camvid"]["items"] == [["s/a", "train"]]


def test_kitti_segmentation(found: dict[str, Any]) -> None:
    shown = [(r["label"], r["area"], r["attributes"]["is_crowd"]) for r in rows(found, "kitti_segmentation")]
    # The background is an object for it, which is not ours to say.
    assert sorted(shown) == [
        ("background", 4, True), ("car", 4, False), ("car", 4, False), ("tree", 4, False), ("tree", 4, True),
    ]  # fmt: skip


def test_kitti_detection(found: dict[str, Any]) -> None:
    shown = [(r["label"], r["points"], r["attributes"]) for r in rows(found, "kitti_detection")]
    assert shown == [
        ("car", [1.5, 2.0, 4.25, 6.0], {"truncated": False, "occluded": True}),
        ("tree", [1.0, 2.0, 3.0, 4.0], {"truncated": False, "occluded": False}),
    ]


def test_kitti_raw(found: dict[str, Any]) -> None:
    shown = [(r["item"], r["label"], r["attributes"]["track_id"], r["attributes"]["occluded"])
             for r in rows(found, "kitti_raw")]  # fmt: skip
    assert shown == [("0000000000", "car", 1, True), ("0000000001", "car", 1, True)]
