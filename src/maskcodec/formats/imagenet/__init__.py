"""ImageNet: lists of images with numbers of labels (Caffe, CVAT), and folders of images named by their label.

Two layouts of one thing. ``imagenet`` reads both, writes folders when the image files come along, else lists;
``imagenet_txt`` is lists alone.

Kept: tags, subsets, the table of labels. Lost, reported: every other kind, attributes; in folders also the order of the
labels, labels without images, and that several labels are of one image (it is copied into each of their folders).
"""

from __future__ import annotations

from typing import Any

from maskcodec.formats._base import Capabilities, Format
from maskcodec.formats._shared.naming import media_in
from maskcodec.formats.imagenet import folders, text
from maskcodec.model.annotations import Tag

__all__ = ["FORMATS"]

_CARRIES: dict[str, Any] = {
    "kinds": {Tag},
    "needs_category": True,
    "arrange": text.arrange,
    "named_by": "path",
    "subsets": True,
    "item_fields": {"path"},
    "namespaces": {text.NAMESPACE},
}

FORMATS = (
    Format(
        name="imagenet",
        title="ImageNet (folders)",
        aliases=("ImageNet 1.0",),
        spec="CVAT format 'ImageNet 1.0', torchvision ImageFolder",
        carries=Capabilities(**_CARRIES, image_sizes=True),
        detect=folders.detect,
        read=folders.read,
        write=folders.write,
        streams="rw",
        places=folders.Places,
    ),
    Format(
        name="imagenet_txt",
        title="ImageNet (lists)",
        spec="CVAT format 'ImageNet 1.0', lists of Caffe",
        carries=Capabilities(**_CARRIES, one_folder=True),
        detect=text.detect,
        read=text.read,
        write=text.write,
        streams="rw",
        media=media_in("images"),
    ),
)
