"""Sources, sinks, names and label map pictures."""

from __future__ import annotations

import io
import os
import zipfile

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from PIL import Image

import maskcodec as mc
from maskcodec.formats._shared.images import image_size, read_png, write_png
from maskcodec.formats._shared.sink import Sink
from maskcodec.formats._shared.source import Limits, Source, safe_join, safe_name


@pytest.mark.parametrize(
    "name",
    [
        "",
        " ",
        ".",
        "..",
        "a/../../b",
        "/a",
        "\\a",
        "C:\\a",
        "c:a",
        "\\\\server\\share",
        "http://x/y",
        "a\0b",
        "a\nb",
        "..\\a",
        5,
    ],
)
def test_unsafe_names(name):
    with pytest.raises(ValueError, match="path"):
        safe_name(name)


@pytest.mark.parametrize(
    ("name", "plain"), [("a.png", "a.png"), ("a\\b.png", "a/b.png"), ("./a//b", "a/b"), ("..a/b..", "..a/b..")]
)
def test_safe_names(name, plain):
    assert safe_name(name) == plain


@pytest.mark.skipif(os.name == "nt", reason="links need a privilege there")
def test_links_that_lead_outside_are_refused(tmp_path):
    (tmp_path / "in").mkdir()
    (tmp_path / "secret").write_text("s")
    (tmp_path / "in" / "link").symlink_to(tmp_path / "secret")
    with pytest.raises(ValueError, match="link"):
        safe_join(tmp_path / "in", "link")
    with pytest.raises(mc.FormatError, match="link"):
        Source(tmp_path / "in")
    source = Source(tmp_path / "in", on_error="skip")
    assert source.files == []
    assert source.report.total == 1
    with pytest.raises(mc.FormatError):
        source.open("link")


def zipped(**members: bytes) -> bytes:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return target.getvalue()


def test_limits_of_archives():
    data = zipped(a=b"\0" * 100_000, b=b"x" * 10)
    for limits, text in (
        (Limits(members=1), "members"),
        (Limits(member=1000), "limit"),
        (Limits(ratio=10, ratio_from=1000), "10:1"),
    ):
        with pytest.raises(mc.FormatError, match=text):
            Source(data, limits=limits)
    source = Source(data, limits=Limits(total=100_005))
    assert len(source.read("a")) == 100_000
    with pytest.raises(mc.FormatError, match="limit"):
        source.read("b")


def test_same_data_in_every_container(tmp_path):
    for container, name in (("folder", "o"), ("zip", "o.zip")):
        with Sink(tmp_path / name, container) as sink:
            sink.write("a/b.txt", b"x")
            sink.write("c", b"y")
        source = Source(tmp_path / name)
        assert {n: source.read(n) for n in source.files} == {"a/b.txt": b"x", "c": b"y"}
    with Sink(tmp_path / "o.json", "file") as sink:
        sink.write("any/where.json", b"{}")
    assert Source(tmp_path / "o.json").read("o.json") == b"{}"


def test_failure_at_every_step_leaves_the_old_output(tmp_path, monkeypatch):
    for container, name in (("folder", "o"), ("zip", "o.zip"), ("file", "o.json")):
        with Sink(tmp_path / name, container) as sink:
            sink.write("old", b"old")
    for step in ("os.rename", "os.replace", "os.fsync"):
        for container, name in (("folder", "o"), ("zip", "o.zip"), ("file", "o.json")):
            calls = []

            def fail(*args, calls=calls, step=step):
                calls.append(args)
                raise OSError(5, "broken")

            with monkeypatch.context() as patch:
                patch.setattr(step, fail)
                try:
                    with Sink(tmp_path / name, container, overwrite=True) as sink:
                        sink.write("old", b"new")
                except OSError:
                    assert calls
            source = Source(tmp_path / name)
            data = source.read(source.files[0])
            assert data == (b"old" if calls and not (step == "os.fsync" and data == b"new") else b"new")
            with Sink(tmp_path / name, container, overwrite=True) as sink:
                sink.write("old", b"old")
    assert sorted(p.name for p in tmp_path.iterdir()) == ["o", "o.json", "o.zip"]


def test_next_run_removes_what_a_killed_one_left(tmp_path):
    stray = tmp_path / ".part-999999999-o"
    stray.mkdir()
    (stray / "half").write_bytes(b"x")
    kept = tmp_path / ".part-999999999-other"
    kept.mkdir()
    with Sink(tmp_path / "o") as sink:
        sink.write("a", b"")
    assert sorted(p.name for p in tmp_path.iterdir()) == [".part-999999999-other", "o"]


def test_killed_between_the_two_renames_brings_the_old_output_back(tmp_path):
    old = tmp_path / ".part-999999999-old-o"
    old.mkdir()
    (old / "a").write_bytes(b"old")
    with pytest.raises(RuntimeError), Sink(tmp_path / "o", overwrite=True):
        raise RuntimeError
    assert (tmp_path / "o" / "a").read_bytes() == b"old"


pictures = st.one_of(
    hnp.arrays(np.uint8, hnp.array_shapes(min_dims=2, max_dims=2, max_side=9)),
    hnp.arrays(np.uint16, hnp.array_shapes(min_dims=2, max_dims=2, max_side=9)),
    hnp.arrays(np.uint8, st.tuples(st.integers(1, 9), st.integers(1, 9), st.sampled_from([3, 4]))),
)


@given(pictures)
def test_png_round_trip_and_the_peer_agrees(pixels):
    data = write_png(pixels)
    back, header, palette = read_png(data)
    assert palette is None
    assert back.dtype == pixels.dtype
    np.testing.assert_array_equal(back, pixels)
    np.testing.assert_array_equal(np.asarray(Image.open(io.BytesIO(data))), pixels)
    assert image_size(data) == (pixels.shape[1], pixels.shape[0]) == (header.width, header.height)


@pytest.mark.parametrize("bits", [1, 2, 4, 8])
def test_palette_indices_of_every_depth(bits):
    pixels = np.arange(12).reshape(3, 4) % (1 << bits)
    image = Image.new("P", (4, 3))
    image.putdata(pixels.reshape(-1).tolist())
    image.putpalette([v for i in range(1 << bits) for v in (i, 2 * i % 256, 7)])
    out = io.BytesIO()
    image.save(out, "PNG", bits=bits)
    back, header, palette = read_png(out.getvalue())
    assert header.depth == bits
    np.testing.assert_array_equal(back, pixels)
    assert palette is not None
    assert palette[1].tolist() == [1, 2, 7]


def test_palette_is_written_and_checked():
    table = np.array([[0, 0, 0], [9, 8, 7]], np.uint8)
    back, _, palette = read_png(write_png(np.array([[0, 1]], np.uint8), table))
    np.testing.assert_array_equal(back, [[0, 1]])
    np.testing.assert_array_equal(palette, table)
    with pytest.raises(ValueError, match="beyond"):
        write_png(np.array([[2]], np.uint8), table)


def test_every_cut_and_every_flipped_bit_is_noticed():
    data = write_png(np.arange(60, dtype=np.uint8).reshape(6, 10))
    for at in range(len(data)):
        with pytest.raises(mc.FormatError, match="f"):
            read_png(data[:at], "f")
        broken = bytearray(data)
        broken[at] ^= 4
        with pytest.raises(mc.FormatError):
            read_png(bytes(broken), "f")


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "BMP", "GIF", "WEBP", "TIFF"])
def test_size_of_every_picture_format(kind):
    out = io.BytesIO()
    Image.new("RGB", (31, 17)).save(out, kind)
    assert image_size(out.getvalue()) == (31, 17)
    with pytest.raises(mc.FormatError, match="name"):
        image_size(out.getvalue()[:8], "name")


def test_faults_are_entered_once_however_often_items_are_read(tmp_path):
    (tmp_path / "obj_train_data").mkdir()
    for name, text in (("obj.data", "names = obj.names\ntrain = train.txt\n"), ("obj.names", "cat\n"),
                       ("train.txt", "obj_train_data/a.jpg\n"), ("obj_train_data/a.txt", "0 1 2\n")):  # fmt: skip
        (tmp_path / name).write_text(text)
    data = mc.read(tmp_path, "yolo", on_error="skip")
    for _ in range(3):
        assert len(list(data.items)) == 1
    assert data.items[0].annotations == []
    assert data.report.total == 1
