"""Masks in PyTorch: equal to decoding first, whatever is done to them; targets, workers, collate functions."""

from __future__ import annotations

import copy
import io
import json
import pickle
import zipfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

import maskcodec as mc

torch = pytest.importorskip("torch")
pytest.importorskip("torchvision")

from PIL import Image  # noqa: E402
from torchvision import tv_tensors  # noqa: E402
from torchvision.transforms import v2  # noqa: E402
from torchvision.transforms.v2 import functional as F  # noqa: E402
from torchvision.transforms.v2.functional import _utils  # noqa: E402

from maskcodec.packed import PackedFile, PackedIndex  # noqa: E402
from maskcodec.torch import MaskBuffer, MaskDataset, PackedMasks, collate, collate_padded  # noqa: E402

pytestmark = [
    pytest.mark.filterwarnings("ignore::maskcodec.LossWarning"),
    pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning"),
    pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning"),  # pycocotools under NumPy 2
]


def pair(n: int = 3, height: int = 37, width: int = 53, seed: int = 0):
    dense = (np.random.default_rng(seed).random((n, height, width)) > 0.6).astype(np.uint8)
    array = mc.RleArray.from_masks(dense) if n else mc.RleArray.from_rles([])
    return PackedMasks(array, (height, width)), tv_tensors.Mask(torch.from_numpy(dense))


def dense(value):
    if isinstance(value, PackedMasks):
        return value.decode()
    return [dense(one) for one in value] if isinstance(value, (tuple, list)) else value


def check(a, b) -> None:
    a, b = dense(a), dense(b)
    if isinstance(b, (tuple, list)):
        assert len(a) == len(b)
        for x, y in zip(a, b, strict=True):
            check(x, y)
    elif isinstance(b, torch.Tensor):
        assert a.dtype == b.dtype
        assert torch.equal(a, b)
    else:
        assert a == b


ARGUMENTS = {
    "resize": ([20, 31],), "resized_crop": (3, 4, 20, 30, [15, 40]), "crop": (-3, 5, 50, 60),
    "center_crop": ([40, 20],), "pad": ([1, 2, 3, 4],), "rotate": (33.0,), "affine": (10.0, [1, 2], 1.2, [3, 4]),
    "five_crop": ([10, 10],), "ten_crop": ([10, 10],), "to_dtype": (torch.float32,),
    "perspective": ([[0, 0], [50, 0], [50, 30], [0, 30]], [[2, 1], [48, 2], [47, 33], [1, 29]]),
    "elastic": (torch.full((1, 37, 53, 2), 0.1),),
    "uniform_temporal_subsample": (2,), "erase": (1, 2, 5, 6, torch.tensor(0)),
}  # fmt: skip
OF_MASKS = [f for f, kernels in _utils._KERNEL_REGISTRY.items() if tv_tensors.Mask in kernels]
ON_RUNS = {"horizontal_flip", "vertical_flip", "resize", "resized_crop", "crop", "center_crop", "pad"}


def test_the_functions_of_torchvision_are_known():
    assert {f.__name__ for f in OF_MASKS} >= ON_RUNS | {"rotate", "affine", "perspective", "elastic", "to_dtype"}


@pytest.mark.parametrize("function", OF_MASKS, ids=lambda f: f.__name__)
def test_every_function_of_torchvision_equals_decoding_first(function):
    packed, plain = pair()
    arguments = ARGUMENTS.get(function.__name__, ())
    result = function(packed, *arguments)
    check(result, function(plain, *arguments))
    assert isinstance(result, PackedMasks) == (function.__name__ in ON_RUNS)
    none, nothing = pair(0)
    if function.__name__ in ON_RUNS:
        check(function(none, *arguments), function(nothing, *arguments))


@given(st.integers(1, 40), st.integers(1, 40), st.integers(1, 60), st.integers(1, 60), st.integers(0, 5))
def test_resize_is_torchs(height, width, h, w, seed):
    packed, plain = pair(2, height, width, seed)
    check(F.resize(packed, [h, w]), F.resize(plain, [h, w]))
    if max(h, w) < 50 and min(h, w) > 2:
        try:
            expected = F.resize(plain, [h], max_size=h + 7)
        except RuntimeError:  # a side of no pixels
            with pytest.raises(RuntimeError):
                F.resize(packed, [h], max_size=h + 7)
        else:
            check(F.resize(packed, [h], max_size=h + 7), expected)


@given(
    st.integers(1, 30), st.integers(1, 30), st.integers(-9, 35), st.integers(-9, 35), st.integers(1, 40),
    st.integers(1, 40), st.integers(1, 30), st.integers(1, 30),
)  # fmt: skip
def test_crops_are_torchs(height, width, top, left, h, w, to_h, to_w):
    assume(top + h > 0 and left + w > 0)  # torchvision gives windows that end left of the image another size
    packed, plain = pair(2, height, width)
    check(F.crop(packed, top, left, h, w), F.crop(plain, top, left, h, w))
    check(F.center_crop(packed, [h, w]), F.center_crop(plain, [h, w]))
    check(F.resized_crop(packed, top, left, h, w, [to_h, to_w]), F.resized_crop(plain, top, left, h, w, [to_h, to_w]))


@pytest.mark.parametrize("padding", [2, [3], [1, 2], [1, 2, 3, 4], [0, 0, 0, 0]])
@pytest.mark.parametrize(
    "more", [{}, {"fill": 0}, {"fill": 1}, {"padding_mode": "edge"}, {"padding_mode": "reflect"}]
)
def test_padding_is_torchs(padding, more):
    packed, plain = pair()
    check(F.pad(packed, padding, **more), F.pad(plain, padding, **more))


OPERATIONS = {
    "add": lambda m: m + 1, "sum": lambda m: m.sum(), "stack": lambda m: torch.stack([m, m]), "numpy": np.asarray,
    "tolist": lambda m: m.tolist(), "float": lambda m: m.float(), "to": lambda m: m.to(torch.int64),
    "clone": lambda m: m.clone(), "first": lambda m: m[0], "last": lambda m: m[-1], "window": lambda m: m[:, 2:5, 3],
    "slice": lambda m: m[1:], "flags": lambda m: m[torch.tensor([True, False, True])], "none": lambda m: m[None],
    "order": lambda m: m[torch.tensor([2, 0])], "iterate": list, "unbind": lambda m: m.unbind(0),
    "any": lambda m: m.any(), "detach": lambda m: m.detach(), "transpose": lambda m: m.transpose(0, 1),
    "as_tensor": lambda m: m.as_subclass(torch.Tensor), "cpu": lambda m: m.cpu(), "equal": lambda m: m == 1,
    "contiguous": lambda m: m.contiguous(), "data": lambda m: m.data, "where": lambda m: torch.where(m > 0, 5, 6),
    "not": lambda m: ~m.bool(), "size": lambda m: m.size(), "dim": lambda m: m.dim(), "numel": lambda m: m.numel(),
    "shape": lambda m: m.shape, "dtype": lambda m: m.dtype, "device": lambda m: m.device, "len": len,
    "expand": lambda m: m.expand(2, -1, -1, -1), "storage": lambda m: m.untyped_storage().nbytes(),
    "interpolate": lambda m: torch.nn.functional.interpolate(m[None].float(), size=(5, 5)),
    "view": lambda m: m.view(3, -1),
    "deepcopy": copy.deepcopy, "pickle": lambda m: pickle.loads(pickle.dumps(m)), "new": lambda m: m.new_zeros(2),
}  # fmt: skip


@pytest.mark.parametrize("name", OPERATIONS)
def test_every_operation_sees_the_pixels(name):
    packed, plain = pair()
    result, expected = OPERATIONS[name](packed), OPERATIONS[name](plain)
    if isinstance(expected, np.ndarray):
        assert (result == expected).all()
    else:
        check(result, expected)


@pytest.mark.parametrize("change", [lambda m: m.add_(1), lambda m: m.zero_(), lambda m: m.__setitem__(0, 1),
                                    lambda m: m.mul_(m), lambda m: m.copy_(m)])  # fmt: skip
def test_packed_masks_are_not_changed_in_place(change):
    packed, plain = pair()
    with pytest.raises(TypeError, match="in place"):
        change(packed)
    check(packed, plain)


def test_decode_into_given_memory():
    packed, plain = pair()
    out = torch.full((3, 37, 53), 9, dtype=torch.float32)
    assert packed.decode(out).data_ptr() == out.data_ptr()
    assert torch.equal(out, plain.float())
    strided = torch.zeros(37, 53, 3, dtype=torch.bool).permute(2, 0, 1)
    packed.decode(strided, threads=2)
    assert torch.equal(strided, plain.bool())
    shared = torch.zeros(3, 37, 53, dtype=torch.uint8).share_memory_()
    packed.decode(shared)
    assert torch.equal(shared, plain)
    buffer = MaskBuffer()
    one = packed.decode(buffer)
    two = packed[:1].decode(buffer, window=(3, 4, 10, 20))
    assert one.data_ptr() == two.data_ptr()
    assert torch.equal(two, plain[:1, 4:20, 3:10])
    sized = packed.decode(size=(10, 12))
    assert np.array_equal(sized.numpy(), np.stack([r.resize((10, 12)).decode() for r in packed.array]))
    assert torch.equal(packed.decode(size=(10, 12), window=(1, 2, 5, 6)), sized[:, 2:6, 1:5])
    with pytest.raises(ValueError, match="out: expected shape"):
        packed.decode(torch.zeros(3, 37, 54, dtype=torch.uint8))
    with pytest.raises(ValueError, match="size of the image"):
        PackedMasks(mc.RleArray.from_rles([]))
    with pytest.raises(ValueError, match="other sizes"):
        PackedMasks(packed.array, (37, 54))


# --- data sets --------------------------------------------------------------------------------------------------------


def build(folder: Path, *, count: int = 6) -> mc.Dataset:
    """Images of two sizes with polygons, masks, boxes; one image without annotations."""
    rng = np.random.default_rng(1)
    items = []
    for i in range(count):
        height, width = (40, 60) if i % 2 else (50, 30)
        annotations = []
        for k in range(0 if i == 2 else 3):
            ring = rng.random((5, 2)) * (width, height)
            shape = mc.Polygon([ring]) if k else mc.Mask(mc.Rle.from_mask(rng.random((height, width)) > 0.5))
            shape.category_id, shape.id, shape.is_crowd = (9, 4)[k % 2], 10 * i + k, k == 2
            annotations.append(shape)
        pixels = rng.integers(0, 255, (height, width, 3), dtype=np.uint8)
        (folder / "images").mkdir(parents=True, exist_ok=True)
        Image.fromarray(pixels).save(folder / "images" / f"{i}.png")
        items.append(mc.Item(i, f"{i}.png", width=width, height=height, annotations=annotations))
    dataset = mc.Dataset(mc.LabelSchema([mc.Category(9, "cat"), mc.Category(4, "dog")]), items)
    mc.write(dataset, folder / "annotations", "datumaro", on_loss="ignore")
    mc.write(dataset, folder / "coco.json", "coco_instances", on_loss="ignore")
    return dataset


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("torch")
    build(folder)
    return folder


def expected_masks(item: mc.Item) -> np.ndarray:
    out = np.zeros((len(item.annotations), item.height, item.width), np.uint8)
    for at, annotation in enumerate(item.annotations):
        shape = (item.height, item.width)
        rle = annotation.rle if isinstance(annotation, mc.Mask) else mc.Rle.from_polygons(annotation.rings, shape)
        out[at] = rle.decode()
    return out


def test_targets(folder):
    data = MaskDataset(folder / "coco.json")
    assert len(data) == 6
    assert data.categories == {1: "cat", 2: "dog"}
    dataset = mc.read(folder / "coco.json")
    for (image, target), item in zip((data[i] for i in range(6)), dataset.items, strict=True):
        with Image.open(folder / "images" / item.path) as picture:
            assert np.array_equal(image.permute(1, 2, 0).numpy(), np.asarray(picture))
        n = len(item.annotations)
        assert isinstance(image, tv_tensors.Image)
        assert isinstance(target["masks"], tv_tensors.Mask)
        assert not isinstance(target["masks"], PackedMasks)
        assert isinstance(target["boxes"], tv_tensors.BoundingBoxes)
        assert target["boxes"].canvas_size == (item.height, item.width)
        expected = expected_masks(item)
        assert np.array_equal(target["masks"].numpy(), expected)
        shapes = {name: (tuple(target[name].shape), target[name].dtype) for name in target if name != "image_id"}
        assert shapes == {
            "boxes": ((n, 4), torch.float32), "labels": ((n,), torch.int64), "area": ((n,), torch.float32),
            "iscrowd": ((n,), torch.int64), "ids": ((n,), torch.int64),
            "masks": ((n, item.height, item.width), torch.uint8),
        }  # fmt: skip
        assert target["image_id"] == item.extras["coco"]["id"]
        assert target["labels"].tolist() == [{9: 1, 4: 2}[a.category_id] for a in item.annotations]
        assert target["area"].tolist() == [float(m.sum()) for m in expected]
        assert target["iscrowd"].tolist() == [int(a.is_crowd) for a in item.annotations]
        assert target["ids"].tolist() == [a.id for a in item.annotations]
    assert data[-1][1]["image_id"] == 5
    with pytest.raises(IndexError):
        data[6]


def test_masks_equal_pycocotools(folder):
    mask_utils = pytest.importorskip("pycocotools.mask")
    document = json.loads((folder / "coco.json").read_text())
    sizes = {image["id"]: (image["height"], image["width"]) for image in document["images"]}
    data = MaskDataset(folder / "coco.json", images=None)
    found = {i: m for at in range(6) for i, m in zip(data[at][1]["ids"].tolist(), data[at][1]["masks"], strict=True)}
    for row in document["annotations"]:
        segmentation = row["segmentation"]
        if isinstance(segmentation, list):
            segmentation = mask_utils.merge(mask_utils.frPyObjects(segmentation, *sizes[row["image_id"]]))
        elif isinstance(segmentation["counts"], list):
            segmentation = mask_utils.frPyObjects(segmentation, *sizes[row["image_id"]])
        if isinstance(segmentation.get("counts"), str):
            segmentation = {**segmentation, "counts": segmentation["counts"].encode()}
        assert np.array_equal(found[row["id"]].numpy(), mask_utils.decode(segmentation))


PIPELINE = v2.Compose(
    [
        v2.RandomHorizontalFlip(1.0), v2.ScaleJitter((64, 64)), v2.RandomCrop((48, 48), pad_if_needed=True),
        v2.RandomZoomOut(p=1.0), v2.Resize((33, 47)), v2.ClampBoundingBoxes(), v2.SanitizeBoundingBoxes(),
        v2.ToDtype({tv_tensors.Image: torch.float32, "others": None}, scale=True),
    ]
)  # fmt: skip


def test_a_whole_pipeline_equals_decoding_first(folder):
    packed, plain = (MaskDataset(folder / "coco.json", masks="packed") for _ in range(2))
    for at in range(6):
        image, target = packed[at]
        torch.manual_seed(at)
        got_image, got = PIPELINE(image, target)
        assert isinstance(got["masks"], PackedMasks)
        torch.manual_seed(at)
        image, target = plain[at]
        expected_image, expected = PIPELINE(image, {**target, "masks": target["masks"].decode()})
        assert torch.equal(got_image, expected_image)
        for name in expected:
            check(got[name], expected[name])
    data = MaskDataset(folder / "coco.json", transforms=PIPELINE)
    torch.manual_seed(0)
    assert type(data[0][1]["masks"]) is tv_tensors.Mask


def test_a_function_without_runs_in_a_pipeline(folder):
    data = MaskDataset(folder / "coco.json", masks="packed")
    rotate = v2.RandomRotation((30, 30))
    image, target = data[0]
    check(rotate(image, target)[1]["masks"], rotate(image, {**target, "masks": target["masks"].decode()})[1]["masks"])


def test_forms_of_masks(folder):
    semantic = MaskDataset(folder / "coco.json", masks="semantic", images=None)
    none = MaskDataset(folder / "coco.json", masks="none", images=None)
    dataset = mc.read(folder / "coco.json")
    for at, item in enumerate(dataset.items):
        expected = np.zeros((item.height, item.width), np.int64)
        for annotation, mask in zip(item.annotations, expected_masks(item), strict=True):
            expected[mask != 0] = {9: 1, 4: 2}[annotation.category_id]
        assert np.array_equal(semantic[at][1]["masks"].numpy(), expected)
        assert "masks" not in none[at][1]
        assert none[at][1]["boxes"].shape == (len(item.annotations), 4)
    buffer = MaskBuffer()
    reused = MaskDataset(folder / "coco.json", images=None, buffer=buffer)
    assert reused[1][1]["masks"].data_ptr() == reused[0][1]["masks"].data_ptr()
    assert MaskDataset(folder / "coco.json", images=lambda stream: len(stream.read()), masks="none")[0][0] > 50


def test_what_has_no_target_is_reported():
    annotations = [
        mc.Box(1, 1, 3, 3, category_id=1), mc.Points([[1, 1]], category_id=1), mc.Caption("x"),
        mc.Ellipse(4, 4, 2, 2, category_id=1), mc.Tag(category_id=1), mc.Box(0, 0, 1, 1, category_id=1, outside=True),
    ]  # fmt: skip
    dataset = mc.Dataset(
        mc.LabelSchema([mc.Category(1, "a")]), [mc.Item("x", width=8, height=8, annotations=annotations)]
    )
    data = MaskDataset(dataset, images=None)
    assert len(data[0][1]["labels"]) == 1
    assert {(loss.what, loss.count) for loss in data.report} == {
        ("box", 2), ("points", 1), ("caption", 1), ("tag", 1)
    } or sum(loss.count for loss in data.report) == 5  # fmt: skip
    filled = MaskDataset(dataset, images=None, boxes="fill")
    assert filled[0][1]["masks"][0].sum() == 4
    assert sum(loss.count for loss in filled.report) == 4
    boxes = MaskDataset(dataset, images=None, masks="none")
    assert boxes[0][1]["boxes"].tolist() == [[1, 1, 3, 3], [2, 2, 6, 6]]


def test_a_wrong_image_is_refused(folder, tmp_path):
    build(tmp_path, count=2)
    Image.new("RGB", (60, 41)).save(tmp_path / "images" / "1.png")
    data = MaskDataset(tmp_path / "coco.json")
    data[0]
    with pytest.raises(mc.FormatError, match=r"the image is \(41, 60\), its item \(40, 60\)"):
        data[1]
    (tmp_path / "images" / "0.png").write_bytes(b"nothing")
    with pytest.raises(mc.FormatError, match="cannot be decoded"):
        data[0]
    (tmp_path / "images" / "0.png").unlink()
    with pytest.raises(mc.FormatError, match="not found"):
        MaskDataset(tmp_path / "coco.json")[0]


def test_images_in_a_zip_and_in_records(folder, tmp_path):
    dataset = mc.read(folder / "coco.json")
    dataset.media = mc.read(folder).media
    mc.write(dataset, tmp_path / "out.zip", "coco_instances", media="copy", on_loss="ignore")
    mc.write(dataset, tmp_path / "records", "tfrecord", media="copy", on_loss="ignore")
    plain = MaskDataset(folder / "coco.json")
    with zipfile.ZipFile(tmp_path / "out.zip") as archive:
        assert len(archive.namelist()) == 7
    for source in (tmp_path / "out.zip", tmp_path / "records"):
        data = MaskDataset(source)
        for at in range(6):
            assert torch.equal(data[at][0], plain[at][0])
    again = pickle.loads(pickle.dumps(MaskDataset(tmp_path / "out.zip")))
    assert torch.equal(again[3][0], plain[3][0])


def lines(loader) -> list:
    out = []
    for images, targets in loader:
        for image, target in zip(images, targets, strict=True):
            out.append((int(target["image_id"]), image.sum().item(), target["masks"].sum((1, 2)).tolist()))
    return out


@pytest.mark.parametrize("how", ["fork", "forkserver", "spawn"])
def test_workers(folder, how):
    data = MaskDataset(folder / "coco.json")
    plain = lines(torch.utils.data.DataLoader(data, 2, collate_fn=collate))
    loader = torch.utils.data.DataLoader(data, 2, num_workers=2, collate_fn=collate, multiprocessing_context=how)
    assert lines(loader) == plain
    packed = MaskDataset(folder / "coco.json", masks="packed")
    loader = torch.utils.data.DataLoader(packed, 2, num_workers=1, collate_fn=collate, multiprocessing_context=how)
    assert lines(loader) == plain


def test_collate_padded(folder):
    data = MaskDataset(folder / "coco.json")
    packed = MaskDataset(folder / "coco.json", masks="packed")
    for source in (data, packed):
        images, targets = collate_padded([source[0], source[1], source[2]], divisor=16)
        assert tuple(images.shape) == (3, 3, 64, 64)
        for at in range(3):
            image, target = data[at]
            height, width = image.shape[-2:]
            assert torch.equal(images[at, :, :height, :width], image)
            assert images[at].sum() == image.sum()
            assert targets[at]["boxes"].canvas_size == (64, 64)
            assert torch.equal(targets[at]["boxes"], target["boxes"])
            assert tuple(targets[at]["masks"].shape) == (len(target["labels"]), 64, 64)
            assert torch.equal(targets[at]["masks"][:, :height, :width], target["masks"])
            assert targets[at]["masks"].sum() == target["masks"].sum()


def test_arguments(folder):
    with pytest.raises(ValueError, match="masks: expected one of"):
        MaskDataset(folder / "coco.json", masks="dense")
    with pytest.raises(ValueError, match="images"):
        MaskDataset(folder / "coco.json", images="pil")
    with pytest.raises(ValueError, match="boxes"):
        MaskDataset(folder / "coco.json", boxes="all")
    with pytest.raises(TypeError, match="no option"):
        MaskDataset(folder / "coco.json", nonsense=1)


def test_a_view_of_the_index_is_small(folder):
    index = PackedIndex.from_dataset(mc.read(folder / "coco.json"))
    buffer = io.BytesIO()
    pickle.dump(MaskDataset(index, images=None), buffer)
    assert index.masks_of(2) is not None
    assert len(index.masks_of(2)) == 0
    assert MaskDataset(index, images=None)[2][1]["masks"].shape == (0, 50, 30)
    assert buffer.tell() < 40_000


# --- packed files -----------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def packed_folder(folder, tmp_path_factory) -> Path:
    pytest.importorskip("pyarrow")
    target = tmp_path_factory.mktemp("packed") / "data"
    mc.convert(folder / "coco.json", target, "arrow", file="ipc", media="copy", on_loss="ignore")
    return target


def same_items(one, two) -> None:
    assert len(one) == len(two)
    for at in range(len(one)):
        (image, target), (other, expected) = one[at], two[at]
        assert image is other is None or torch.equal(image, other)
        assert target.keys() == expected.keys()
        for name in expected:
            check(target[name], expected[name])


@pytest.mark.parametrize("masks", ["instances", "packed", "semantic", "none"])
def test_a_packed_file_gives_the_same(folder, packed_folder, masks):
    data = MaskDataset(packed_folder, masks=masks)
    assert isinstance(data.index, PackedFile)
    same_items(data, MaskDataset(folder / "coco.json", masks=masks))
    assert len(pickle.dumps(data)) < 2000
    same_items(pickle.loads(pickle.dumps(data)), data)
    assert data.categories == {1: "cat", 2: "dog"}
    assert not len(data.report)


def test_a_packed_file_of_everything_gives_the_same(tmp_path):
    pytest.importorskip("pyarrow")
    from tests.zoo import zoo

    source = zoo()
    source.items = mc.ItemList(
        [item for item in source.items if item.media == "image" and item.width is not None]
        + [mc.Item("plain", "p.png", width=20, height=12, annotations=source.items[0].annotations[3:8:3])]
    )
    mc.write(source, tmp_path / "packed", "arrow", file="ipc", on_loss="ignore")
    for how in ({}, {"boxes": "fill"}, {"masks": "none"}, {"subset": "val set"}):
        one, two = (MaskDataset(of, images=None, **how) for of in (tmp_path / "packed", source))
        same_items(one, two)
        assert one.report == two.report
        assert [one.index.key(i) for i in range(len(one))] == [two.index.key(i) for i in range(len(two))]


def test_another_folder_of_images(folder, packed_folder, tmp_path):
    import shutil

    shutil.copytree(folder / "images", tmp_path / "elsewhere" / "default")
    shutil.copy(folder / "coco.json", tmp_path / "coco.json")
    plain = MaskDataset(folder / "coco.json")
    for root in (folder / "images", tmp_path / "elsewhere"):
        same_items(MaskDataset(tmp_path / "coco.json", root=root), plain)
        same_items(MaskDataset(packed_folder, root=root), plain)


@pytest.mark.parametrize("how", ["fork", "spawn"])
def test_workers_of_a_packed_file(packed_folder, how):
    data = MaskDataset(packed_folder)
    plain = lines(torch.utils.data.DataLoader(data, 2, collate_fn=collate))
    loader = torch.utils.data.DataLoader(data, 2, num_workers=2, collate_fn=collate, multiprocessing_context=how)
    assert lines(loader) == plain
