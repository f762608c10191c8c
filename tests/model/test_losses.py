"""Loss reports."""

from __future__ import annotations

import json
import pickle

import pytest

import maskcodec as mc
from maskcodec.formats._base import Capabilities
from maskcodec.formats._shared.carry import carried
from maskcodec.model.losses import LossReport
from tests.zoo import zoo


def test_equal_losses_merge_and_keep_five_examples():
    report = LossReport()
    for number in range(1000):
        report.drop(mc.Item(str(number)), mc.Box(0, 0, 1, 1, id=number), "score", "no place")
    (loss,) = report
    assert (loss.action, loss.what, loss.field, loss.count) == ("dropped", "box", "score", 1000)
    assert loss.examples == [(str(n), f"id {n}") for n in range(5)]
    assert json.loads(json.dumps(report.to_json()))[0]["count"] == 1000
    assert str(report).startswith("1000 losses\n  dropped 1000 x box.score: no place (e.g. 0: id 0, 1: id 1)")


def test_merge_adds_counts():
    one, two = LossReport(), LossReport()
    one.unread("a", None, "", "x", what="file")
    two.unread("b", None, "", "x", what="file")
    two.default(None, None, "info.url", "y")
    assert [loss.count for loss in one.merge(two)] == [2, 1]
    assert one.losses[0].examples == [("a", ""), ("b", "")]
    assert two.losses[0].count == 1


def test_stop_raises_at_the_first():
    report = LossReport(stop=True)
    with pytest.raises(mc.LossError) as caught:
        report.drop(None, None, "x", "y")
    assert caught.value.report is report
    assert len(report) == 1


def test_unknown_action_is_refused():
    with pytest.raises(ValueError, match="action"):
        LossReport().add("eaten", None, None, "", "")


def test_format_that_carries_nothing_loses_everything_and_defaults_are_no_loss():
    report = LossReport()
    shown = carried(zoo(), Capabilities(media=("image", "point_cloud"), item_fields=(), category_fields=()), report)
    assert [len(item.annotations) for item in shown.items] == [0] * 7
    lost = {(loss.what, loss.field) for loss in report}
    variants = {a.variant for item in zoo().items for a in item.annotations}
    assert {(variant, "") for variant in variants} <= lost
    for field in ("path", "width", "height", "sequence", "frame", "timestamp", "sensor", "status", "subset"):
        assert ("item", field) in lost
    for field in ("color", "kind", "parent", "attributes", "keypoints", "skeleton", "extras.somebody.else"):
        assert ("category", field) in lost
    assert {("schema", "attributes"), ("schema", "tag_groups"), ("schema", "background")} <= lost
    assert {("dataset", "links"), ("dataset", "info.year"), ("track", "attributes.colour")} <= lost
    empty = LossReport()
    plain = mc.Dataset(
        mc.LabelSchema([mc.Category(1, "c")]), [mc.Item("a", annotations=[mc.Box(0, 0, 1, 1, category_id=1)])]
    )
    list(carried(plain, Capabilities(kinds={mc.Box}), empty).items)
    assert not len(empty)


def test_every_shared_field_is_reported_where_it_has_no_place():
    report = LossReport()
    list(carried(zoo(), Capabilities(kinds={mc.Box}, fields={"outside"}, subsets=True), report).items)
    fields = {loss.field for loss in report if loss.what == "box" and loss.action == "dropped"}
    assert fields >= {
        "id", "group_id", "track_id", "parent_id", "keyframe", "occluded", "truncated", "z_order", "score",
        "origin", "attributes.age", "attributes.w", "extras.somebody.note",
    }  # fmt: skip


def test_fields_as_attributes():
    report = LossReport()
    carries = Capabilities(kinds={mc.Box}, as_attributes={"score", "occluded"}, attributes={"score", "occluded"})
    box = mc.Box(0, 0, 1, 1, score=0.5, occluded=True, attributes={"other": 1})
    (item,) = carried(mc.Dataset(items=[mc.Item("a", annotations=[box])]), carries, report).items
    assert item.annotations[0].attributes == {"occluded": True, "score": 0.5}
    assert {(loss.action, loss.field) for loss in report} == {
        ("approximated", "occluded"), ("approximated", "score"), ("dropped", "attributes.other"),
    }  # fmt: skip
    assert box.attributes == {"other": 1}


def test_only_the_first_pass_reports():
    report = LossReport()
    shown = carried(zoo(), Capabilities(), report)
    list(shown.items)
    total = report.total
    list(shown.items)
    assert report.total == total > 0


def test_errors_travel_between_processes():
    error = mc.FormatError("expected x", file="a.json", record="images[0]", field="id")
    again = pickle.loads(pickle.dumps(error))
    assert (str(again), again.file, again.record, again.field) == (str(error), "a.json", "images[0]", "id")
    assert str(error) == "a.json: images[0]: id: expected x"
    assert pickle.loads(pickle.dumps(mc.DecodeError("bad", 7))).offset == 7


def test_a_shape_outside_is_dropped_where_the_format_cannot_say_so():
    report = LossReport()
    items = list(carried(zoo(), Capabilities(kinds={mc.Box}, subsets=True), report).items)
    assert not any(a.outside for item in items for a in item.annotations)
    whole = [loss for loss in report if loss.what == "box" and loss.action == "dropped" and not loss.field]
    assert [(loss.count, loss.examples) for loss in whole] == [(1, [("a", "id 26")])]
