"""The data set and the collate functions."""

from __future__ import annotations

import io
import os
import threading
import zipfile
from collections.abc import Callable, Sequence
from typing import Any, BinaryIO

import numpy as np
import torch
from torchvision import tv_tensors

from maskcodec.errors import FormatError
from maskcodec.formats._shared.images import read_picture
from maskcodec.model.dataset import Dataset
from maskcodec.model.losses import LossReport
from maskcodec.packed import PackedFile, PackedIndex
from maskcodec.torch._masks import MaskBuffer, PackedMasks

__all__ = ["MaskDataset", "collate", "collate_padded"]

Target = dict[str, Any]
_TARGETS = ("instances", "packed", "semantic", "none")


class MaskDataset(torch.utils.data.Dataset[tuple[Any, Target]]):
    """Images and torchvision v2 targets of any data set that ``read`` opens.

    The data set is held as a few arrays (``PackedIndex``): forked workers share their pages, spawned ones get them as
    one pickle. Masks are run lengths until an item is asked for; transforms of ``torchvision.transforms.v2`` that flip,
    crop, pad or resize work on the runs, and one native call decodes what is left of them.

    Args:
        source: path of a data set, a ``Dataset``, or a ``PackedIndex``. A folder of the format ``arrow`` written with
            ``file="ipc"`` is mapped into memory: it opens in milliseconds and workers share its pages.
        transforms: called with ``(image, target)``, a v2 transform for instance.
        masks: "instances": a (N, H, W) uint8 mask; "packed": ``PackedMasks``, to be decoded later; "semantic": a (H, W)
            int64 map of labels, later annotations in front; "none".
        images: "tensor": uint8 (3, H, W); None: no image is opened, and None stands in its place; or a function that
            makes something of the open file.
        boxes: what becomes of boxes without a mask: "skip" (see ``report``), or "fill" to make one of all their pixels.
        first_label: label of the first category of the schema; 0 is left to the background by default.
        subset: only the items of this subset.
        root: folder of the images, where it is not that of the source.
        threads: of the call that decodes.
        buffer: memory that masks are decoded into; every item overwrites the one before, so copy or use it at once.
        format: of the source, if it is a path; None: by content.
        options: of the reader.

    Attributes:
        index: the arrays.
        report: which annotations gave no target, and why.

    Each target is a dict: ``image_id`` (int: of the COCO file, else the item's id or position), ``boxes``
    (``BoundingBoxes``, float32 (N, 4) XYXY, the extents of the shapes, whatever else a COCO file says in ``bbox``),
    ``labels`` int64 (N,), ``masks`` as above, ``area`` float32 (N,) in pixels of the mask (or of the box), ``iscrowd``
    int64 (N,), ``ids`` int64 (N,) (-1: no number). An image without annotations has targets of the same shapes and
    types with N = 0.

    Raises:
        FormatError: an image has another size than its item: masks and pixels would not match.

    Example:
        >>> from maskcodec import Box, Category, Item, LabelSchema
        >>> item = Item(5, "a.png", width=8, height=6, annotations=[Box(1, 1, 4, 3, category_id=7)])
        >>> data = MaskDataset(Dataset(LabelSchema([Category(7, "cat")]), [item]), images=None, boxes="fill")
        >>> image, target = data[0]
        >>> target["labels"].tolist(), tuple(target["masks"].shape), target["area"].tolist()
        ([1], (1, 6, 8), [6.0])
    """

    def __init__(
        self,
        source: str | os.PathLike[str] | Dataset | PackedIndex | PackedFile,
        *,
        transforms: Callable[[Any, Target], tuple[Any, Target]] | None = None,
        masks: str = "instances",
        images: str | Callable[[BinaryIO], Any] | None = "tensor",
        boxes: str = "skip",
        first_label: int = 1,
        subset: str | None = None,
        root: str | os.PathLike[str] | None = None,
        threads: int = 1,
        buffer: MaskBuffer | None = None,
        format: str | None = None,
        **options: Any,
    ) -> None:
        if masks not in _TARGETS:
            raise ValueError(f"masks: expected one of {', '.join(_TARGETS)}, got {masks!r}")
        if not (images is None or images == "tensor" or callable(images)):
            raise ValueError(f"images: expected 'tensor', None or a function, got {images!r}")
        self._media: Dataset | None = None
        self.index: PackedIndex | PackedFile
        if isinstance(source, (PackedIndex, PackedFile)):
            self.index = source
        elif not isinstance(source, Dataset) and format in (None, "arrow") and _is_packed(source):
            self.index = PackedFile(source, masks=masks != "none", boxes=boxes, subset=subset)
        else:
            if not isinstance(source, Dataset):
                from maskcodec.registry import read

                source = read(source, format, on_loss="ignore", **options)
            self.index = PackedIndex.from_dataset(
                source, masks=masks != "none", boxes=boxes, subset=subset, images=images is not None
            )
            if images is not None and not self.index.root:
                self._media = source  # its images lie in its records: they are opened through it
        if root is not None:
            self.index = self.index.moved(root)
        self.transforms, self.masks, self.images, self.threads = transforms, masks, images, threads
        self.first_label, self.buffer = first_label, buffer
        self._zips: dict[tuple[int, int], zipfile.ZipFile] = {}  # a process and a thread have one each

    @property
    def report(self) -> LossReport:
        """Which annotations gave no target, and why (of a packed file: a pass over it)."""
        return self.index.report

    @property
    def categories(self) -> dict[int, str]:
        """Label -> name of the category."""
        return {self.first_label + at: category.name for at, category in enumerate(self.index.categories)}

    def __len__(self) -> int:
        return len(self.index)

    def target(self, at: int) -> Target:
        """The target of an item, masks packed, before transforms."""
        (height, width), labels, boxes, crowd, ids, masks, image_id = self.index.entry(at)
        area = masks.areas if masks is not None else (boxes[:, 2] - boxes[:, 0]) * (boxes[:, 3] - boxes[:, 1])
        target: Target = {
            "image_id": image_id,
            "boxes": tv_tensors.BoundingBoxes(
                torch.from_numpy(boxes.astype(np.float32)), format="XYXY", canvas_size=(height, width)
            ),  # type: ignore[call-overload,unused-ignore]
            "labels": torch.from_numpy(np.where(labels < 0, labels, labels + self.first_label)),
            "area": torch.from_numpy(area.astype(np.float32)),
            "iscrowd": torch.from_numpy(crowd.astype(np.int64)),
            "ids": torch.from_numpy(ids.copy()),
        }
        if masks is not None:
            target["masks"] = PackedMasks(masks, (height, width))
        return target

    def image(self, at: int, size: tuple[int, int] | None = None) -> Any:
        """The image of an item, before transforms; its size is held against that of the item."""
        if self.images is None:
            return None
        size = self.index.entry(at).size if size is None else size
        with self._open(at) as stream:
            if callable(self.images):
                return self.images(stream)
            pixels = read_picture(stream, self._place(at))
        if pixels.shape[:2] != size:
            raise FormatError(
                f"the image is {pixels.shape[:2]}, its item {size} (height, width); if its EXIF data turn it, store it "
                "turned", file=self._place(at),
            )  # fmt: skip
        return tv_tensors.Image(torch.from_numpy(pixels).permute(2, 0, 1).contiguous())

    def __getitem__(self, at: int) -> tuple[Any, Target]:
        if not -len(self) <= at < len(self):
            raise IndexError(f"item {at} of {len(self)}")
        at %= len(self)
        target = self.target(at)
        image = self.image(at, tuple(target["boxes"].canvas_size))
        if self.transforms is not None:
            image, target = self.transforms(image, target)
        masks = target.get("masks")
        if isinstance(masks, PackedMasks) and self.masks == "instances":
            target["masks"] = masks.decode(self.buffer, threads=self.threads)
        elif isinstance(masks, PackedMasks) and self.masks == "semantic":
            target["masks"] = masks.to_label_map(target["labels"])
        return image, target

    def _place(self, at: int) -> str:
        name = self.index.file(at)
        return os.path.join(self.index.root, name) if name else str(self.index.key(at)[1])

    def _open(self, at: int) -> BinaryIO:
        root, name = self.index.root, self.index.file(at)
        if not name:
            stream = None
            if self._media is not None and self._media.media is not None:
                stream = self._media.media.open_media(self._media.items[at])
            if stream is None:
                raise FormatError("the image was not found (images=None does without)", file=self._place(at))
            return stream
        if not os.path.isfile(root):
            return open(os.path.join(root, name), "rb")
        own = (os.getpid(), threading.get_ident())  # a file position would be shared
        if own not in self._zips:
            self._zips[own] = zipfile.ZipFile(root)
        return io.BytesIO(self._zips[own].read(name))

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_zips": {}}


def _is_packed(path: str | os.PathLike[str]) -> bool:
    return all(os.path.isfile(os.path.join(path, f"{name}.arrow")) for name in ("items", "annotations", "categories"))


def collate(batch: Sequence[tuple[Any, Target]]) -> tuple[list[Any], list[Target]]:
    """A list of images and a list of targets, as the detection models of torchvision take them."""
    return [image for image, _ in batch], [target for _, target in batch]


def collate_padded(batch: Sequence[tuple[Any, Target]], divisor: int = 1) -> tuple[torch.Tensor, list[Target]]:
    """One tensor (B, C, H, W) of all images, padded with zeros at the right and the bottom, and the targets to match.

    Masks that are still packed are padded on their runs and decoded at the end; boxes keep their numbers and get the
    canvas of the batch.

    Args:
        batch: images as tensors of one type and number of channels, and targets.
        divisor: height and width are made multiples of this.
    """
    shapes = [tuple(image.shape[-2:]) for image, _ in batch]
    height, width = (-(-max(shape[side] for shape in shapes) // divisor) * divisor for side in (0, 1))
    first = batch[0][0]
    images = torch.zeros((len(batch), *first.shape[:-2], height, width), dtype=first.dtype)
    targets = []
    for at, (image, target) in enumerate(batch):
        images[at, ..., : image.shape[-2], : image.shape[-1]] = image
        padded = dict(target)
        right, bottom = width - image.shape[-1], height - image.shape[-2]
        for name, value in target.items():
            if isinstance(value, tv_tensors.BoundingBoxes):
                padded[name] = tv_tensors.wrap(value.as_subclass(torch.Tensor), like=value, canvas_size=(height, width))
            elif isinstance(value, PackedMasks):
                masks = value.array.pad(right=right, bottom=bottom) if len(value) else value.array
                padded[name] = PackedMasks(masks, (height, width)).decode()
            elif isinstance(value, tv_tensors.Mask):
                padded[name] = tv_tensors.Mask(torch.nn.functional.pad(value, (0, right, 0, bottom)))
        targets.append(padded)
    return images, targets
