"""Optional peers. A peer that is not installed is left out of the tables; none is needed to run the benchmarks."""

from __future__ import annotations

import importlib
import platform
from importlib import metadata
from types import ModuleType

DISTRIBUTIONS = {
    "pycocotools": "pycocotools",
    "faster-coco-eval": "faster_coco_eval",
    "hotcoco": "hotcoco",
    "ultrafast-pycocotools": "ultrafast_pycocotools",
    "rlemasklib": "rlemasklib",
    "fastlabelrle": "fastlabelrle",
    "supervision": "supervision",
    "opencv": "cv2",
    "scikit-image": "skimage",
    "datumaro": "datumaro",
}

# The peers that offer the functions of pycocotools.mask under the same names.
COCO_LIKE = {
    "pycocotools": "pycocotools.mask",
    "faster-coco-eval": "faster_coco_eval.mask",
    "hotcoco": "hotcoco.mask",
    "ultrafast-pycocotools": "ultrafast_pycocotools.mask",
}


def module(name: str) -> ModuleType | None:
    """The module, or None where it cannot be imported."""
    try:
        return importlib.import_module(name)
    except ImportError:
        return None


def coco_like() -> dict[str, ModuleType]:
    """Peer name -> module with encode, decode, area, toBbox, iou, merge, frPyObjects."""
    found = {name: module(path) for name, path in COCO_LIKE.items()}
    return {name: mod for name, mod in found.items() if mod is not None}


def versions() -> dict[str, str]:
    """Versions of everything that takes part, the interpreter and NumPy included."""
    out = {"python": platform.python_version()}
    names = {"maskcodec": "maskcodec", "numpy": "numpy", "pillow": "PIL", **DISTRIBUTIONS}
    for name, path in names.items():
        mod = module(path)
        if mod is None:
            continue
        out[name] = str(getattr(mod, "__version__", ""))
        for distribution in (name, f"{name}-python-headless", f"{name}-python", path):
            try:
                out[name] = metadata.version(distribution)
                break
            except metadata.PackageNotFoundError:
                continue
    return out
