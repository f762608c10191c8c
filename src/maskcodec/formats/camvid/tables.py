"""Labels of CamVid: the published tables, tables in files, and what the values of a map mean by them."""

from __future__ import annotations

from maskcodec.formats._shared.labels import Label, read_label_colors, read_label_map
from maskcodec.formats._shared.lines import lines
from maskcodec.formats._shared.source import Source
from maskcodec.idmaps import voc_palette

__all__ = ["NAMESPACE", "TABLES", "index_order", "read_labels", "table_of"]

NAMESPACE = "camvid"
_CAMVID = """
Void 0 0 0, Animal 64 128 64, Archway 192 0 128, Bicyclist 0 128 192, Bridge 0 128 64, Building 128 0 0,
Car 64 0 128, CartLuggagePram 64 0 192, Child 192 128 64, Column_Pole 192 192 128, Fence 64 64 128,
LaneMkgsDriv 128 0 192, LaneMkgsNonDriv 192 0 64, Misc_Text 128 128 64, MotorcycleScooter 192 0 192,
OtherMoving 128 64 64, ParkingBlock 64 192 128, Pedestrian 64 64 0, Road 128 64 128, RoadShoulder 128 128 192,
Sidewalk 0 0 192, SignSymbol 192 128 128, Sky 128 128 128, SUVPickupTruck 64 128 192, TrafficCone 0 0 64,
TrafficLight 0 64 64, Train 192 64 128, Tree 128 128 0, Truck_Bus 192 128 192, Tunnel 64 0 64,
VegetationMisc 192 192 0, Wall 64 192 0
"""
_SEGNET = """
Sky 128 128 128, Building 128 0 0, Pole 192 192 128, Road 128 64 128, Pavement 60 40 222, Tree 128 128 0,
SignSymbol 192 128 128, Fence 64 64 128, Car 64 0 128, Pedestrian 64 64 0, Bicyclist 0 128 192, Unlabelled 0 0 0
"""
_MISSPELT, _SPELT = "MotorcycycleScooter", "MotorcycleScooter"


def _parse(text: str) -> list[Label]:
    rows = (row.split() for row in text.replace("\n", " ").split(","))
    return [Label(name, (int(r), int(g), int(b))) for name, r, g, b in rows]


# The 32 classes in the order of Datumaro, the 12 of the SegNet tutorial in that of its script.
TABLES: dict[str, list[Label]] = {"camvid": _parse(_CAMVID), "segnet": _parse(_SEGNET)}


def table_of(source: Source, root: str) -> str | None:
    """Name of the table of labels; of the two that there may be the one that CVAT reads."""
    found = [name for name in (f"{root}label_colors.txt", f"{root}labelmap.txt") if source.has(name)]
    for name in found[1:]:
        source.report.unread(source.display(name), None, "", "label_colors.txt is there too", what="file")
    return found[0] if found else None


def read_labels(source: Source, name: str) -> list[Label]:
    """A table in a file; labels without a colour have the VOC colour of their place.

    Raises:
        FormatError: see ``read_label_colors``.
    """
    first = next((line.text for line in lines(source, name, comments=True)), "")
    labels = read_label_map(source, name) if first.count(":") == 3 else read_label_colors(source, name)
    palette = voc_palette(256).tolist()
    names = {label.name for label in labels}
    for at, label in enumerate(labels):
        if label.color is None and at < 256:
            red, green, blue = palette[at]
            label.color = (red, green, blue)
        if label.name == _MISSPELT and _SPELT not in names:
            label.name = _SPELT
            source.report.rename(_MISSPELT, None, "name", "a misspelling of Datumaro", what="category")
    black = [label.name for label in labels if label.color == (0, 0, 0)]
    if len(black) > 1:
        text = "several labels are black, which is background; the first of them stands for it"
        source.report.default(source.display(name), None, "color", text, what="category", count=len(black) - 1)
    return labels


def index_order(labels: list[Label], declared: bool) -> list[int | None]:
    """Position of the label of every index: black is 0, the others follow in their order; None: nothing.

    Published tables keep their own order: Sky is 0 in that of SegNet.
    """
    places: list[int | None] = list(range(len(labels)))
    if not declared:
        return places
    black = next((at for at, label in enumerate(labels) if label.color == (0, 0, 0)), None)
    return [black, *(at for at in places if at != black)]
