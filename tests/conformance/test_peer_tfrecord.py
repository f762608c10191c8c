"""Records are read by two other packages, and theirs by us: ``tfrecord`` (no TensorFlow) and TensorFlow itself.

Both describe the same messages to protobuf, which takes them once a process: where both are installed, the tests of the
second one are skipped (``-k tensorflow`` runs these).
"""

from __future__ import annotations

import io
import sys
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

import maskcodec as mc
from maskcodec.formats.tfrecord.wire import masked

pytestmark = pytest.mark.filterwarnings("ignore")
SIZE = (20, 12)
MASK = np.zeros(SIZE[::-1], np.uint8)
MASK[1:5, 2:7] = 1
MASK[2:4, 3:6] = 0
SIDES = ("xmin", "xmax", "ymin", "ymax")


def peer(name: str, other: str) -> Any:
    if other in sys.modules:
        pytest.skip(f"{other} has described the messages already")
    return pytest.importorskip(name)


def dataset() -> mc.Dataset:
    xy, rle = [[5.0, 3.0], [2.5, 9.0]], mc.Rle.from_mask(MASK)
    annotations = [
        mc.Box(2, 1, 7, 5, category_id=1, group_id=1, track_id=4),
        mc.Mask(rle, category_id=1, group_id=1, track_id=4),
        mc.Skeleton(xy, [2, 1], category_id=1, group_id=1, track_id=4),
        mc.Box(0, 3, 10, 12, category_id=2, is_crowd=True),
    ]
    item = mc.Item("é/a", path="é/a.png", width=SIZE[0], height=SIZE[1], annotations=annotations)
    labels = [mc.Category(1, "cat", keypoints=["nose", "tail"]), mc.Category(2, "chien é")]
    return mc.Dataset(mc.LabelSchema(labels), [item])


def check(features: dict[str, Any], mask: np.ndarray) -> None:
    """What a peer made of the record."""
    sides = [np.asarray(features[f"image/object/bbox/{side}"], np.float32) for side in SIDES]
    expected = np.array([[2 / 20, 0], [7 / 20, 0.5], [1 / 12, 0.25], [5 / 12, 1]], np.float32)
    assert np.array_equal(np.stack(sides), expected)
    assert list(features["image/object/class/label"]) == [1, 2]
    assert [bytes(t).decode() for t in features["image/object/class/text"]] == ["cat", "chien é"]
    assert list(features["image/object/is_crowd"]) == [0, 1]
    assert list(features["image/object/track/label"]) == [4, -1]
    assert list(features["image/object/keypoint/visibility"]) == [2, 1, 0, 0]
    assert np.allclose(features["image/object/keypoint/x"], [0.25, 0.125, 0, 0])
    assert [bytes(t).decode() for t in features["image/filename"]] == ["é/a.png"]
    assert np.array_equal(mask != 0, MASK != 0)


def written(tmp_path: Path) -> str:
    mc.write(dataset(), tmp_path / "out", "tfrecord", on_loss="ignore")
    return str(tmp_path / "out" / "default.tfrecord")


def png(mask: np.ndarray) -> bytes:
    out = io.BytesIO()
    Image.fromarray(mask).save(out, "PNG")
    return out.getvalue()


def read_back(path: Path) -> None:
    """A record that a peer wrote, as this package reads it."""
    (item,) = mc.read(path, "tfrecord").load().items
    box, mask, skeleton = item.annotations
    assert (box.x0, box.x1, box.y0, box.y1, box.track_id) == (5, 10, 0, 6, 9)
    assert np.array_equal(mask.rle.decode(), MASK) and mask.group_id == box.group_id == skeleton.group_id
    assert (skeleton.xy.tolist(), skeleton.visibility) == ([[5, 6]], [2])


FOREIGN: dict[str, Any] = {
    "image/filename": [b"a.png"], "image/height": [12], "image/width": [20],
    "image/object/bbox/xmin": [0.25], "image/object/bbox/xmax": [0.5],
    "image/object/bbox/ymin": [0.0], "image/object/bbox/ymax": [0.5],
    "image/object/class/text": [b"cat"], "image/object/class/label": [1], "image/object/mask": [png(MASK * 255)],
    "image/object/track/label": [9], "image/object/keypoint/x": [0.25], "image/object/keypoint/y": [0.5],
    "image/object/keypoint/visibility": [2],
}  # fmt: skip


def kind(values: list[Any]) -> str:
    return {bytes: "byte", float: "float", int: "int"}[type(values[0])]


def test_the_package_tfrecord_reads_our_records(tmp_path: Path) -> None:
    raw = list(peer("tfrecord", "tensorflow").reader.tfrecord_loader(written(tmp_path), None))
    (features,) = raw
    listed = {key: np.atleast_1d(np.asarray(value, object)) if isinstance(value, bytes) else value
              for key, value in features.items()}  # fmt: skip
    masks = list(listed["image/object/mask"])
    with Image.open(io.BytesIO(bytes(masks[0]))) as image:
        check(listed, np.asarray(image))
    assert bytes(masks[1]) == b""


def test_we_read_records_of_the_package_tfrecord(tmp_path: Path) -> None:
    package = peer("tfrecord", "tensorflow")
    (tmp_path / "in").mkdir()
    writer = package.writer.TFRecordWriter(str(tmp_path / "in/train.tfrecord"))
    writer.write({key: (values, kind(values)) for key, values in FOREIGN.items()})
    writer.close()
    read_back(tmp_path / "in")


def test_tensorflow_reads_our_records(tmp_path: Path) -> None:
    tf = peer("tensorflow", "tfrecord")
    (raw,) = list(tf.data.TFRecordDataset(written(tmp_path)))
    found = tf.train.Example.FromString(raw.numpy()).features.feature
    features = {key: getattr(value, value.WhichOneof("kind")).value for key, value in found.items()}
    # As the decoder of its object detection does: any PNG as one channel, what is above 0 is the object.
    mask = tf.io.decode_image(features["image/object/mask"][0], channels=1, expand_animations=False)
    check(features, tf.cast(tf.greater(mask, 0), tf.uint8).numpy()[..., 0])
    assert features["image/object/mask"][1] == b""


def test_we_read_records_of_tensorflow(tmp_path: Path) -> None:
    tf = peer("tensorflow", "tfrecord")
    lists = {"byte": tf.train.BytesList, "float": tf.train.FloatList, "int": tf.train.Int64List}
    names = {"byte": "bytes_list", "float": "float_list", "int": "int64_list"}
    made = {key: tf.train.Feature(**{names[kind(v)]: lists[kind(v)](value=v)}) for key, v in FOREIGN.items()}
    data = tf.train.Example(features=tf.train.Features(feature=made)).SerializeToString()
    for packing in ("", "GZIP", "ZLIB"):
        folder = tmp_path / (packing or "plain")
        folder.mkdir()
        with tf.io.TFRecordWriter(str(folder / "train.tfrecord"), packing) as writer:
            writer.write(data)
        read_back(folder)


def test_checksums_are_those_of_the_specification() -> None:
    assert masked(b"123456789") == 0xC78AB0E5 and masked(b"") == 0xA282EAD8
    assert zlib.crc32(b"123456789") != 0xE3069283  # another polynomial than that of zlib
