"""What we write for Segments.ai is held against the models of its SDK; runs where ``segments-ai`` is installed."""

from __future__ import annotations

import json
import math
import warnings
from pathlib import Path
from typing import Any

import pytest

import maskcodec as mc
from maskcodec.formats.segments.space import Pose, to_ego
from tests.zoo import zoo

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    typing = pytest.importorskip("segments.typing", reason="the SDK of Segments.ai is not installed")

pytestmark = pytest.mark.filterwarnings("ignore::maskcodec.errors.LossWarning")

LABELS = {
    "segmentation-bitmap": "ImageSegmentationLabelAttributes",
    "vector": "ImageVectorLabelAttributes",
    "pointcloud-cuboid": "PointcloudCuboidLabelAttributes",
    "pointcloud-vector": "PointcloudVectorLabelAttributes",
    "pointcloud-segmentation": "PointcloudSegmentationLabelAttributes",
    "image-segmentation-sequence": "ImageSequenceSegmentationLabelAttributes",
    "image-vector-sequence": "ImageSequenceVectorLabelAttributes",
    "pointcloud-cuboid-sequence": "PointcloudSequenceCuboidLabelAttributes",
    "pointcloud-vector-sequence": "PointcloudSequenceVectorLabelAttributes",
    "pointcloud-segmentation-sequence": "PointcloudSequenceSegmentationLabelAttributes",
    "multisensor-sequence": "MultiSensorLabelAttributes",
}
SAMPLES = {
    "multisensor-sequence": "MultiSensorSampleAttributes",
    **dict.fromkeys(("segmentation-bitmap", "vector"), "ImageSampleAttributes"),
    **{name: "ImageSequenceSampleAttributes" for name in LABELS if name.startswith("image-")},
    **{name: "PointcloudSampleAttributes" for name in LABELS if name.startswith("pointcloud-")},
    **{name: "PointcloudSequenceSampleAttributes" for name in LABELS if name.startswith("pointcloud-") and
       name.endswith("-sequence")},
}  # fmt: skip
# Registry name -> task types that it is asked to write; None where it has but one.
TASKS: list[tuple[str, str | None]] = [
    ("segments_image_segmentation", None),
    ("segments_image_vector", None),
    ("segments_pointcloud_cuboid", None),
    ("segments_pointcloud_vector", None),
    ("segments_pointcloud_segmentation", None),
    *(("segments_image_sequence", name) for name in LABELS if name.startswith("image-")),
    *(("segments_pointcloud_sequence", n) for n in LABELS if n.startswith("pointcloud-") and n.endswith("-sequence")),
    ("segments_multisensor", None),
    *(("segments", name) for name in LABELS),
]


def same(value: Any, model: Any, place: str = "") -> list[str]:
    """Where a model holds another value than the JSON; keys that it does not know are not compared."""
    if isinstance(value, dict) and isinstance(model, dict):
        return [text for key in value if key in model for text in same(value[key], model[key], f"{place}.{key}")]
    if isinstance(value, list) and isinstance(model, (list, tuple)):
        if len(value) != len(model):
            return [f"{place}: {len(value)} and {len(model)} values"]
        pairs = enumerate(zip(value, model, strict=True))
        return [text for at, (a, b) in pairs for text in same(a, b, f"{place}[{at}]")]
    alike = value == model and isinstance(value, bool) == isinstance(model, bool)
    if isinstance(value, str) and isinstance(model, float):  # limits of numbers may be texts
        alike = float(value) == model
    return [] if alike else [f"{place}: {value!r} {model!r}"]


def check(model: str, value: Any) -> None:
    """Validate, and see that the SDK understands the same thing."""
    read = getattr(typing, model).model_validate(value)
    assert same(value, read.model_dump()) == []


def check_release(folder: Path) -> int:
    """Every label, sample and definition of the releases in a folder; returns the number of labels."""
    count = 0
    for path in folder.glob("*.json"):
        dataset = json.loads(path.read_text("utf-8"))["dataset"]
        task = dataset["task_type"].replace("-highres", "")
        task = "vector" if task in ("bboxes", "keypoints") else task
        assert dataset["task_type"] in {kind.value for kind in typing.TaskType}
        check("TaskAttributes", dataset["task_attributes"])
        for labelset in dataset["labelsets"]:
            check("Labelset", labelset)
        for sample in dataset["samples"]:
            check(SAMPLES[task], sample["attributes"])
            for label in sample["labels"].values():
                if label is None:
                    continue
                count += 1
                typing.LabelStatus(label.get("label_status", "UNLABELED"))
                if label["attributes"] is not None:
                    check(LABELS[task], label["attributes"])
    return count


@pytest.mark.parametrize(("name", "task"), TASKS)
def test_every_kind(name: str, task: str | None, tmp_path: Path) -> None:
    options = {} if task is None else {"task": task}
    mc.write(zoo(), tmp_path / "out", name, on_loss="ignore", **options)
    assert check_release(tmp_path / "out") > 0


@pytest.mark.parametrize("content", ["vector", "segmentation"])
def test_what_other_formats_hold(content: str, tmp_path: Path) -> None:
    """Categories and attributes as CVAT has them become definitions that the platform takes."""
    mc.write(zoo(), tmp_path / "cvat", "cvat_images", on_loss="ignore")
    mc.convert(tmp_path / "cvat", tmp_path / "out", to=f"segments_image_{content}", on_loss="ignore")
    assert check_release(tmp_path / "out") > 0


def test_every_sample_comes_back_valid(samples: Path, tmp_path: Path) -> None:
    folder = samples / "segments-ai"
    paths = [*sorted((folder / "label-attributes").glob("*.json")), *sorted(folder.glob("release-*"))]
    for path in paths:
        mc.write(mc.read(path, "segments"), tmp_path / path.stem, "segments", on_loss="ignore")
        assert check_release(tmp_path / path.stem) > 0, path


def test_the_view_of_the_vehicle_is_that_of_the_sdk() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        utils = pytest.importorskip("segments.utils")
    transform = getattr(utils, "_transform_annotations_to_ego", None)
    if transform is None:
        pytest.skip("this version of the SDK has no such function")
    turn, place = (0.1, -0.2, 0.5, 0.8), (3.0, -4.0, 0.5)
    heading = dict(zip(("qx", "qy", "qz", "qw"), turn, strict=True))
    pose = typing.EgoPose.model_validate({"position": dict(zip("xyz", place, strict=True)), "heading": heading})
    cuboid = mc.Cuboid((1.0, 2.0, 3.0), (4.0, 2.0, 1.0), -3.0, (0.0, 0.0, 0.6, 0.8))
    line = mc.Polyline([[1.0, 2.0, 3.0], [4.0, 5.0, 6.5]])
    theirs = [
        typing.PointcloudCuboidAnnotation.model_validate(
            {"id": 1, "category_id": 1, "type": "cuboid", "position": {"x": 1, "y": 2, "z": 3}, "yaw": -3.0,
             "dimensions": {"x": 4, "y": 2, "z": 1}, "rotation": {"qx": 0, "qy": 0, "qz": 0.6, "qw": 0.8}}
        ),
        typing.PointcloudVectorAnnotation.model_validate(
            {"id": 2, "category_id": 1, "type": "polyline", "points": line.points.tolist()}
        ),
    ]  # fmt: skip
    transform(theirs, pose)
    ours = [to_ego(a, Pose(place, turn)) for a in (cuboid, line)]
    assert ours[0].position == pytest.approx((theirs[0].position.x, theirs[0].position.y, theirs[0].position.z))
    assert math.remainder(ours[0].yaw - theirs[0].yaw, 2 * math.pi) == pytest.approx(0)  # theirs is not wrapped
    wanted = theirs[0].rotation
    assert ours[0].quaternion == pytest.approx((wanted.qx, wanted.qy, wanted.qz, wanted.qw))
    assert ours[1].points.tolist() == [pytest.approx(point) for point in theirs[1].points]
