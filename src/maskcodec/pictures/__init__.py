"""Pictures of data sets: items with their annotations, contact sheets, differences, statistics, clouds from above."""

from maskcodec.pictures.above import from_above, points_of
from maskcodec.pictures.canvas import Picture
from maskcodec.pictures.charts import plots
from maskcodec.pictures.clouds import read_cloud
from maskcodec.pictures.compare import difference
from maskcodec.pictures.drawing import draw
from maskcodec.pictures.sheet import contact_sheet

__all__ = ["Picture", "contact_sheet", "difference", "draw", "from_above", "plots", "points_of", "read_cloud"]
