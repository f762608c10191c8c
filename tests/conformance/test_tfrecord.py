"""TFRecord on the samples of its specification."""

from __future__ import annotations

from pathlib import Path

import maskcodec as mc
from maskcodec.formats.tfrecord.wire import entries, records
from maskcodec.testing import assert_datasets_equal


def test_boxes(samples: Path, tmp_path: Path) -> None:
    path = samples / "tfrecord" / "boxes"
    assert mc.detect(path) == "tfrecord"
    data = mc.read(path).load()
    assert [(c.id, c.name) for c in data.schema] == [(n + 1, f"label_{n}") for n in range(10)]
    (item,) = data.items
    assert (item.subset, item.id, item.path, item.width, item.height) == ("train", "1", "1.jpg", 16, 16)
    assert item.attributes == {"source_id": "1"}
    assert [(a.category_id, a.x0, a.y0, a.x1 - a.x0, a.y1 - a.y0) for a in item.annotations] == [
        (3, 0, 4, 4, 8), (4, 0, 4, 4, 4), (None, 2, 4, 4, 4),
    ]  # fmt: skip
    stream = data.media.open_media(item)
    assert stream is not None
    assert len(stream.read()) == 631
    assert not len(mc.write(data, tmp_path / "out", "tfrecord"))
    back = mc.read(tmp_path / "out").load()
    for one in (data, back):
        for each in one.items:
            each.extras = {}  # where the record lies, and a checksum that the sample lacks
    assert_datasets_equal(data, back)
    found = []
    for root in (path, tmp_path / "out"):
        source = (root / "train.tfrecord").read_bytes()
        (place,) = records(_Plain(), "train.tfrecord", source)  # type: ignore[arg-type]
        found.append({key: source[a:b] for key, (a, b) in entries(source, *place).items()})
    sample, ours = found
    assert ours.pop("image/key/sha256")
    assert ours == sample


class _Plain:
    def display(self, name: str) -> str:
        return name
