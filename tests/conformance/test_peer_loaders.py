"""What is written feeds the loaders that people train with, where these are installed: Ultralytics, torchvision."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

import maskcodec as mc
from maskcodec import registry

pytestmark = pytest.mark.filterwarnings("ignore")
SIZE = (20, 12)
BOXES = [mc.Box(1.0, 2.0, 6.0, 9.0, category_id=0), mc.Box(8.0, 1.0, 15.0, 5.0, category_id=1)]
RING = mc.Polygon([[[1.0, 1.0], [9.0, 1.0], [9.0, 8.0], [4.0, 10.0]]], category_id=1)
TURNED = mc.Box(4.0, 3.0, 14.0, 8.0, 30.0, category_id=1)
POSE = mc.Skeleton([[3.0, 4.0], [5.5, 6.5], [9.0, 2.0]], [2, 1, 2], category_id=0)
POINTS = ["nose", "l_eye", "r_eye"]


class Pictures:
    """Opens a picture for every item."""

    def __init__(self, folder: Path, ending: str) -> None:
        self.path = folder / f"picture{ending}"
        Image.new("RGB", SIZE).save(self.path)

    def open_media(self, item: object) -> Any:
        return self.path.open("rb")


def written(folder: Path, format: str, *annotations: mc.Annotation, path: str = "a.jpg", where: str = "out",
            subset: str = "train", **options: object) -> Path:  # fmt: skip
    schema = mc.LabelSchema([mc.Category(0, "cat", keypoints=POINTS), mc.Category(1, "dog")])
    items = [mc.Item(Path(path).with_suffix("").as_posix(), path, width=20, height=12, subset=subset,
                     annotations=list(annotations))]  # fmt: skip
    data = mc.Dataset(schema, items, media=Pictures(folder, Path(path).suffix))
    mc.write(data, folder / where, format, on_loss="ignore", media="copy", **options)
    return folder / where


@pytest.mark.parametrize("task", ["detect", "segment", "obb", "pose"])
def test_ultralytics(tmp_path: Path, task: str) -> None:
    pytest.importorskip("ultralytics")
    from ultralytics.data.dataset import YOLODataset
    from ultralytics.data.utils import check_det_dataset

    shapes = {"detect": BOXES, "segment": [RING], "obb": [TURNED], "pose": [POSE]}[task]
    root = written(tmp_path, f"ultralytics_{task}", *shapes)
    text = (root / "data.yaml").read_text()
    (root / "data.yaml").write_text(text + "val: train.txt\n")  # it wants one
    data = check_det_dataset(str(root / "data.yaml"), autodownload=False)
    assert data["names"] == {0: "cat", 1: "dog"}
    (label,) = YOLODataset(img_path=data["train"], data=data, task=task, augment=False).labels
    if task == "detect":
        assert label["cls"].ravel().tolist() == [0, 1]
        centres = [[3.5 / 20, 5.5 / 12, 5 / 20, 7 / 12], [11.5 / 20, 3 / 12, 7 / 20, 4 / 12]]
        assert np.allclose(label["bboxes"], centres, atol=1e-6)
    elif task == "segment":
        assert np.allclose(label["segments"][0] * SIZE, RING.rings[0], atol=1e-4)
    elif task == "obb":
        from maskcodec.model.geometry import box_corners

        assert np.allclose(label["segments"][0] * SIZE, box_corners(TURNED), atol=1e-4)
    else:
        assert label["keypoints"].shape == (1, 3, 3)
        assert np.allclose(label["keypoints"][0, :, :2] * SIZE, POSE.xy, atol=1e-4)
        assert label["keypoints"][0, :, 2].tolist() == POSE.visibility


def test_voc_detection(tmp_path: Path) -> None:
    datasets = pytest.importorskip("torchvision").datasets
    written(tmp_path, "voc", *BOXES, where="VOCdevkit/VOC2012")
    ((image, target),) = datasets.VOCDetection(str(tmp_path), year="2012", image_set="train")
    assert image.size == SIZE
    found = target["annotation"]["object"]
    assert [one["name"] for one in found] == ["cat", "dog"]
    assert [[float(one["bndbox"][side]) for side in ("xmin", "ymin", "xmax", "ymax")] for one in found] == [
        [1, 2, 6, 9], [8, 1, 15, 5],
    ]  # fmt: skip
    assert target["annotation"]["size"]["width"] == "20"


def test_voc_segmentation(tmp_path: Path) -> None:
    datasets = pytest.importorskip("torchvision").datasets
    mask = mc.Rle.from_polygons(RING.rings, SIZE[::-1])
    written(tmp_path, "voc", mc.Mask(mask, category_id=1), where="VOCdevkit/VOC2012", mode="palette")
    ((_, target),) = datasets.VOCSegmentation(str(tmp_path), year="2012", image_set="train")
    assert np.array_equal(np.array(target) == 2, mask.decode() != 0), "background, cat, dog"


def test_image_folders(tmp_path: Path) -> None:
    datasets = pytest.importorskip("torchvision").datasets
    root = written(tmp_path, "ultralytics_classify", mc.Tag(category_id=1))
    data = datasets.ImageFolder(str(root / "train"))
    assert data.classes == ["dog"]
    assert [Path(path).relative_to(root).as_posix() for path, _ in data.samples] == ["train/dog/a.jpg"]


@pytest.mark.skipif("imagenet" not in registry.formats(), reason="not registered")
def test_imagenet(tmp_path: Path) -> None:
    datasets = pytest.importorskip("torchvision").datasets
    root = written(tmp_path, "imagenet", mc.Tag(category_id=1), subset="default")
    data = datasets.ImageFolder(str(root))
    assert (data.classes, [target for _, target in data.samples]) == (["dog"], [0])


@pytest.mark.skipif("kitti_detection" not in registry.formats(), reason="not registered")
def test_kitti(tmp_path: Path) -> None:
    datasets = pytest.importorskip("torchvision").datasets
    written(tmp_path, "kitti_detection", *BOXES, path="a.png", where="Kitti/raw", subset="training")
    ((image, target),) = list(datasets.Kitti(str(tmp_path), train=True))
    assert image.size == SIZE
    assert [one["type"] for one in target] == ["cat", "dog"]
    assert [one["bbox"] for one in target] == [[1, 2, 6, 9], [8, 1, 15, 5]]


@pytest.mark.skipif("cityscapes" not in registry.formats(), reason="not registered")
def test_cityscapes(tmp_path: Path) -> None:
    datasets = pytest.importorskip("torchvision").datasets
    mask = mc.Rle.from_polygons(RING.rings, SIZE[::-1])
    schema = mc.LabelSchema([mc.Category(0, "car"), mc.Category(1, "sky")])
    item = mc.Item("town/town_000001_000019", "town/town_000001_000019.png", width=20, height=12,
                   subset="train", annotations=[mc.Mask(mask, category_id=0)])  # fmt: skip
    mc.write(mc.Dataset(schema, [item], media=Pictures(tmp_path, ".png")), tmp_path / "out", "cityscapes",
             on_loss="ignore", media="copy", layout="original")  # fmt: skip
    data = datasets.Cityscapes(str(tmp_path / "out"), split="train", mode="fine", target_type="instance")
    ((image, target),) = list(data)
    assert image.size == SIZE
    inside = mask.decode() != 0
    values = np.array(target)
    assert len(np.unique(values[inside])) == 1
    assert not (values[~inside] == values[inside][0]).any()


@pytest.mark.skipif("wider_face" not in registry.formats(), reason="not registered")
def test_wider_face(tmp_path: Path) -> None:
    datasets = pytest.importorskip("torchvision").datasets
    schema = mc.LabelSchema([mc.Category(0, "face")])
    item = mc.Item("0--Parade/a", "0--Parade/a.jpg", width=20, height=12, subset="train", annotations=BOXES[:1])
    mc.write(mc.Dataset(schema, [item], media=Pictures(tmp_path, ".jpg")), tmp_path / "widerface", "wider_face",
             on_loss="ignore", media="copy")  # fmt: skip
    for name in ("WIDER_val", "WIDER_test"):
        (tmp_path / "widerface" / name).mkdir()
    ((_, target),) = list(datasets.WIDERFace(str(tmp_path), split="train"))
    assert target["bbox"].tolist() == [[1, 2, 5, 7]]
