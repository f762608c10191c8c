"""Names of images: Hasty keeps them as ``<dataset>/<image>``."""

from __future__ import annotations

from maskcodec.model.dataset import Item

__all__ = ["image_name", "media_name"]


def image_name(item: Item) -> str:
    """Name of an image inside its dataset."""
    path = item.path if item.path is not None else str(item.id)
    prefix = f"{item.subset}/"
    return path[len(prefix) :] if path.startswith(prefix) and len(path) > len(prefix) else path


def media_name(item: Item) -> str:
    """Where an export keeps the media file: ``<dataset>/<image>``, images without a dataset at the top."""
    return image_name(item) if item.subset == "default" else f"{item.subset}/{image_name(item)}"
