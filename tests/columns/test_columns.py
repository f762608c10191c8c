"""Kernels over mask columns: equal to calls one by one, whatever layout the column has."""

from __future__ import annotations

import functools
import gc
import pickle
import subprocess
import sys
import threading
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import maskcodec as mc
from maskcodec import columns as col
from maskcodec.columns import NumberColumn, RleColumn
from maskcodec.masks import Rle, RleArray
from tests.native.strategies import binary_masks, rings

pa = pytest.importorskip("pyarrow", minversion="18")  # the first whose every class speaks capsules
from tests.columns.arrow_masks import COUNTS, SIDES, VIEWS, columns, struct_array  # noqa: E402

SHAPE = (6, 7)
FIELDS = ["height", "width", "counts"]
MODEST = settings(max_examples=60, deadline=None)


def some(n: int = 5, shape: tuple[int, int] = SHAPE) -> list[Rle | None]:
    rng = np.random.default_rng(n)
    masks: list[Rle | None] = [Rle.from_mask(rng.random(shape) < 0.4) for _ in range(n)]
    masks[n // 2] = None
    return masks


def present(masks: list[Rle | None]) -> list[Rle]:
    return [m for m in masks if m is not None]


def each(masks: list[Rle | None], of: Any) -> list[Any]:
    """A call for each mask, None for null."""
    return [None if mask is None else of(mask) for mask in masks]


def one_iou(a: Rle | None, b: Rle | None) -> float | None:
    if a is None or b is None:
        return None
    return float(RleArray.from_rles([a]).iou(RleArray.from_rles([b]))[0, 0])


# --- equality ---------------------------------------------------------------------------------------------------------


@MODEST
@given(columns())
def test_area_and_box(case: tuple[Any, list[Rle | None]]) -> None:
    data, masks = case
    held = RleColumn(data)  # a stream can be read once
    assert col.area(held).to_pylist() == each(masks, lambda m: m.area)
    assert col.bbox(held).to_pylist() == each(masks, lambda m: [float(v) for v in m.bbox])
    assert [held[i] for i in range(len(held))] == masks
    assert held.null_count == sum(m is None for m in masks)


@MODEST
@given(columns(), st.integers(0, 3))
def test_read_in_place(case: tuple[Any, list[Rle | None]], threads: int) -> None:
    data, masks = case
    assert col.area(data, threads=threads).to_pylist() == each(masks, lambda m: m.area)


@MODEST
@given(st.data(), st.integers(0, 6))
def test_iou(data: st.DataObject, rows: int) -> None:
    (one, a), (two, b) = data.draw(columns(SHAPE, rows)), data.draw(columns(SHAPE, rows))
    one, two = RleColumn(one), RleColumn(two)
    assert col.iou(one, two).to_pylist() == [one_iou(x, y) for x, y in zip(a, b, strict=True)]
    pairs = col.iou(one, two, pairwise=True)
    assert pairs.shape == (rows, rows)
    for i, x in enumerate(a):
        for j, y in enumerate(b):
            expected = one_iou(x, y)
            assert np.isnan(pairs[i, j]) if expected is None else pairs[i, j] == expected


@MODEST
@given(st.data(), st.sampled_from(["uint8", "bool", "f4", "int64"]), st.sampled_from(["C", "F"]), st.integers(0, 2))
def test_decode(data: st.DataObject, dtype: str, order: Any, threads: int) -> None:
    made, masks = data.draw(columns(SHAPE, data.draw(st.integers(1, 5))))
    made = RleColumn(made)
    dense = np.stack([np.zeros(SHAPE, dtype) if m is None else m.decode(dtype=dtype) for m in masks])
    out = np.full((len(masks), *SHAPE), 9, dtype)
    got = col.decode(made, out, nulls="empty", threads=threads)
    assert got is out
    assert (out == dense).all()
    x0, y0, x1, y1 = window = (1, 2, 5, 6)
    assert (col.decode(made, window=window, nulls="empty") == dense[:, y0:y1, x0:x1]).all()
    size = (3, 11)
    resized = np.stack([np.zeros(size) if m is None else m.resize(size).decode() for m in masks])
    assert (col.decode(made, size=size, nulls="empty") == resized).all()
    if any(m is not None for m in masks):
        fresh = col.decode(made, order=order, dtype=dtype, nulls="empty")
        assert fresh.dtype == dtype
        assert (fresh == dense).all()
        assert all(plane.flags.c_contiguous if order == "C" else plane.flags.f_contiguous for plane in fresh)


@MODEST
@given(columns(SHAPE), st.integers(0, 2))
def test_crop_resize_to_array(case: tuple[Any, list[Rle | None]], threads: int) -> None:
    data, masks = case
    data = RleColumn(data)
    cropped, resized = col.crop(data, (1, 0, 4, 6), threads=threads), col.resize(data, 9, 2, threads=threads)
    windows = np.array([(i % 3, 0, 4 + i % 3, i % 6) for i in range(len(masks))], int).reshape(-1, 4)
    many = col.crop(data, windows)
    array = col.to_array(data, nulls="empty", threads=threads)
    for i, mask in enumerate(masks):
        if mask is None:
            assert cropped[i] is resized[i] is many[i] is None
            assert array[i].shape == (0, 0)
            continue
        assert cropped[i] == mask.crop((1, 0, 4, 6))
        assert resized[i] == mask.resize((9, 2))
        assert many[i] == mask.crop(windows[i])
        assert array[i] == mask


@MODEST
@given(st.data(), st.integers(0, 8))
def test_merge(data: st.DataObject, rows: int) -> None:
    made, masks = data.draw(columns(SHAPE, rows))
    held = RleColumn(made)
    groups = data.draw(st.lists(st.sampled_from([3, -1, None]), min_size=rows, max_size=rows))
    expected: dict[Any, Rle | None] = {}
    for mask, group in zip(masks, groups, strict=True):
        now = expected.setdefault(group, None)
        expected[group] = mask if now is None else now if mask is None else now | mask
    kinds = {
        "numbers": pa.array(groups, pa.int16()),
        "text": pa.array([None if g is None else str(g) for g in groups], pa.string()),
        "dictionary": pa.array(groups, pa.int64()).dictionary_encode(),
        "text dictionary": pa.array([None if g is None else str(g) for g in groups], pa.string()).dictionary_encode(),
        "chunks": pa.chunked_array([pa.array(groups[:2], pa.int8()), pa.array(groups[2:], pa.int8())], pa.int8()),
    }
    if VIEWS:
        kinds["views"] = pa.array([None if g is None else str(g) * 9 for g in groups], VIEWS[-1])
    for name, group in kinds.items():
        found, merged = col.merge(held, group)
        if "text" in name:
            assert found.to_pylist() == [None if g is None else str(g) for g in expected]
        elif name != "views":
            assert found.to_pylist() == list(expected)
        assert [merged[i] for i in range(len(merged))] == list(expected.values())
        assert pa.array(found).to_pylist() == found.to_pylist()


LISTS = [
    pa.list_(pa.list_(pa.float64())), pa.large_list(pa.large_list(pa.float64())), pa.list_(pa.list_(pa.float32())),
    pa.large_list(pa.list_(pa.float64())),
]  # fmt: skip
if hasattr(pa, "list_view"):
    LISTS.append(pa.list_view(pa.list_view(pa.float64())))


@MODEST
@given(st.lists(st.one_of(st.none(), st.lists(rings(), max_size=3)), max_size=5), st.sampled_from(LISTS),
       st.sampled_from(["coco", "even-odd", "opencv"]), st.integers(0, 3))  # fmt: skip
def test_from_polygons(objects: list[Any], kind: Any, rule: Any, cut: int) -> None:
    data = pa.array([[[0.0]], *objects], kind)[1:]
    if kind == LISTS[2]:
        objects = data.to_pylist()
    chunked = pa.chunked_array([data[:cut], data[cut:]], kind)
    for column in (data, chunked):
        made = col.from_polygons(column, 20, 18, rule=rule)
        expected = [None if o is None else RleArray.from_polygons([o], (20, 18), rule)[0] for o in objects]
        assert [made[i] for i in range(len(made))] == expected
    heights = np.arange(len(objects)) + 5
    many = col.from_polygons(data, pa.array(heights), 18, rule=rule)
    for i, one in enumerate(objects):
        assert many[i] == (None if one is None else RleArray.from_polygons([one], (int(heights[i]), 18), rule)[0])


def test_fixed_size_rings() -> None:
    kind = pa.list_(pa.list_(pa.float64(), 6))
    data = pa.array([[[0.0, 0, 3, 0, 3, 3]], [[1.0, 1, 4, 1, 4, 4]] * 2], kind)
    made = col.from_polygons(data[1:], 5, 5)
    assert made[0] == Rle.from_polygons([[1, 1, 4, 1, 4, 4]], (5, 5))


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_equal_to_the_peer() -> None:
    peer = pytest.importorskip("pycocotools.mask")
    rng = np.random.default_rng(5)
    dense = [np.asfortranarray((rng.random((33, 41)) < p).astype(np.uint8)) for p in (0, 0.01, 0.3, 0.7, 1)]
    rles = [peer.encode(mask) for mask in dense]
    data = pa.array([{"height": r["size"][0], "width": r["size"][1], "counts": r["counts"]} for r in rles])
    assert col.area(data).to_pylist() == peer.area(rles).tolist()
    assert col.bbox(data).to_numpy().tolist() == peer.toBbox(rles).tolist()
    assert (col.decode(data) == np.stack([peer.decode(r) for r in rles])).all()
    twins = rles[::-1]
    pairs = col.iou(data, pa.array([{"height": 33, "width": 41, "counts": r["counts"]} for r in twins]), pairwise=True)
    theirs = peer.iou(rles, twins, [0] * 5)
    assert np.allclose(pairs, theirs, rtol=0, atol=1e-15)
    merged = col.merge(data, np.zeros(5, int))[1]
    assert merged[0].to_coco(bytes=True)["counts"] == peer.merge(rles)["counts"]


# --- layouts in and out -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("counts", COUNTS, ids=str)
@pytest.mark.parametrize("side", SIDES, ids=str)
def test_layouts(counts: Any, side: Any) -> None:
    masks = some()
    big = Rle.from_mask(np.arange(90).reshape(9, 10) % 7 < 3)  # counts of more than 12 characters, out of line in views
    array = struct_array([*masks, big], counts, side, ("counts", "height", "width"))
    out = pa.array(RleColumn(array[1:]))
    assert out.type == pa.struct({"height": pa.int32(), "width": pa.int32(), "counts": pa.binary()})
    assert RleColumn(out)[len(masks) - 1] == big
    assert col.area(array).to_pylist() == each([*masks, big], lambda m: m.area)


def test_zero_copy_both_ways() -> None:
    array = struct_array(some())
    out = pa.array(RleColumn(array[1:]))
    assert out.field(2).buffers()[2].address == array.field(2).buffers()[2].address
    assert out.offset == 1
    out.validate(full=True)


def test_extension_type_goes_out_and_comes_in() -> None:
    column = RleColumn.from_rles(some())
    field = pa.Field._import_from_c_capsule(column.__arrow_c_schema__())
    assert field.metadata[b"ARROW:extension:name"] == b"maskcodec.rle"
    plain = pa.schema([pa.field("m", field.type)]).field("m")
    assert pa.array(column, type=plain.type).type == field.type
    with pytest.raises(ValueError, match="cannot be given as int32"):
        column.__arrow_c_array__(pa.int32().__arrow_c_schema__())

    class MaskType(pa.ExtensionType):
        def __init__(self) -> None:
            super().__init__(field.type, "maskcodec.rle")

        def __arrow_ext_serialize__(self) -> bytes:
            return b""

        @classmethod
        def __arrow_ext_deserialize__(cls, storage: Any, serialized: bytes) -> MaskType:
            return cls()

    pa.register_extension_type(MaskType())
    try:
        typed = pa.array(column)
        assert isinstance(typed, pa.ExtensionArray)
        assert RleColumn(typed) == column
        assert col.area(pa.chunked_array([typed, typed])).to_pylist() == 2 * col.area(column).to_pylist()
    finally:
        pa.unregister_extension_type("maskcodec.rle")


def test_parquet_keeps_the_type(tmp_path: Any) -> None:
    pq = pytest.importorskip("pyarrow.parquet")
    column = RleColumn.from_rles(some())
    field = pa.Field._import_from_c_capsule(column.__arrow_c_schema__()).with_name("mask")
    table = pa.Table.from_arrays([pa.array(column)], schema=pa.schema([field]))
    pq.write_table(table, tmp_path / "m.parquet")
    back = pq.read_table(tmp_path / "m.parquet")
    assert back.schema.field("mask").metadata[b"ARROW:extension:name"] == b"maskcodec.rle"
    assert RleColumn(back) == column


def test_array_of_rles_is_arrow_data() -> None:
    masks = RleArray.from_rles(present(some()))
    assert RleColumn(pa.array(masks)).to_array() == masks
    assert col.area(masks).to_numpy().tolist() == masks.areas.tolist()
    assert masks.to_arrow().to_array() == masks
    assert pa.DataType._import_from_c_capsule(masks.__arrow_c_schema__()).num_fields == 3
    assert len(pa.array(masks[:0])) == 0
    untrusted = RleArray(np.array([4, 0, 4], np.uint32), np.array([0, 3], np.uint64), np.array([[2, 4]], np.uint32))
    with pytest.raises(mc.DecodeError, match="canonical"):
        untrusted.to_arrow()


def test_slices_and_pieces() -> None:
    masks = some(9)
    column = RleColumn.from_rles(masks)
    assert [column[2:7][i] for i in range(5)] == masks[2:7]
    assert len(column[5:2]) == len(column[9:]) == 0
    assert pa.array(column[9:]).to_pylist() == []
    assert pa.array(column[3:5][1:]).to_pylist() == pa.array(column).to_pylist()[4:5]
    chunked = RleColumn(pa.chunked_array([pa.array(column[:4]), pa.array(column[4:])]))
    assert chunked == column
    assert len(pa.chunked_array(chunked).chunks) == 2
    assert len(pa.array(chunked)) == 9  # one array out of two
    assert pickle.loads(pickle.dumps(chunked[1:8])) == column[1:8]
    with pytest.raises(ValueError, match="step 1"):
        column[::2]
    with pytest.raises(IndexError):
        column[9]
    assert column[-1] == masks[-1]


@pytest.mark.parametrize("data", [[], [None, None]], ids=["empty", "nulls"])
def test_nothing_there(data: list[None]) -> None:
    column = RleColumn.from_rles(data)
    assert col.area(column).to_pylist() == col.bbox(column).to_pylist() == col.iou(column, column).to_pylist() == data
    assert list(col.crop(column, (0, 0, 1, 1)).valid) == [False] * len(data)
    for nothing in (column, pa.nulls(len(data)), pa.chunked_array([], pa.array(column).type)):
        assert col.area(nothing).to_pylist() in (data, [])
    with pytest.raises(ValueError, match=r"null|unknown"):
        col.decode(column)
    out = np.ones((len(data), 2, 3), np.uint8)
    assert not col.decode(column, out, nulls="empty").any()


def test_numbers() -> None:
    numbers = col.area(RleColumn.from_rles(some()))
    with pytest.raises(ValueError, match="row 2 is null"):
        np.asarray(numbers)
    assert numbers.to_numpy(-1)[2] == -1
    assert pickle.loads(pickle.dumps(numbers)).to_pylist() == numbers.to_pylist()
    assert numbers[1:3].to_pylist() == numbers.to_pylist()[1:3]
    assert numbers[2] is None
    array = np.asarray(numbers[:2])
    assert array.dtype == np.int64
    assert not array.flags.writeable
    boxes = col.bbox(RleColumn.from_rles(some()))
    assert pa.array(boxes).type == pa.list_(pa.float64(), 4)
    assert pa.array(boxes[1:4]).to_pylist() == boxes.to_pylist()[1:4]
    assert np.asarray(boxes[:2]).shape == (2, 4)
    with pytest.raises(TypeError, match="numbers"):
        NumberColumn(["a"])
    assert NumberColumn([1.5, 2], [True, False]).to_pylist() == [1.5, None]


def test_memory_outlives_its_makers() -> None:
    values = np.asarray(col.area(RleColumn.from_rles(present(some(40)))))
    array = pa.array(RleColumn.from_rles(some(40)))
    capsules = RleColumn.from_rles(some(40)).__arrow_c_array__()
    stream = RleColumn.from_rles(some(40)).__arrow_c_stream__()
    gc.collect()
    array.validate(full=True)
    assert values.sum() == sum(m.area for m in present(some(40)))
    del capsules, stream  # never consumed
    gc.collect()


def test_a_capsule_is_consumed_once() -> None:
    class Once:
        def __init__(self) -> None:
            self.capsules = RleColumn.from_rles(some()).__arrow_c_array__()

        def __arrow_c_array__(self, requested_schema: Any = None) -> Any:
            return self.capsules

    once = Once()
    assert len(RleColumn(once)) == 5
    with pytest.raises(ValueError, match="consumed"):
        RleColumn(once)


def test_threads_share_a_column() -> None:
    column = RleColumn.from_rles(some(200))
    expected = col.area(column).to_pylist()
    wrong: list[Any] = []

    def work() -> None:
        for _ in range(20):
            if col.area(column, threads=2).to_pylist() != expected or len(pa.array(column[3:])) != 197:
                wrong.append(1)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong


# --- faults -----------------------------------------------------------------------------------------------------------


def bad(**change: Any) -> Any:
    rows = [{"height": 3, "width": 4, "counts": b"417"}] * 200
    rows[130] = {**rows[130], **change}
    return pa.array(rows)


@pytest.mark.parametrize("threads", [1, 3])
@pytest.mark.parametrize(
    ("change", "error", "text"),
    [
        ({"counts": b"41"}, mc.DecodeError, "row 130: "),
        ({"counts": b"4!7"}, mc.DecodeError, "row 130: "),
        ({"counts": b""}, mc.DecodeError, "row 130: "),
        ({"height": -1}, mc.DecodeError, "row 130: height: expected an integer from 0 on, got -1"),
        ({"height": 2**31, "width": 2**31}, ValueError, "row 130: .*larger"),
    ],
)
def test_bad_rows_are_named(change: dict[str, Any], error: type, text: str, threads: int) -> None:
    cropped = functools.partial(col.crop, window=(0, 0, 1, 1))
    resized = functools.partial(col.resize, height=2, width=2)
    for kernel in (col.area, col.bbox, col.to_array, col.decode, cropped, resized):
        with pytest.raises(error, match=text):
            kernel(bad(**change), threads=threads)


def test_sizes_that_do_not_fit() -> None:
    two = RleColumn.from_rles([Rle.from_box((0, 0, 1, 1), s) for s in ((2, 2), (3, 2))])
    with pytest.raises(ValueError, match="row 1"):
        col.decode(two)
    with pytest.raises(ValueError, match="row 1: .*row 0 of its group is 2 x 2"):
        col.merge(two, [1, 1])
    with pytest.raises(ValueError, match="row 0: masks of different sizes, 2 x 2 and 3 x 2"):
        col.iou(two[:1], two[1:])
    with pytest.raises(ValueError, match="one length, got 2 and 1"):
        col.iou(two, two[1:])
    with pytest.raises(ValueError, match="a group for every mask, got 1"):
        col.merge(two, [1])
    with pytest.raises(ValueError, match="row 0: the window"):
        col.crop(two, (0, 0, 3, 3))
    with pytest.raises(ValueError, match=r"row 1 .*null|row 1 is null"):
        col.to_array(RleColumn.from_rles([two[0], None]))


@pytest.mark.parametrize(
    "data",
    [
        pa.array([1, 2]),
        pa.array([{"height": 1, "width": 1}]),
        pa.array([{"height": 1.5, "width": 1, "counts": b"1"}]),
        pa.array([{"height": 1, "width": 1, "counts": [1, 2]}]),
        pa.array([b"1"]).dictionary_encode(),
        pa.StructArray.from_arrays([*[pa.array([1])] * 2, pa.array([b"1"]).dictionary_encode()], FIELDS),
        pa.table({"a": [1], "b": [2]}),
        pa.chunked_array([], pa.int8()),
    ],
    ids=str,
)  # fmt: skip
def test_other_types_are_refused_by_name(data: Any) -> None:
    with pytest.raises(TypeError, match=r"expected|counts: |height: "):
        col.area(data)


def test_what_is_no_arrow_data_is_refused() -> None:
    for data in (None, [1], np.zeros(3), {"height": 1}):
        with pytest.raises(TypeError, match="expected Arrow data"):
            col.area(data)


@pytest.mark.parametrize(
    ("rings_", "text"),
    [
        ([[0.0, 0, 1, 1]], "row 1: ring 0: expected at least 3 points, got 2"),
        ([[0.0, 0, 1, 1, 2, 0], [0.0] * 7], "row 1: ring 1: expected an even number of values, got 7"),
        ([[0.0, 0, 1, float("nan"), 2, 0]], "row 1: "),
        ([None], "row 1: ring 0: it is null"),
        ([[0.0, 0, 1, None, 2, 0]], "row 1: a coordinate is null"),
    ],
)
def test_bad_rings_are_named(rings_: Any, text: str) -> None:
    data = pa.array([[], rings_], pa.list_(pa.list_(pa.float64())))
    with pytest.raises(ValueError, match=text):
        col.from_polygons(data, 4, 4)


def test_polygons_of_other_types() -> None:
    for data in (pa.array([1]), pa.array([[1.0]]), pa.array([[["a"]]]), pa.array([[[True]]])):
        with pytest.raises(TypeError, match="expected"):
            col.from_polygons(data, 4, 4)
    assert col.from_polygons(pa.nulls(2), 4, 4).null_count == 2
    with pytest.raises(ValueError, match="height: expected 1 integers"):
        col.from_polygons(pa.array([[]], LISTS[0]), [1, 2], 4)


def test_a_failing_stream_says_why() -> None:
    def batches() -> Any:
        yield pa.record_batch({"mask": struct_array(some())})
        raise ValueError("the disk is gone")

    schema = pa.record_batch({"mask": struct_array(some())}).schema
    with pytest.raises(ValueError, match="the disk is gone"):
        col.area(pa.RecordBatchReader.from_batches(schema, batches()))


@MODEST
@given(st.lists(binary_masks(SHAPE), min_size=1, max_size=4), st.binary(max_size=12))
def test_any_text_decodes_or_is_refused(masks: list[np.ndarray], text: bytes) -> None:
    data = pa.array([{"height": SHAPE[0], "width": SHAPE[1], "counts": text}])
    try:
        expected = Rle.from_coco({"size": list(SHAPE), "counts": text})
    except mc.DecodeError:
        with pytest.raises(mc.DecodeError, match="row 0"):
            col.area(data)
        return
    assert col.area(data).to_pylist() == [expected.area]


def test_no_library_is_needed() -> None:
    program = (
        "import sys; import maskcodec.columns as c; from maskcodec import Rle;"
        "k = c.RleColumn.from_rles([Rle.from_box((0, 0, 1, 1), (2, 2)), None]);"
        "assert c.area(c.RleColumn(k)).to_pylist() == [1, None];"
        "assert c.RleColumn(c.crop(k, (0, 0, 1, 2)))[0].area == 1;"
        "assert not {'pyarrow', 'polars', 'pandas'} & sys.modules.keys()"
    )
    subprocess.run([sys.executable, "-c", program], check=True)


def test_functions_pickle_by_name() -> None:
    for name in ("area", "bbox", "iou", "decode", "from_polygons", "merge", "crop", "resize", "to_array"):
        function = getattr(col, name)
        assert pickle.loads(pickle.dumps(function)) is function
