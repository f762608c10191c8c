"""Traps and bad input of CamVid."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import maskcodec as mc
from maskcodec.formats._shared.images import write_png

pytestmark = pytest.mark.filterwarnings("ignore::maskcodec.errors.LossWarning")
RED, GREEN, BLACK = (200, 0, 0), (0, 200, 0), (0, 0, 0)
TABLE = "200 0 0 red\n0 200 0 green\n"


def rgb(*row: tuple[int, ...]) -> bytes:
    return write_png(np.array([row], np.uint8))


def grey(*row: int, dtype: type = np.uint8) -> bytes:
    return write_png(np.array([row], dtype))


def folder(root: Path, mask: bytes | None, rows: str = "/t/a.png tannot/a.png\n", table: str | None = TABLE) -> Path:
    root.mkdir(exist_ok=True, parents=True)
    (root / "t.txt").write_text(rows, "utf-8")
    if mask is not None:
        (root / "tannot").mkdir(exist_ok=True)
        (root / "tannot" / "a.png").write_bytes(mask)
    if table is not None:
        (root / "label_colors.txt").write_text(table, "utf-8")
    return root


def areas(dataset: mc.Dataset) -> list[tuple[str, int]]:
    names = {c.id: c.name for c in dataset.schema}
    return [(names[a.category_id], a.rle.area) for item in dataset.items for a in item.annotations]


def fails(path: Path, *words: str) -> mc.Dataset:
    """Check that a strict reader refuses with these words; returns what a lenient one makes of it."""
    with pytest.raises(mc.FormatError) as caught:
        mc.read(path, "camvid").load()
    for word in words:
        assert word in str(caught.value)
    lenient = mc.read(path, "camvid", on_error="skip").load()
    assert len(lenient.report)
    return lenient


def test_names_with_blanks_tabs_and_comments(tmp_path: Path) -> None:
    data = mc.read(folder(tmp_path, rgb(RED, GREEN), table="# x\n200 0 0\t traffic  light \n\n0\t200\t0\tTree\n"))
    assert areas(data) == [("traffic  light", 1), ("Tree", 1)]


def test_names_alone_have_the_voc_colours_of_their_lines(tmp_path: Path) -> None:
    data = mc.read(folder(tmp_path, rgb(BLACK, (0, 128, 0)), table="void\none\ntwo\n"))
    assert areas(data) == [("two", 1)]
    assert data.schema.background == 0


@pytest.mark.parametrize("line", ["1 2 x", "1 2 256 x", "1.5 2 3 x", "-1 2 3 x", "200 0 0 red"])
def test_bad_table(tmp_path: Path, line: str) -> None:
    fails(folder(tmp_path, rgb(RED), table=f"200 0 0 red\n{line}\n"), "label_colors.txt", "line 2")


def test_labelmap_is_read_and_reported_beside_label_colors(tmp_path: Path) -> None:
    path = folder(tmp_path, rgb(RED), table=None)
    (path / "labelmap.txt").write_text("200 0 0 rot\n")
    assert areas(mc.read(path, "camvid")) == [("rot", 1)]
    (path / "labelmap.txt").write_text("rot:200,0,0::\n")
    assert areas(mc.read(path, "camvid")) == [("rot", 1)]
    (path / "label_colors.txt").write_text(TABLE)
    data = mc.read(path, "camvid")
    assert areas(data) == [("red", 1)]
    assert [loss.examples[0][0] for loss in data.report] == ["labelmap.txt"]


def test_misspelt_name(tmp_path: Path) -> None:
    data = mc.read(folder(tmp_path, rgb(RED), table="200 0 0 MotorcycycleScooter\n"))
    assert areas(data) == [("MotorcycleScooter", 1)]
    assert [loss.action for loss in data.report] == ["renamed"]


def test_quotes_blanks_and_empty_maps(tmp_path: Path) -> None:
    rows = '\ufeff/t/b.png \r\n"/t/s 1/c.png" ""\r\n"/t/a.png" "tannot/a.png"\r\n/t/d.png'
    data = mc.read(folder(tmp_path, rgb(RED), rows))
    assert [(i.id, i.path, i.width, len(i.annotations)) for i in data.items] == [
        ("b", "b.png", None, 0), ("s 1/c", "s 1/c.png", None, 0), ("a", "a.png", 1, 1), ("d", "d.png", None, 0),
    ]  # fmt: skip
    assert not len(mc.write(data, tmp_path / "out", "camvid"))
    assert [i.id for i in mc.read(tmp_path / "out").items] == ["b", "s 1/c", "a", "d"]


@pytest.mark.parametrize(
    "row", ['"/t/a.png tannot/a.png', "/t/a.png tannot/a.png x", '"" tannot/a.png', "../a.png tannot/a.png",
            "/t/a.png ../tannot/a.png", '"/t/a.png"x tannot/a.png'],
)  # fmt: skip
def test_bad_rows(tmp_path: Path, row: str) -> None:
    lenient = fails(folder(tmp_path, rgb(RED), f"/t/b.png\n{row}\n"), "t.txt", "line 2")
    assert [i.id for i in lenient.items] == ["b"]


def test_duplicate_image(tmp_path: Path) -> None:
    assert len(fails(folder(tmp_path, rgb(RED), "/t/b.png\n/t/b.jpg\n"), "line 2", "line 1").items) == 1


def test_missing_map(tmp_path: Path) -> None:
    (item,) = fails(folder(tmp_path, rgb(RED), "/t/b.png tannot/b.png\n"), "t.txt", "line 1", "tannot/b.png").items
    assert (item.id, item.annotations) == ("b", [])


def test_prefixes_separators_and_letter_case(tmp_path: Path) -> None:
    path = folder(tmp_path, rgb(RED), "C:\\x\\y\\t\\s\\a.JPG C:\\x\\y\\tannot\\a.PNG\n")
    (item,) = mc.read(path).items
    assert (item.id, item.path, len(item.annotations)) == ("s/a", "s/a.JPG", 1)
    (path / "t").mkdir()
    (path / "t" / "a.png").write_bytes(rgb(RED))
    (path / "t.txt").write_text("/SegNet/CamVid/t/a.png /SegNet/tannot/a.png\n")
    (item,) = mc.read(path).items
    assert item.path == "a.png"


def test_unknown_colour_is_background_for_a_lenient_reader(tmp_path: Path) -> None:
    path = folder(tmp_path, rgb(RED, (1, 2, 3), (1, 2, 3), BLACK))
    assert areas(fails(path, "tannot/a.png", "(1, 2, 3)", "2 pixels", "(1, 0)")) == [("red", 1)]
    fails(folder(tmp_path, rgb((224, 224, 192))), "(224, 224, 192)")  # void of VOC means nothing here


def test_indices_follow_the_black_label(tmp_path: Path) -> None:
    path = folder(tmp_path, grey(0, 1, 1, 2, 2, 2))
    assert areas(mc.read(path)) == [("red", 2), ("green", 3)]  # 0 stands for a background that nobody named
    (path / "label_colors.txt").write_text("200 0 0 red\n0 0 0 nothing\n0 200 0 green\n")
    assert areas(mc.read(path)) == [("red", 2), ("green", 3)]
    assert areas(mc.read(path, keep_background=True)) == [("red", 2), ("nothing", 1), ("green", 3)]
    assert areas(fails(folder(tmp_path, grey(1, 3, 255)), "value 3")) == [("red", 1)]


def test_indices_need_labels(tmp_path: Path) -> None:
    path = folder(tmp_path, grey(0, 8, 11, 255), table=None)
    (item,) = fails(path, "label_colors.txt", "segnet").items
    assert (item.id, item.annotations) == ("a", [])
    assert areas(mc.read(path, labels="segnet")) == [("Sky", 1), ("Car", 1)]
    with pytest.raises(ValueError, match="labels is"):
        mc.read(path, labels="other")
    path = folder(tmp_path / "b", grey(0, 6), table=None)
    assert areas(mc.read(path, labels="camvid")) == [("Car", 1)]


def test_palette_by_declared_colours(tmp_path: Path) -> None:
    palette = np.array([BLACK, GREEN, RED], np.uint8)
    data = mc.read(folder(tmp_path, write_png(np.array([[0, 1, 1, 2]], np.uint8), palette)))
    assert areas(data) == [("red", 1), ("green", 2)]


def test_colour_of_several_labels(tmp_path: Path) -> None:
    twice = "200 0 0 a\n200 0 0 b\n0 200 0 c\n"
    fails(folder(tmp_path, rgb(RED, GREEN), table=twice), "several labels")
    assert areas(mc.read(folder(tmp_path, rgb(GREEN), table=twice))) == [("c", 1)]
    data = mc.read(folder(tmp_path, rgb(RED, BLACK), table="0 0 0 a\n0 0 0 b\n200 0 0 c\n"))
    assert areas(data) == [("c", 1)]
    assert [(loss.action, loss.field) for loss in data.report] == [("defaulted", "color")]


def test_text_files_that_are_no_lists(tmp_path: Path) -> None:
    path = folder(tmp_path, rgb(RED))
    (path / "README.txt").write_text("This is CamVid.\nIt has many images\n")
    data = mc.read(path)
    assert [i.subset for i in data.items] == ["t"]
    assert [loss.examples[0][0] for loss in data.report] == ["README.txt"]


def test_map_that_no_list_names(tmp_path: Path) -> None:
    data = mc.read(folder(tmp_path, rgb(RED), "/t/b.png\n"), "camvid")
    assert [(loss.action, loss.examples[0][0]) for loss in data.report] == [("unread", "tannot/a.png")]


def test_sizes_differ(tmp_path: Path) -> None:
    path = folder(tmp_path, rgb(RED, RED))
    (path / "t").mkdir()
    (path / "t" / "a.png").write_bytes(rgb(RED))
    fails(path, "tannot/a.png", "2 x 1", "1 x 1")


def test_sixteen_bits(tmp_path: Path) -> None:
    fails(folder(tmp_path, grey(1, dtype=np.uint16)), "tannot/a.png", "16 bits")


def test_folders_of_the_release(tmp_path: Path) -> None:
    for name, data in (("raw/f1.png", rgb(RED, RED)), ("raw/f2.png", rgb(RED, RED)), ("maps/f1_L.png", rgb(GREEN, RED)),
                       ("maps/f2_L.png", rgb(BLACK, RED)), ("label_colors.txt", TABLE.encode())):  # fmt: skip
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(data)
    assert mc.detect(tmp_path) == "camvid"
    data = mc.read(tmp_path)
    assert [(i.subset, i.id, i.path, i.width) for i in data.items] == [
        ("default", "f1", "f1.png", 2), ("default", "f2", "f2.png", 2),
    ]  # fmt: skip
    assert areas(data) == [("red", 1), ("green", 1), ("red", 1)]
    with data.media.open_media(next(iter(data.items))) as stream:
        assert stream.read(4) == b"\x89PNG"


def test_data_set_in_a_folder_of_an_archive(tmp_path: Path) -> None:
    folder(tmp_path / "top", rgb(RED))
    assert mc.detect(tmp_path) == "camvid"
    assert areas(mc.read(tmp_path)) == [("red", 1)]


def masks(*names: str, subset: str = "t", colors: dict[str, tuple[int, int, int]] | None = None) -> mc.Dataset:
    schema = mc.LabelSchema([mc.Category(at, name, color=(colors or {}).get(name)) for at, name in enumerate(names)])
    found = [mc.Mask(mc.Rle.from_box((at, 0, 1, 1), (1, len(names))), category_id=at) for at in range(len(names))]
    return mc.Dataset(schema, [mc.Item("a", "a.png", width=len(names), height=1, subset=subset, annotations=found)])


def test_dialect_of_cvat(tmp_path: Path) -> None:
    report = mc.write(masks("zeb", "car"), tmp_path / "out", "camvid", dialect="cvat")
    assert ("approximated", "schema", "categories") in {(loss.action, loss.what, loss.field) for loss in report}
    assert [c.name for c in mc.read(tmp_path / "out").schema] == ["car", "zeb"]
    assert sorted(areas(mc.read(tmp_path / "out"))) == [("car", 1), ("zeb", 1)]
    with pytest.raises(ValueError, match="'traffic light'"):
        mc.write(masks("traffic light"), tmp_path / "b", "camvid", dialect="cvat")
    mc.write(masks("traffic light"), tmp_path / "b", "camvid")
    assert areas(mc.read(tmp_path / "b")) == [("traffic light", 1)]


def test_what_cannot_be_written(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="'a' and 'b'"):
        mc.write(masks("a", "b", colors={"a": RED, "b": RED}), tmp_path / "out", "camvid")
    with pytest.raises(ValueError, match="label_colors"):
        mc.write(masks("a", subset="label_colors"), tmp_path / "out", "camvid")
    with pytest.raises(ValueError, match="classes"):
        mc.write(masks(*map(str, range(256))), tmp_path / "out", "camvid", mode="index")
    both = masks("a")
    both.items = [*both.items, mc.Item("x", subset="tannot")]
    with pytest.raises(ValueError, match="share a folder"):
        mc.write(both, tmp_path / "out", "camvid")
    assert not (tmp_path / "out").exists()


def test_black_labels_get_another_colour(tmp_path: Path) -> None:
    report = mc.write(masks("a", "b", colors={"a": BLACK, "b": BLACK}), tmp_path / "out", "camvid")
    assert ("approximated", "category", "color", 2) in {(x.action, x.what, x.field, x.count) for x in report}
    assert areas(mc.read(tmp_path / "out")) == [("a", 1), ("b", 1)]


def test_joined_objects_and_background_are_reported(tmp_path: Path) -> None:
    data = masks("background", "car", "tree")
    data.items[0].annotations.append(mc.Mask(mc.Rle.from_box((0, 0, 2, 1), (1, 3)), category_id=2, z_order=1))
    found = {(loss.action, loss.what, loss.field, loss.count) for loss in mc.write(data, tmp_path / "out", "camvid")}
    assert found >= {("approximated", "mask", "", 1), ("dropped", "mask", "", 2)}
    assert areas(mc.read(tmp_path / "out")) == [("tree", 3)]


@given(st.lists(st.lists(st.integers(0, 4), min_size=5, max_size=5), min_size=1, max_size=6), st.booleans())
def test_partition_of_pixels_survives(tmp_path_factory, rows: list[list[int]], rgb: bool) -> None:
    pixels = np.array(rows, np.uint8)
    schema = mc.LabelSchema([mc.Category(at, f"c {at}") for at in range(4)])
    own = [mc.Mask(mc.Rle.from_mask(pixels == at + 1), category_id=at) for at in range(4) if (pixels == at + 1).any()]
    item = mc.Item("s/a", "s/a.png", width=5, height=len(rows), annotations=own)
    out = tmp_path_factory.mktemp("camvid") / "out"
    mc.write(mc.Dataset(schema, [item]), out, "camvid", mode="rgb" if rgb else "index")
    back = np.zeros_like(pixels)
    (twin,) = mc.read(out, "camvid").items
    for mask in twin.annotations:
        back[mask.rle.decode() > 0] = mask.category_id + 1
    assert np.array_equal(back, pixels)
