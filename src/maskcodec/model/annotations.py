"""The kinds of annotation.

Coordinates are pixels as Python or NumPy floats (integers are kept as they were read), origin at the outer top-left
corner of the top-left pixel, x to the right, y down; boxes are half-open. Slots dataclasses, mutable, not hashable.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, fields
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from maskcodec.masks import Rle

__all__ = [
    "KINDS",
    "Annotation",
    "Box",
    "Caption",
    "Cuboid",
    "Cuboid2D",
    "Ellipse",
    "Mask",
    "PointMask",
    "Points",
    "Polygon",
    "Polyline",
    "Skeleton",
    "Tag",
    "same_value",
]

Id = int | str
Float64 = npt.NDArray[np.float64]


def same_value(a: Any, b: Any, *, types: bool = False) -> bool:
    """Compare two values that may hold arrays, deeply.

    Args:
        a: any value of the model: scalar, text, list, tuple, dict, array, annotation.
        b: the other.
        types: also tell ``1`` from ``1.0`` and from ``True``.
    """
    if a is b:
        return True
    if isinstance(a, np.ndarray) or isinstance(b, np.ndarray):
        if not (isinstance(a, np.ndarray) and isinstance(b, np.ndarray)):
            return False
        return a.shape == b.shape and bool(np.array_equal(a, b))
    if isinstance(a, dict) and isinstance(b, dict):
        return a.keys() == b.keys() and all(same_value(v, b[k], types=types) for k, v in a.items())
    if isinstance(a, (list, tuple)) and isinstance(b, (list, tuple)):
        return len(a) == len(b) and all(same_value(x, y, types=types) for x, y in zip(a, b, strict=True))
    if types and isinstance(a, (bool, int, float)) and type(a) is not type(b):
        return False
    return bool(a == b)


def points_array(points: Any, dims: tuple[int, ...] = (2, 3)) -> Float64:
    """Return points as a float64 array of shape (n, 2) or (n, 3).

    Raises:
        ValueError: another shape.
    """
    if type(points) is np.ndarray and points.ndim == 2 and points.dtype == np.float64 and points.shape[1] in dims:
        return points
    array = np.asarray(points, dtype=np.float64)
    if array.size == 0 and array.ndim < 2:
        array = array.reshape(0, 2)
    if array.ndim != 2 or array.shape[1] not in dims:
        raise ValueError(f"expected points of shape (n, {' or '.join(map(str, dims))}), got {array.shape}")
    return array


@dataclass(slots=True, kw_only=True, eq=False)
class Annotation:
    """What every kind shares.

    Attributes:
        category_id: id of a category of the schema, None for none.
        id: as the file has it, None when the file has none.
        attributes: name -> value (text, int, float, bool, list of texts).
        group_id: annotations of one item with the same group belong to one thing.
        track_id: shapes of one sequence with the same track (and category) are one object over time.
        parent_id: id of the annotation that this one is a part of.
        keyframe: the shape was set here, not interpolated.
        outside: the object is not visible from here on.
        score: confidence, usually 0 to 1.
        origin: "manual", "auto" or whatever else the file says.
        extras: format namespace -> what only that format knows.
    """

    category_id: Id | None = None
    id: Id | None = None
    attributes: dict[str, Any] = field(default_factory=dict)
    group_id: Id | None = None
    track_id: Id | None = None
    parent_id: Id | None = None
    keyframe: bool = False
    outside: bool = False
    occluded: bool = False
    truncated: bool = False
    is_crowd: bool = False
    z_order: float = 0
    score: float | None = None
    origin: str | None = None
    extras: dict[str, dict[str, Any]] = field(default_factory=dict)

    kind: ClassVar[str] = "annotation"
    __hash__ = None  # type: ignore[assignment]

    @property
    def variant(self) -> str:
        """The kind, told apart where formats differ in what they can hold: ``rotated_box``, ``holed_polygon``..."""
        return self.kind

    def __eq__(self, other: object) -> bool:
        if type(other) is not type(self):
            return NotImplemented
        return all(same_value(getattr(self, f.name), getattr(other, f.name)) for f in fields(self))


@dataclass(slots=True, eq=False)
class Tag(Annotation):
    """The item as a whole belongs to the category."""

    kind: ClassVar[str] = "tag"


@dataclass(slots=True, eq=False)
class Box(Annotation):
    """A rectangle with corners (x0, y0) and (x1, y1), turned by ``rotation`` degrees clockwise about its centre."""

    x0: float
    y0: float
    x1: float
    y1: float
    rotation: float = 0.0

    kind: ClassVar[str] = "box"

    @property
    def variant(self) -> str:
        return "rotated_box" if self.rotation else "box"


@dataclass(slots=True, eq=False)
class Ellipse(Annotation):
    """An ellipse with half axes ``rx`` and ``ry``, turned by ``rotation`` degrees clockwise about its centre."""

    cx: float
    cy: float
    rx: float
    ry: float
    rotation: float = 0.0

    kind: ClassVar[str] = "ellipse"


@dataclass(slots=True, eq=False)
class Polygon(Annotation):
    """One or more rings of one object.

    Attributes:
        rings: float64 arrays of shape (n, 2), or (n, 3) in space; stored as read, closed or not.
        holes: per ring, whether it is a hole of the rings before it; () when there is none.
    """

    rings: list[Float64]
    holes: tuple[bool, ...] = ()

    kind: ClassVar[str] = "polygon"

    def __post_init__(self) -> None:
        if isinstance(self.rings, np.ndarray) and self.rings.ndim == 2:
            raise ValueError("rings is a list of rings, each (n, 2); got one array")
        self.rings = [points_array(ring) for ring in self.rings]
        self.holes = tuple(bool(h) for h in self.holes) if any(self.holes) else ()
        if self.holes and len(self.holes) != len(self.rings):
            raise ValueError(f"{len(self.rings)} rings but {len(self.holes)} hole marks")

    @property
    def variant(self) -> str:
        if self.rings and self.rings[0].shape[1] == 3:
            return "polygon3d"
        if self.holes:
            return "holed_polygon"
        return "multipart_polygon" if len(self.rings) > 1 else "polygon"


@dataclass(slots=True, eq=False)
class Polyline(Annotation):
    """An open chain of points, float64 of shape (n, 2) or (n, 3)."""

    points: Float64

    kind: ClassVar[str] = "polyline"

    def __post_init__(self) -> None:
        self.points = points_array(self.points)

    @property
    def variant(self) -> str:
        return "polyline3d" if self.points.shape[1] == 3 else "polyline"


@dataclass(slots=True, eq=False)
class Points(Annotation):
    """Loose points: ``xy`` float64 of shape (n, 2) or (n, 3), ``visibility`` one of 0, 1, 2 a point (None: all 2)."""

    xy: Float64
    visibility: Sequence[int] | None = None

    kind: ClassVar[str] = "points"

    def __post_init__(self) -> None:
        self.xy = points_array(self.xy)
        if self.visibility is not None:
            self.visibility = [int(v) for v in self.visibility]
            if len(self.visibility) != len(self.xy):
                raise ValueError(f"{len(self.xy)} points but {len(self.visibility)} visibility values")

    @property
    def variant(self) -> str:
        return f"{self.kind}3d" if self.xy.shape[1] == 3 else self.kind


@dataclass(slots=True, eq=False)
class Skeleton(Points):
    """Key points in the order of the category's ``keypoints``; visibility 0 not labelled, 1 hidden, 2 visible."""

    kind: ClassVar[str] = "skeleton"


@dataclass(slots=True, eq=False)
class Mask(Annotation):
    """Pixels of the whole item as run lengths."""

    rle: Rle

    kind: ClassVar[str] = "mask"


@dataclass(slots=True, eq=False)
class Cuboid2D(Annotation):
    """Eight points of a projected cuboid, float64 of shape (8, 2): front face, then back face."""

    points: Float64

    kind: ClassVar[str] = "cuboid2d"

    def __post_init__(self) -> None:
        self.points = points_array(self.points, (2,))
        if len(self.points) != 8:
            raise ValueError(f"a cuboid has 8 points, got {len(self.points)}")


@dataclass(slots=True, eq=False)
class Cuboid(Annotation):
    """A box in space.

    Attributes:
        position: centre (x, y, z) in world units.
        dimensions: length along x, width along y, height along z.
        yaw: radians, 0 along +x, counter-clockwise positive.
        quaternion: full orientation (x, y, z, w) where it is more than a yaw.
    """

    position: tuple[float, float, float]
    dimensions: tuple[float, float, float]
    yaw: float = 0.0
    quaternion: tuple[float, float, float, float] | None = None

    kind: ClassVar[str] = "cuboid"


@dataclass(slots=True, eq=False)
class PointMask(Annotation):
    """Points of a point cloud, by their positions in the file (int64 array)."""

    indices: npt.NDArray[np.int64]

    kind: ClassVar[str] = "pointmask"

    def __post_init__(self) -> None:
        self.indices = np.asarray(self.indices, dtype=np.int64).reshape(-1)


@dataclass(slots=True, eq=False)
class Caption(Annotation):
    """A text about the item."""

    text: str

    kind: ClassVar[str] = "caption"


KINDS: tuple[type[Annotation], ...] = (
    Tag,
    Box,
    Ellipse,
    Polygon,
    Polyline,
    Points,
    Skeleton,
    Mask,
    Cuboid2D,
    Cuboid,
    PointMask,
    Caption,
)
