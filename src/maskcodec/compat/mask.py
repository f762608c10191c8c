"""Drop-in for ``pycocotools.mask``: same names, same results bit for bit, same types, shapes and memory order.

Differences are all on the safe side: C-ordered and strided arrays are accepted, lists of 256 and more masks work, any
non-zero pixel is foreground, and malformed input raises instead of crashing, hanging or returning garbage.

Example:
    >>> from maskcodec.compat import mask as mask_utils
    >>> int(mask_utils.area({"size": [3, 4], "counts": b"417"}))
    1
"""

from maskcodec._native.runs import area, decode, encode, frPyObjects, iou, merge, toBbox

__all__ = ["area", "decode", "encode", "frPyObjects", "iou", "merge", "toBbox"]
