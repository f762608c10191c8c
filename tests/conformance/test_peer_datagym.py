"""What we write for DataGym is held against its published JSON schema; runs where ``jsonschema`` is installed.

The schema is ``JsonSchemaImportValidation.json`` of ``datagym-ai/datagym-core``, and stands on the vendor's
page on imports too. ``MASKCODEC_DATAGYM_SCHEMA`` names a file with one of the two; without it a copy of the page beside
the samples is looked for.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

import maskcodec as mc
from maskcodec import registry
from tests.zoo import zoo

jsonschema = pytest.importorskip("jsonschema", reason="jsonschema is not installed")

pytestmark = pytest.mark.filterwarnings("ignore::maskcodec.errors.LossWarning")
IMAGES = [
    name for name, f in registry.formats().items()
    if f.read and f.write and "image" in f.capabilities().media and name not in ("datagym", "coco_results")
]  # fmt: skip


@pytest.fixture(scope="module")
def validator() -> Any:
    named = os.environ.get("MASKCODEC_DATAGYM_SCHEMA")
    beside = Path(os.environ.get("MASKCODEC_SAMPLES") or "/nonexistent").parent / "seeds"
    for path in [Path(named)] if named else sorted(beside.glob("*.txt")):
        text = path.read_text("utf-8")
        mark = text.find('"$schema"')
        start = text.rfind("{", 0, mark)
        if mark > 0 and start >= 0 and '"internal_media_ID"' in text[mark:]:
            schema = json.JSONDecoder().raw_decode(text, start)[0]
            jsonschema.Draft7Validator.check_schema(schema)
            return jsonschema.Draft7Validator(schema)
    pytest.skip("the published schema is not at hand; MASKCODEC_DATAGYM_SCHEMA names it")


def faults(validator: Any, path: Path) -> list[str]:
    return [f"{list(e.absolute_path)}: {e.message}" for e in validator.iter_errors(json.loads(path.read_text("utf-8")))]


def test_the_schema_finds_faults(validator: Any) -> None:
    assert not validator.is_valid([])
    assert not validator.is_valid([{"internal_media_ID": "a", "labels": {"car": [{"point": [{"x": -1, "y": 0}]}]}}])
    assert validator.is_valid([{"internal_media_ID": "a", "labels": {"car": [{"point": [{"x": 1, "y": "0"}]}]}}])


def test_every_kind(validator: Any, tmp_path: Path) -> None:
    mc.write(zoo(), tmp_path / "out", "datagym", on_loss="ignore")
    (path,) = (tmp_path / "out").rglob("*.json")
    assert faults(validator, path) == []
    kinds = {key for row in json.loads(path.read_text()) for own in row["labels"].values() for g in own for key in g}
    assert {"rectangle", "polygon", "line", "point"} <= kinds


@pytest.mark.parametrize("name", IMAGES)
def test_what_other_formats_hold(validator: Any, name: str, tmp_path: Path) -> None:
    mc.write(zoo(), tmp_path / "there", name, on_loss="ignore")
    mc.convert(tmp_path / "there", tmp_path / "out", to="datagym", on_loss="ignore")
    (path,) = (tmp_path / "out").rglob("*.json")
    assert faults(validator, path) == []


def test_imports_come_back_valid_and_our_reader_agrees(validator: Any, samples: Path, tmp_path: Path) -> None:
    for path in sorted((samples / "datagym" / "import").glob("*.json")):
        assert faults(validator, path) == []
        mc.write(mc.read(path), tmp_path / path.name, "datagym", on_loss="ignore")
        assert faults(validator, tmp_path / path.name) == []


CLASSIFICATIONS = [
    [], [None], ["a"], ["a", "b", "c"], ["a", {"k": ["v"]}], [None, {"k": ["v"]}], ["a", {"k": ["v"], "l": ["w"]}],
    ["a", None], [{"k": ["v"]}], ["a", {"k": ["v"]}, {"l": ["w"]}], ["a", "b", {"k": ["v"]}], [3], "a",
    ["a", {"k": "v"}],
]  # fmt: skip
GEOMETRIES: list[Any] = [
    {"rectangle": [{"x": 1, "y": 2, "w": 3, "h": 4}]}, {"rectangle": [{"x": 1, "y": 2, "w": 3}]}, {"rectangle": []},
    {"polygon": [{"x": 1, "y": 2}] * 3}, {"polygon": [{"x": 1, "y": 2}] * 2}, {"line": [{"x": 1, "y": 2}]},
    {"point": [{"x": 1, "y": 2}]}, {"point": [{"x": 1, "y": 2, "z": 3}]}, {"point": [{"x": -1, "y": 2}]},
    {"point": [{"x": "7", "y": 2}]}, {"point": [{"x": "7.5", "y": 2}]}, {"point": [{"x": None, "y": 2}]},
    {"point": [{"x": 1, "y": 2}], "colour": "red"}, {"geometry": [{"x": 1, "y": 2}]}, {"line": {"x": 1, "y": 2}},
]  # fmt: skip


@pytest.mark.parametrize("value", CLASSIFICATIONS, ids=json.dumps)
def test_classifications_as_the_schema_says(validator: Any, value: Any, tmp_path: Path) -> None:
    row = {"internal_media_ID": "a", "global_classifications": {"c": value}, "labels": {}}
    assert readable(tmp_path, row) == validator.is_valid([row])


@pytest.mark.parametrize("value", GEOMETRIES, ids=json.dumps)
def test_geometries_as_the_schema_says(validator: Any, value: Any, tmp_path: Path) -> None:
    row = {"internal_media_ID": "a", "labels": {"car": [value]}}
    assert readable(tmp_path, row) == validator.is_valid([row])
    nested = {"rectangle": [{"x": 1, "y": 2, "w": 3, "h": 4}], "nested_geometries": {"wheel": [value]}}
    row = {"internal_media_ID": "a", "labels": {"car": [nested]}}
    allowed = validator.is_valid([row]) and "colour" not in value  # a misplaced key of the schema lets it pass there
    assert readable(tmp_path, row) == allowed


def readable(folder: Path, row: dict[str, Any]) -> bool:
    path = folder / "import.json"
    path.write_text(json.dumps([row]))
    try:
        list(mc.read(path, "datagym").items)
    except mc.FormatError:
        return False
    return True
