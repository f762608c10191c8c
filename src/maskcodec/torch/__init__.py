"""Masks in PyTorch: a data set for loaders whose masks stay packed until they are needed, on torchvision's v2 types.

Needs the extra ``torch``: ``pip install 'maskcodec[torch]'``.
"""

try:
    import torch as _torch  # noqa: F401
    import torchvision as _torchvision  # noqa: F401
except ImportError as error:  # pragma: no cover - where the extra is not installed
    raise ImportError("maskcodec.torch needs torch and torchvision: pip install 'maskcodec[torch]'") from error

from maskcodec.torch._data import MaskDataset, collate, collate_padded
from maskcodec.torch._masks import MaskBuffer, PackedMasks

__all__ = ["MaskBuffer", "MaskDataset", "PackedMasks", "collate", "collate_padded"]
