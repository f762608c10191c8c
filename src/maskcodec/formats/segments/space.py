"""Labels of Segments.ai in the coordinates of the vehicle, and the points of a cloud that lie in cuboids.

Labels stand in world coordinates; the points of a cloud stand in those of the vehicle wherever its sample says an ego
pose: with its rotation R and position t a point p of the world is at ``R^T (p - t)`` there.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from maskcodec.formats.segments.schema import NAMESPACE
from maskcodec.formats.segments.shapes import heading, wrap
from maskcodec.model.annotations import Annotation, Cuboid, Points, Polygon, Polyline
from maskcodec.model.dataset import Item

__all__ = ["Pose", "cuboid_points", "pose_of", "to_ego"]

Float64 = npt.NDArray[np.float64]
Quaternion = tuple[float, float, float, float]


def _rotation(turn: Quaternion) -> Float64:
    x, y, z, w = turn
    rows = [
        [1 - 2 * (y * y + z * z), 2 * (x * y - z * w), 2 * (x * z + y * w)],
        [2 * (x * y + z * w), 1 - 2 * (x * x + z * z), 2 * (y * z - x * w)],
        [2 * (x * z - y * w), 2 * (y * z + x * w), 1 - 2 * (x * x + y * y)],
    ]
    return np.array(rows, np.float64)


def _turned(first: Quaternion, second: Quaternion) -> Quaternion:
    """The orientation ``second`` seen from ``first``: the inverse of one times the other."""
    ax, ay, az, aw = -first[0], -first[1], -first[2], first[3]
    bx, by, bz, bw = second
    return (
        aw * bx + ax * bw + ay * bz - az * by,
        aw * by - ax * bz + ay * bw + az * bx,
        aw * bz + ax * by - ay * bx + az * bw,
        aw * bw - ax * bx - ay * by - az * bz,
    )


@dataclass(frozen=True)
class Pose:
    """Place and orientation of a vehicle in the world.

    Attributes:
        position: x, y, z in metres.
        quaternion: x, y, z, w; is brought to unit length.

    Raises:
        ValueError: the quaternion is of length 0, or a number is not finite.
    """

    position: tuple[float, float, float]
    quaternion: Quaternion = (0.0, 0.0, 0.0, 1.0)

    def __post_init__(self) -> None:
        length = math.sqrt(sum(v * v for v in self.quaternion))
        if not length or not all(map(math.isfinite, (length, *self.position))):
            raise ValueError(f"not a pose: {self.position}, {self.quaternion}")
        x, y, z, w = self.quaternion
        object.__setattr__(self, "quaternion", (x / length, y / length, z / length, w / length))


def pose_of(item: Item) -> Pose | None:
    """The ego pose of a cloud that was read from Segments.ai; None where its sample says none.

    Raises:
        ValueError: it is no pose.
    """
    kept = item.extras.get(NAMESPACE, {})
    about = kept.get("media", kept.get("attributes"))
    ego = about.get("ego_pose") if isinstance(about, dict) else None
    if ego is None:
        return None
    try:
        position, turn = ego["position"], ego["heading"]
        return Pose((position["x"], position["y"], position["z"]), (turn["qx"], turn["qy"], turn["qz"], turn["qw"]))
    except (KeyError, TypeError) as error:
        raise ValueError(f"not an ego pose: {ego}") from error


def to_ego(annotation: Annotation, pose: Pose) -> Annotation:
    """A copy of an annotation in the coordinates of the vehicle.

    Args:
        annotation: in world coordinates; cuboids and shapes of three coordinates move, others are returned as they are.
        pose: of the vehicle.

    Example:
        >>> to_ego(Cuboid((3, 4, 0), (4, 2, 1), 3.0), Pose((1, 4, 0))).position
        (2.0, 0.0, 0.0)
    """
    rotation = _rotation(pose.quaternion)

    def moved(points: Any) -> Float64:
        return np.asarray((np.asarray(points, np.float64) - np.array(pose.position)) @ rotation)

    if isinstance(annotation, Cuboid):
        x, y, z = moved(annotation.position).tolist()
        turn = None if annotation.quaternion is None else _turned(pose.quaternion, annotation.quaternion)
        yaw = wrap(annotation.yaw - heading(pose.quaternion))
        return replace(annotation, position=(x, y, z), yaw=yaw, quaternion=turn)
    if isinstance(annotation, Polygon) and annotation.rings[0].shape[1] == 3:
        return replace(annotation, rings=[moved(ring) for ring in annotation.rings])
    if isinstance(annotation, Polyline) and annotation.points.shape[1] == 3:
        return replace(annotation, points=moved(annotation.points))
    if isinstance(annotation, Points) and annotation.xy.shape[1] == 3:
        return replace(annotation, xy=moved(annotation.xy))
    return annotation


def cuboid_points(
    points: npt.ArrayLike, cuboids: Iterable[tuple[int, Cuboid]], pose: Pose | None = None
) -> npt.NDArray[np.int64]:
    """The cuboid that every point of a cloud lies in.

    Args:
        points: (n, 3) or wider, x, y, z first; in the coordinates of the vehicle where a pose is given.
        cuboids: ids (from 1) and cuboids in world coordinates; later ones lie over earlier ones. The faces belong to
            them. The orientation is the quaternion where there is one, else the yaw.
        pose: of the vehicle.

    Returns:
        (n,) ids, 0 for points in none.

    Raises:
        ValueError: points of another shape.

    Example:
        >>> cuboid_points([[0, 0, 0], [3, 0, 0]], [(7, Cuboid((0, 0, 0), (2, 2, 2), 0.0))]).tolist()
        [7, 0]
    """
    array = np.asarray(points, np.float64)
    if array.ndim != 2 or array.shape[1] < 3:
        raise ValueError(f"points are (n, 3) or wider, got {array.shape}")
    out = np.zeros(len(array), np.int64)
    for number, cuboid in cuboids:
        seen = to_ego(cuboid, pose) if pose is not None else cuboid
        if not isinstance(seen, Cuboid):
            raise TypeError(f"expected a cuboid, got a {seen.kind}")
        turn = seen.quaternion
        if turn is None and pose is not None:  # of a pose that leans, the yaw alone says too little
            whole: Quaternion = (0.0, 0.0, math.sin(cuboid.yaw / 2), math.cos(cuboid.yaw / 2))
            turn = _turned(pose.quaternion, whole)
        elif turn is None:
            turn = (0.0, 0.0, math.sin(seen.yaw / 2), math.cos(seen.yaw / 2))
        local = np.abs((array[:, :3] - np.array(seen.position)) @ _rotation(turn))
        out[(local <= np.array(seen.dimensions) / 2).all(axis=1)] = number
    return out
