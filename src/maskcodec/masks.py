"""Masks as run lengths: ``Rle`` for one, ``RleArray`` for many.

Both are compiled classes; their methods hold the documentation. Runs are column-major and alternate background and
foreground, as in COCO; every other notation is converted on the way in and out, on the runs, without making pixels.
"""

from maskcodec._native.runs import Rle, RleArray, decode_hasty, encode_hasty, simd_level

__all__ = ["Rle", "RleArray", "decode_hasty", "encode_hasty", "simd_level"]
