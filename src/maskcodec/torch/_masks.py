"""Packed masks as a tensor of torchvision: what can be done on runs is done on runs, anything else decodes first."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from typing import Any

import numpy as np
import torch
from torch._C import DisableTorchFunctionSubclass
from torch.utils import _pytree
from torchvision import tv_tensors
from torchvision.transforms.v2 import functional as F

from maskcodec.masks import RleArray

__all__ = ["MaskBuffer", "PackedMasks"]


class MaskBuffer:
    """Memory for decoded masks that is used again and again; it grows to the largest batch.

    Args:
        dtype: of the masks.
        pin_memory: page-locked, for copies to a GPU that do not wait.
    """

    def __init__(self, dtype: torch.dtype = torch.uint8, *, pin_memory: bool = False) -> None:
        self.dtype, self.pin_memory = dtype, pin_memory
        self._flat = torch.empty(0, dtype=dtype, pin_memory=pin_memory)

    def take(self, *shape: int) -> torch.Tensor:
        """A tensor of this shape; what was taken before is overwritten."""
        need = int(np.prod(shape))
        if need > self._flat.numel():
            self._flat = torch.empty(need, dtype=self.dtype, pin_memory=self.pin_memory)
        return self._flat[:need].view(*shape)


class PackedMasks(tv_tensors.Mask):
    """Masks of one image as run lengths that look like a uint8 tensor of shape (N, H, W).

    Flips, crops, pads, resizes (nearest, by the rule of torchvision) and the choice of masks by index work on the runs
    and give ``PackedMasks`` again, through the functions and classes of ``torchvision.transforms.v2`` as they are. Any
    other operation of torch decodes the masks and goes on with an ordinary tensor, so nothing can be left out unseen.
    Where a transform takes values by type (``fill={...}``), the type is ``PackedMasks``.

    Args:
        array: the masks, all of one size.
        shape: (height, width); needed where there are no masks.

    Raises:
        ValueError: masks of another size.

    Example:
        >>> from maskcodec import Rle
        >>> masks = PackedMasks(RleArray.from_rles([Rle.from_box((0, 0, 2, 1), (4, 6))]))
        >>> F.horizontal_flip(masks)
        PackedMasks(1 x 4 x 6)
        >>> F.horizontal_flip(masks).decode()[0, 0].tolist()
        [0, 0, 0, 0, 1, 1]
    """

    _array: RleArray

    def __new__(cls, array: RleArray, shape: Sequence[int] | None = None) -> PackedMasks:
        if not isinstance(array, RleArray):
            raise TypeError(f"expected RleArray, got {type(array).__name__}")
        if shape is None:
            if not len(array):
                raise ValueError("no masks: the size of the image is needed")
            shape = array.sizes[0].tolist()
        height, width = (int(v) for v in shape)
        if len(array) and not (array.sizes == (height, width)).all():
            raise ValueError(f"expected masks of {height} x {width}, got other sizes too")
        # One zero byte seen as a tensor of this shape: it has a shape and a type, and no memory.
        with DisableTorchFunctionSubclass():
            made = torch.zeros((), dtype=torch.uint8).expand(len(array), height, width).as_subclass(cls)
        made._array = array
        return made

    @property
    def array(self) -> RleArray:
        """The masks as they are kept."""
        return self._array

    def decode(
        self,
        out: torch.Tensor | MaskBuffer | None = None,
        *,
        window: Sequence[int] | None = None,
        size: Sequence[int] | None = None,
        dtype: torch.dtype = torch.uint8,
        threads: int = 1,
    ) -> tv_tensors.Mask:
        """Make the masks dense, in one native call.

        Args:
            out: a tensor of the result's shape to write into (pinned, shared, of any type and strides), or a buffer
                that one is taken of.
            window: (x0, y0, x1, y1), half-open: only this part (after ``size``).
            size: (height, width): resize to this size first, on runs, by nearest pixel centre.
            dtype: type of a new tensor; bool and all integers and floats.
            threads: 0 for as many as the machine has.

        Returns:
            (N, H, W) tensor of 0 and 1.
        """
        height, width = self.shape[-2:] if size is None else (int(v) for v in size)
        if window is not None:
            height, width = window[3] - window[1], window[2] - window[0]
        shape = (len(self._array), height, width)
        if isinstance(out, MaskBuffer):
            target: Any = out.take(*shape)
        elif out is not None:
            target = out.detach()
            if tuple(target.shape) != shape:
                raise ValueError(f"out: expected shape {shape}, got {tuple(target.shape)}")
        else:
            target = torch.zeros(shape, dtype=dtype)
        if len(self._array):
            self._array.decode(out=target.numpy(), threads=threads, size=size, window=window)
        return tv_tensors.Mask(target)

    def to_label_map(self, labels: torch.Tensor | Sequence[int], out: torch.Tensor | None = None) -> tv_tensors.Mask:
        """(H, W) int64: the label of the last mask that covers a pixel, 0 where there is none."""
        ids = np.asarray(labels, np.int64)
        target = torch.zeros(tuple(self.shape[-2:]), dtype=torch.int64) if out is None else out
        self._array.to_label_map(ids, out=target.numpy())
        return tv_tensors.Mask(target)

    def _with(self, array: RleArray, shape: Sequence[int]) -> PackedMasks:
        return PackedMasks(array, shape)

    def __getitem__(self, key: Any) -> Any:
        if isinstance(key, tuple) or key is None or key is Ellipsis or isinstance(key, (int, np.integer)):
            return self.decode()[key]
        if isinstance(key, torch.Tensor):
            if key.ndim != 1:
                return self.decode()[key]
            key = key.detach().cpu().numpy()
        return PackedMasks(self._array[key], self.shape[-2:])

    def __len__(self) -> int:
        return len(self._array)

    def __repr__(self, **_: Any) -> str:
        return f"PackedMasks({' x '.join(map(str, self.shape))})"

    def __deepcopy__(self, memo: Any) -> PackedMasks:
        return self  # it does not change

    def __reduce_ex__(self, protocol: Any) -> Any:
        return PackedMasks, (self._array, tuple(self.shape[-2:]))

    def as_subclass(self, cls: Any) -> Any:
        """The decoded masks as another class of tensor; torch does not ask ``__torch_function__`` about this one."""
        return self.decode().as_subclass(cls)

    def __setitem__(self, key: Any, value: Any) -> None:
        raise TypeError(_FIXED)

    @classmethod
    def wrap(cls, tensor: torch.Tensor, like: Any, **_: Any) -> Any:
        """What torchvision made of these masks: an ordinary mask, if it is not packed."""
        return tensor if isinstance(tensor, PackedMasks) else tensor.as_subclass(tv_tensors.Mask)

    @classmethod
    def __torch_function__(
        cls, func: Callable[..., Any], types: Any, args: Sequence[Any] = (), kwargs: Mapping[str, Any] | None = None
    ) -> Any:
        if func in _LOOKS:
            with DisableTorchFunctionSubclass():
                return func(*args, **(kwargs or {}))
        name = getattr(func, "__name__", "")
        if name.endswith("_") and not name.endswith("__"):
            raise TypeError(_FIXED)
        args, kwargs = _pytree.tree_map(_dense, (tuple(args), dict(kwargs or {})))
        return func(*args, **kwargs)


def _dense(value: Any) -> Any:
    return value.decode() if isinstance(value, PackedMasks) else value  # torchvision's own rules for masks from here on


_FIXED = "packed masks are not changed in place; decode() gives a tensor that can be"
# What asks for shape, type and place alone.
_LOOKS = {
    torch.Tensor.size, torch.Tensor.dim, torch.Tensor.numel, torch.Tensor.is_floating_point, torch.Tensor.is_complex,
    torch.Tensor.element_size, torch.Tensor.get_device,
    *(getattr(torch.Tensor, name).__get__ for name in (
        "shape", "dtype", "device", "ndim", "requires_grad", "is_cuda", "layout", "is_sparse", "is_quantized", "is_mps",
        "is_meta", "is_leaf",
    )),
}  # fmt: skip


# --- kernels of torchvision.transforms.v2 on runs ---------------------------------------------------------------------


def _kernel(functional: Any) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    return F.register_kernel(functional, PackedMasks)  # type: ignore[no-any-return]


def _decoded(functional: Any, masks: PackedMasks, *args: Any, **kwargs: Any) -> Any:
    return functional(masks.decode(), *args, **kwargs)


@_kernel(F.horizontal_flip)
def _horizontal_flip(masks: PackedMasks) -> PackedMasks:
    return masks._with(masks.array.flip("horizontal"), masks.shape[-2:])


@_kernel(F.vertical_flip)
def _vertical_flip(masks: PackedMasks) -> PackedMasks:
    return masks._with(masks.array.flip("vertical"), masks.shape[-2:])


def _placed(masks: PackedMasks, left: int, top: int, right: int, bottom: int) -> PackedMasks:
    height, width = masks.shape[-2:]
    if not (left or top or right or bottom):
        return masks
    shape = (height + top + bottom, width + left + right)
    return masks._with(masks.array.pad(left, top, right, bottom) if len(masks) else masks.array, shape)


@_kernel(F.crop)
def _crop(masks: PackedMasks, top: int, left: int, height: int, width: int) -> PackedMasks:
    return _placed(masks, -left, -top, left + width - masks.shape[-1], top + height - masks.shape[-2])


def _canvas(functional: Callable[..., Any], masks: PackedMasks, *args: Any, **kwargs: Any) -> tuple[int, int]:
    """The size that torchvision gives an image of this size."""
    box = tv_tensors.BoundingBoxes(
        [[0, 0, 1, 1]], format="XYXY", canvas_size=tuple(masks.shape[-2:])
    )  # type: ignore[call-overload,unused-ignore]
    height, width = functional(box, *args, **kwargs).canvas_size
    return int(height), int(width)


@_kernel(F.center_crop)
def _center_crop(masks: PackedMasks, output_size: Any) -> PackedMasks:
    height, width = _canvas(F.center_crop, masks, output_size)
    more = max(height - masks.shape[-2], 0), max(width - masks.shape[-1], 0)
    masks = _placed(masks, more[1] // 2, more[0] // 2, (more[1] + 1) // 2, (more[0] + 1) // 2)
    if tuple(masks.shape[-2:]) == (height, width):
        return masks
    top, left = round((masks.shape[-2] - height) / 2.0), round((masks.shape[-1] - width) / 2.0)
    return _crop(masks, top, left, height, width)


@_kernel(F.pad)
def _pad(masks: PackedMasks, padding: Any, fill: Any = None, padding_mode: str = "constant") -> Any:
    if padding_mode != "constant" or (fill is not None and np.any(np.asarray(fill))):
        return _decoded(F.pad, masks, padding, fill=fill, padding_mode=padding_mode)
    sides = [padding] if isinstance(padding, int) else list(padding)
    if len(sides) not in (1, 2, 4):
        raise ValueError(f"padding: expected 1, 2 or 4 numbers, got {len(sides)}")
    left, top, right, bottom = (sides * (4 // len(sides)))[:4] if len(sides) != 4 else sides
    return _placed(masks, left, top, right, bottom)


@lru_cache(maxsize=256)
def _nearest(old: int, new: int) -> Any:
    """The source line of every new line, by torch itself: its rule differs from the centres of pixels."""
    lines = torch.arange(old, dtype=torch.float64).view(1, 1, old)
    return torch.nn.functional.interpolate(lines, size=(new,), mode="nearest").view(-1).long().numpy()


def _resized(masks: PackedMasks, rows: Any, columns: Any) -> PackedMasks:
    return masks._with(masks.array.gather(rows, columns), (len(rows), len(columns)))


@_kernel(F.resize)
def _resize(masks: PackedMasks, size: Any, interpolation: Any = None, max_size: Any = None, **_: Any) -> PackedMasks:
    height, width = _canvas(F.resize, masks, size, max_size=max_size)
    if (height, width) == tuple(masks.shape[-2:]):
        return masks
    return _resized(masks, _nearest(masks.shape[-2], height), _nearest(masks.shape[-1], width))


@_kernel(F.resized_crop)
def _resized_crop(
    masks: PackedMasks, top: int, left: int, height: int, width: int, size: Any, **_: Any
) -> PackedMasks:
    inside = top >= 0 and left >= 0 and top + height <= masks.shape[-2] and left + width <= masks.shape[-1]
    if not inside:
        return _resize(_crop(masks, top, left, height, width), size)
    shape = _canvas(F.resized_crop, masks, top, left, height, width, size)
    return _resized(masks, top + _nearest(height, shape[0]), left + _nearest(width, shape[1]))
