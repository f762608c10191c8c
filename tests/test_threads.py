"""Several threads at once, on the same objects and on their own: what comes out is what one thread gets.

With the GIL threads are made to switch often; without it they really run side by side, which is the stricter test:
``python -X gil=0 -m pytest tests/test_threads.py`` on a free-threaded build.
"""

from __future__ import annotations

import itertools
import os
import subprocess
import sys
import sysconfig
import threading
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import maskcodec as mc
from maskcodec import registry
from maskcodec._native import runs as native
from maskcodec.compat import mask as compat
from maskcodec.idmaps import Painter
from maskcodec.ops.merge import merge
from maskcodec.testing import assert_datasets_equal
from tests.zoo import simple, zoo

THREADS = 6
BOTH = [name for name, f in registry.formats().items() if f.write is not None and f.read is not None]


@pytest.fixture(autouse=True)
def restless() -> Iterator[None]:
    """Threads take turns every few microseconds, so that a lost step is found."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(2e-6)
    yield
    sys.setswitchinterval(before)


def together(*works: Callable[[], Any], count: int = THREADS) -> list[Any]:
    """Results of functions that start at the same moment, each in ``count`` threads; all of the first come first."""
    jobs = [work for work in works for _ in range(count)]
    start = threading.Barrier(len(jobs))
    results: list[Any] = [None] * len(jobs)
    errors: list[BaseException] = []

    def body(at: int) -> None:
        try:
            start.wait()
            results[at] = jobs[at]()
        except BaseException as error:  # noqa: BLE001 - raised again below
            errors.append(error)

    threads = [threading.Thread(target=body, args=(at,)) for at in range(len(jobs))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(120)
    assert not any(thread.is_alive() for thread in threads), "threads wait for each other"
    if errors:
        raise errors[0]
    return results


def stack(count: int = 12, height: int = 97, width: int = 130) -> np.ndarray:
    random = np.random.default_rng(7)
    yy, xx = np.mgrid[:height, :width]
    masks = np.zeros((count, height, width), np.uint8)
    for mask in masks:
        x, y, r = random.integers(10, width - 10), random.integers(10, height - 10), random.integers(3, 40)
        mask[(xx - x) ** 2 + (yy - y) ** 2 < r * r] = 1
        mask[random.integers(0, height, 40), random.integers(0, width, 40)] ^= 1
    return masks


def masks_work(masks: np.ndarray, shared: mc.RleArray) -> list[Any]:
    """Everything that a mask can go through, on one shared array."""
    coco = shared.to_coco()
    rows = [shared.decode(), shared.decode(order="F"), shared.decode(axis=-1, threads=2), shared.decode(size=(31, 44))]
    again = mc.RleArray.from_masks(masks, threads=2)
    one = shared[3]
    return [
        *rows, again.runs, again.offsets, shared.areas, shared.bboxes, shared.iou(again), coco,
        mc.RleArray.from_coco(coco, threads=2).runs, shared.resize((50, 60)).runs, shared.take([-1, 1, -1]).runs,
        (one | shared[-1]).to_coco(), (one & ~shared[-1]).to_coco(), one.dilate(2, "disk").to_coco(), hash(one),
        one.to_polygons(holes="bridge"), one.components().runs, one.to_hasty(),
        mc.Rle.from_hasty(one.to_hasty(), one.shape),
        [compat.area(c) for c in coco], compat.merge(coco), compat.iou(coco, coco, [0] * len(coco)),
        mc.RleArray.from_polygons([one.to_polygons(holes="bridge")] * 3, one.shape, "even-odd", 2).runs,
    ]  # fmt: skip


def same(one: Any, other: Any) -> bool:
    if isinstance(one, np.ndarray):
        return one.dtype == other.dtype and np.array_equal(one, other)
    if isinstance(one, (list, tuple)):
        return len(one) == len(other) and all(map(same, one, other))
    return bool(one == other)


def test_one_array_for_all_threads() -> None:
    masks = stack()
    shared = mc.RleArray.from_masks(masks)
    expected = masks_work(masks, shared)
    for result in together(lambda: [masks_work(masks, shared) for _ in range(3)]):
        assert all(same(once, expected) for once in result)


def test_arrays_of_their_own() -> None:
    all_masks = [stack(4, 40 + 9 * i, 50 + 7 * i) for i in range(4)]
    expected = [masks_work(masks, mc.RleArray.from_masks(masks)) for masks in all_masks]
    works = [lambda masks=masks: masks_work(masks, mc.RleArray.from_masks(masks)) for masks in all_masks]
    results = together(*works, count=2)
    assert all(same(result, expected[at // 2]) for at, result in enumerate(results))


def test_switching_the_instruction_level_meanwhile_changes_nothing() -> None:
    masks = stack()
    shared = mc.RleArray.from_masks(masks)
    expected = masks_work(masks, shared)
    before = native.simd_level()
    levels = []
    for level in ("baseline", "avx2", "avx512"):
        try:
            levels.append(native.simd_level(level))
        except ValueError:
            continue
    stop = threading.Event()

    def switch() -> None:
        for level in itertools.cycle(levels):
            if stop.is_set():
                return
            native.simd_level(level)

    switcher = threading.Thread(target=switch)
    switcher.start()
    try:
        results = together(lambda: masks_work(masks, shared))
    finally:
        stop.set()
        switcher.join()
        native.simd_level(before)
    assert all(same(result, expected) for result in results)


def test_a_painter_that_threads_share() -> None:
    painter = Painter((60, 80), np.uint16)
    boxes = [mc.Rle.from_box((10 * x, 10 * y, 10, 10), (60, 80)) for y in range(6) for x in range(8)]
    numbers = iter(range(len(boxes)))
    turn = threading.Lock()

    def work() -> None:
        while True:
            with turn:
                at = next(numbers, None)
            if at is None:
                return
            painter.paint(boxes[at], at + 1)

    together(work)
    rows = np.arange(1, 49).reshape(6, 8).repeat(10, axis=0).repeat(10, axis=1)
    assert np.array_equal(painter.array, rows)


class Emptying:
    """A number that empties the list which it is read from."""

    def __init__(self, numbers: list[Any]) -> None:
        self.numbers = numbers

    def __index__(self) -> int:
        self.numbers.clear()
        return 1


class EmptyingFloat(float):
    numbers: list[Any]

    def __float__(self) -> float:
        self.numbers.clear()
        return 1.0


def test_a_list_that_shrinks_while_it_is_read() -> None:
    numbers: list[Any] = [1] * 100_000
    numbers[0] = Emptying(numbers)
    with pytest.raises(IndexError):
        mc.Rle.from_counts(numbers, (100, 1000))
    ring: list[Any] = [EmptyingFloat(1.0), *map(float, range(99_999))]
    ring[0].numbers = ring
    with pytest.raises(IndexError):
        mc.Rle.from_polygons([ring], (10, 10))
    size: list[Any] = [None, 100]
    size[0] = Emptying(size)
    with pytest.raises(IndexError):
        mc.Rle.from_coco({"size": size, "counts": "0"})


def test_counts_that_are_taken_away_while_they_are_read() -> None:
    whole = compat.encode(np.eye(100, dtype=np.uint8))["counts"]
    rle: dict[str, Any] = {}

    class Taking:
        def __index__(self) -> int:
            rle["counts"] = None
            self.rubbish = [b"\xff" * len(whole) for _ in range(100)]
            return 100

    for function, expected in ((compat.area, 100), (compat.toBbox, [0, 0, 100, 100])):
        rle.update(size=[Taking(), 100], counts=bytes(bytearray(whole)))
        assert np.array_equal(function(rle), expected)


def test_a_dict_and_a_list_that_another_thread_changes() -> None:
    """No promise about the result but that there is one: a mask of one of the states, or an error of ours."""
    one, two = (compat.encode(np.full((40, 50), value, np.uint8)) for value in (0, 1))
    rle, numbers, stop = dict(one), [2000], threading.Event()

    def change() -> None:
        while not stop.is_set():
            rle["counts"] = bytes(bytearray(two["counts"]))
            numbers[:] = [0, 500, 500, 1000]
            rle.pop("counts")
            numbers.clear()
            rle["counts"] = bytes(bytearray(one["counts"]))
            numbers.append(2000)

    def work() -> None:
        for _ in range(300):
            for read in (lambda: compat.area(rle), lambda: mc.Rle.from_coco(rle).area,
                         lambda: mc.Rle.from_counts(numbers, (40, 50)).area):  # fmt: skip
                try:
                    assert read() in (0, 1500, 2000)
                except (mc.DecodeError, IndexError):
                    continue

    changer = threading.Thread(target=change)
    changer.start()
    try:
        together(work)
    finally:
        stop.set()
        changer.join()


def test_what_is_not_looked_at_again_cannot_be_written_to() -> None:
    made = mc.RleArray.from_masks(stack(3))
    polygons = mc.RleArray.from_polygons([[[1, 1, 4, 1, 4, 4]]], (6, 6))
    _, labels = mc.RleArray.from_label_map(stack(1)[0])
    for array in (made, made[1:], made.take([0]), polygons, labels, mc.RleArray.from_coco(made.to_coco())):
        assert not any(part.flags.writeable for part in (array.runs, array.offsets, array.sizes))
    own = mc.RleArray(made.runs.copy(), made.offsets.copy(), made.sizes.copy())
    assert own.runs.flags.writeable and own[1:].runs.flags.writeable
    own.runs[:] = 2**31
    for use in (own.decode, lambda: own[1:].decode(order="F"), lambda: own[:1].areas, lambda: own.iou(own)):
        with pytest.raises(mc.DecodeError):
            use()


# --- data sets --------------------------------------------------------------------------------------------------------


def written(name: str, folder: Path, data: mc.Dataset | None = None) -> Path:
    mc.write(data or zoo(), folder, name, on_loss="ignore")
    return folder


@pytest.mark.parametrize("name", BOTH)
def test_one_data_set_for_all_threads(name: str, tmp_path: Path) -> None:
    if name == "arrow":
        pytest.importorskip("pyarrow")
    place = written(name, tmp_path / "out")
    expected = mc.read(place, name, on_loss="ignore")
    items = list(expected.items)
    shared = mc.read(place, name, on_loss="ignore")
    for result in together(lambda: list(shared.items), count=4):
        assert result == items
    assert shared.report == expected.report


def test_faults_are_counted_once(tmp_path: Path) -> None:
    place = written("coco_instances", tmp_path / "out", simple())
    (file,) = place.rglob("*.json")
    text = file.read_text()
    file.write_text(text.replace('"image_id":1,', '"image_id":1,"score":"high",').replace('"bbox":[', '"bbox":["x",'))
    alone = mc.read(place, "coco_instances", on_error="skip", on_loss="ignore")
    items = list(alone.items)
    assert alone.report.total, "the data set must be damaged"
    shared = mc.read(place, "coco_instances", on_error="skip", on_loss="ignore")
    assert all(result == items for result in together(lambda: list(shared.items)))
    assert shared.report == alone.report


def test_merged_data_sets_report_once() -> None:
    alone, told = merge([zoo(), zoo()])
    items = list(alone.items)
    shared, counted = merge([zoo(), zoo()])
    assert all(result == items for result in together(lambda: list(shared.items)))
    assert counted == told


def test_conversions_side_by_side(tmp_path: Path) -> None:
    names = ["coco", "cvat_images", "datumaro", "hasty_json", "labelme", "segments_image_segmentation", "voc", "yolo"]
    source = written("datumaro", tmp_path / "source")
    numbers = itertools.count()

    def work(name: str) -> Path:
        place = tmp_path / f"{name}-{next(numbers)}"
        mc.convert(source, place, name, on_loss="ignore")
        return place

    places = together(*[lambda name=name: work(name) for name in names], count=2)
    for name, place in zip([name for name in names for _ in range(2)], places, strict=True):
        alone = work(name)
        files = sorted(p.relative_to(alone) for p in alone.rglob("*") if p.is_file())
        assert files == sorted(p.relative_to(place) for p in place.rglob("*") if p.is_file())
        assert all((alone / file).read_bytes() == (place / file).read_bytes() for file in files), name


def test_reading_writing_and_validating_at_once(tmp_path: Path) -> None:
    place = written("coco", tmp_path / "in")
    expected = mc.read(place, on_loss="ignore").load()
    numbers = itertools.count()

    def read() -> mc.Dataset:
        return mc.read(place, on_loss="ignore").load()

    def write() -> mc.Dataset:
        out = tmp_path / f"out-{next(numbers)}"
        mc.write(expected, out, "coco", on_loss="ignore")
        return mc.read(out, on_loss="ignore").load()

    for result in together(read, write, count=3):
        assert_datasets_equal(result, expected)


def test_members_of_one_archive(tmp_path: Path) -> None:
    import zipfile

    from maskcodec.formats._base import Source

    with zipfile.ZipFile(tmp_path / "a.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        for at in range(40):
            archive.writestr(f"{at}.txt", f"{at} " * 5000)
    source = Source(tmp_path / "a.zip")

    def work() -> bool:
        return all(source.read(name).decode() == f"{name[:-4]} " * 5000 for name in source.files)

    assert all(together(work))
    assert all(together(work, count=2)), "the archive must stay open"


def test_limits_of_pillow_and_filters_of_warnings_stay(tmp_path: Path) -> None:
    from PIL import Image

    from maskcodec.formats._shared.images import image_size, read_png, write_png

    Image.new("RGB", (8, 6)).save(tmp_path / "a.jpg")
    jpeg, png = (tmp_path / "a.jpg").read_bytes(), write_png(np.eye(9, dtype=np.uint8))
    limit, filters = Image.MAX_IMAGE_PIXELS, list(warnings.filters)

    def work() -> None:
        for _ in range(60):
            assert image_size(jpeg) == (8, 6)
            assert read_png(png)[0].shape == (9, 9)

    together(work)
    assert limit is not None and limit == Image.MAX_IMAGE_PIXELS
    assert list(warnings.filters) == filters


def test_a_schema_that_is_asked_for_what_it_lacks() -> None:
    schema = zoo().schema

    def work() -> None:
        for number in range(400):
            assert schema.by_id(17).name == "person"
            assert number + 50 not in schema
            with pytest.raises(KeyError):
                schema.index(number + 50)

    together(work)


FIRST_USE = """
import sys, threading, warnings
warnings.simplefilter("error")
import maskcodec as mc
start, out, wrong = threading.Barrier(8), [], []
def work(at):
    try:
        start.wait()
        if at % 2:
            out.append(tuple(mc.formats()))
        else:
            out.append(mc.Rle.from_box((0, 0, at + 1, 1), (9, 9)).area)
            data = mc.read(sys.argv[1])
            out.append([len(item.annotations) for item in data.items])
    except BaseException as error:
        wrong.append(repr(error))
threads = [threading.Thread(target=work, args=(at,)) for at in range(8)]
[t.start() for t in threads]
[t.join() for t in threads]
assert not wrong, wrong
assert len({o for o in out if isinstance(o, tuple)}) == 1
print(sorted(o for o in out if isinstance(o, int)), [o for o in out if isinstance(o, list)])
"""


def test_the_first_use_is_by_many_threads(tmp_path: Path) -> None:
    place = written("coco_instances", tmp_path / "in", simple())
    expected = [len(item.annotations) for item in mc.read(place).items]
    done = subprocess.run([sys.executable, "-c", FIRST_USE, str(place)], text=True, capture_output=True, timeout=120)
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == f"[1, 3, 5, 7] {[expected] * 4}"


@pytest.mark.skipif(not sysconfig.get_config_var("Py_GIL_DISABLED"), reason="this interpreter has the GIL")
def test_the_gil_stays_off() -> None:
    code = (
        "import sys, maskcodec, maskcodec.columns, maskcodec.idmaps, maskcodec.compat.mask\n"
        "from maskcodec._native import columns, raster, runs\n"
        "print(sys._is_gil_enabled())"
    )
    environment = {k: v for k, v in os.environ.items() if k != "PYTHON_GIL"}  # by itself, not by order
    done = subprocess.run([sys.executable, "-W", "error", "-c", code], text=True, capture_output=True, env=environment)
    assert (done.stdout.strip(), done.stderr) == ("False", "")
