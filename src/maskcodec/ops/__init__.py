"""Data sets out of data sets: filter, remap, sample, split, merge, compare, validate.

Nothing given is modified, and items stay as lazy as they are: what these functions return looks at an item when it is
iterated over.
"""

from maskcodec.ops.choose import sample, split
from maskcodec.ops.compare import Comparison, compare
from maskcodec.ops.edit import filter_items, remap
from maskcodec.ops.merge import merge
from maskcodec.ops.statistics import statistics
from maskcodec.ops.validate import Problem, validate

__all__ = [
    "Comparison",
    "Problem",
    "compare",
    "filter_items",
    "merge",
    "remap",
    "sample",
    "split",
    "statistics",
    "validate",
]
