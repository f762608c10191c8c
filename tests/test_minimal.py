"""The one test file to run when only one is run: every wheel must pass it, outside the source tree."""

import pickle
import subprocess
import sys

import numpy as np

import maskcodec as mc


def test_mask_there_and_back() -> None:
    mask = np.zeros((7, 9), bool)
    mask[1:6, 2:8] = True
    mask[3, 4] = False
    r = mc.Rle.from_mask(mask)
    assert (r.decode() == mask).all()
    assert r.area == 29
    assert r.bbox == (2, 1, 6, 5)
    assert mc.Rle.from_coco(r.to_coco()) == r
    assert mc.Rle.from_hasty(r.to_hasty(), r.shape) == r
    assert mc.Rle.from_polygons(r.to_polygons(holes="bridge"), r.shape) == r
    assert pickle.loads(pickle.dumps(r)) == r


def test_batch() -> None:
    stack = np.zeros((3, 4, 5), np.uint8)
    stack[0, 1, 1] = stack[1, 2] = 1
    a = mc.RleArray.from_masks(stack)
    assert a.areas.tolist() == [1, 5, 0]
    assert (a.decode() == stack).all()


def test_ids() -> None:
    ids = np.array([[0, 1, 70000]], np.uint32)
    assert (mc.unpack_ids(mc.pack_ids(ids, "segments")) == ids).all()


def test_convert(tmp_path) -> None:
    item = mc.Item(id="a", path="a.png", width=9, height=7)
    item.annotations.append(mc.Box(1, 1, 4, 5, category_id=1))
    data = mc.Dataset(schema=mc.LabelSchema(categories=[mc.Category(id=1, name="boat")]), items=mc.ItemList([item]))
    mc.write(data, tmp_path / "out", "coco_instances", on_loss="ignore")
    assert mc.detect(tmp_path / "out") == "coco_instances"
    again = mc.read(tmp_path / "out")
    (box,) = next(iter(again.items)).annotations
    assert (box.x0, box.y0, box.x1, box.y1) == (1, 1, 4, 5)


def test_command_line() -> None:
    run = subprocess.run([sys.executable, "-m", "maskcodec", "formats", "--json"], capture_output=True, text=True)
    assert run.returncode == 0, run.stderr
    assert "coco_instances" in run.stdout
