"""What the pages are made of: every option is described, every note has a format, every link leads somewhere."""

from __future__ import annotations

import importlib.util
import json
import re
import sys
from pathlib import Path
from types import ModuleType

import pytest

from maskcodec import registry
from maskcodec.cli import main
from maskcodec.formats._options import described

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
MADE = ("formats/", "generated/", "_build/")  # pages that exist on the site alone
HAND = [p for p in sorted(DOCS.rglob("*.md")) if not p.relative_to(DOCS).as_posix().startswith(MADE)]


def loaded(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, DOCS / f"{name}.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


formats = loaded("make_formats")


@pytest.mark.parametrize("name", list(registry._TABLE))
def test_every_option_is_described(name: str) -> None:
    one = registry.get_format(name)
    for function, options in ((one.read, one.read_options), (one.write, one.write_options)):
        for option in options:
            assert len(described(function, option)) > 10, f"{name}: {option} has no description"


@pytest.mark.parametrize("name", ["coco", "segments_multisensor", "kitti_raw"])
def test_a_page_says_what_is_kept(name: str) -> None:
    page = formats.page(registry.get_format(name))
    assert page.startswith(f"# {registry.get_format(name).title}\n")
    assert "| kinds kept | " in page
    assert "| fields kept | " in page
    assert f"--from {name}\n" in page


def test_every_format_has_its_place_in_the_index_and_every_note_a_format() -> None:
    known = {name: registry.formats()[name] for name in registry._TABLE}
    page = formats.index(known)
    assert all(f"]({name}.md)" in page for name in known)
    names = {*known, *(place.partition(".")[0] for place in registry._TABLE.values())}
    assert {note.stem for note in (DOCS / "format_notes").glob("*.md")} <= names
    for text in (ROOT / "README.md", DOCS / "index.md", DOCS / "start.md"):
        for count in re.findall(r"(\d+) (?:annotation formats|names that)", text.read_text("utf-8")):
            assert int(count) == len(registry._TABLE), f"{text.name} speaks of {count} formats"


@pytest.mark.parametrize("page", [ROOT / "README.md", *HAND], ids=lambda page: page.relative_to(ROOT).as_posix())
def test_links_lead_somewhere(page: Path) -> None:
    folder = DOCS / "formats" if page.parent.name == "format_notes" else page.parent
    text = re.sub(r"```.*?```", "", page.read_text("utf-8"), flags=re.DOTALL)
    for link in re.findall(r"\]\(([^)\s]+)\)", text):
        name, _, anchor = link.partition("#")
        if "://" in link or not name:
            continue
        goal = (folder / name).resolve()
        inside = goal.relative_to(DOCS).as_posix() if goal.is_relative_to(DOCS) else ""
        if inside.startswith("formats/"):
            assert goal.stem in {*registry._TABLE, "index"}, f"{link}: no such format"
        elif not inside.startswith("generated/"):
            assert goal.exists(), f"{link}: no such file"
            if goal.suffix != ".md":
                continue
            slugs = [re.sub(r"[^\w -]", "", h.lower()).replace(" ", "-") for h in headings(goal)]
            assert not anchor or anchor in slugs, f"{link}: no such heading, there are {slugs}"


def headings(page: Path) -> list[str]:
    text = re.sub(r"```.*?```", "", page.read_text("utf-8"), flags=re.DOTALL)
    return re.findall(r"^#+ (.*)$", text, re.MULTILINE)


def test_every_verb_is_in_the_table_and_on_the_page() -> None:
    verbs = loaded("make_cli")
    page, made = (DOCS / "cli.md").read_text("utf-8"), verbs.page()
    for name, parser in verbs.verbs().items():
        assert f"`{name}`" in page or f"`{name} [" in page, f"{name} is not in docs/cli.md"
        for action in parser._actions:
            for option in action.option_strings:
                assert option in ("-h", "--help") or f"`{option}`" in made


COMMANDS = {
    "detect": ["{a}"], "info": ["{a}"], "validate": ["{a}"], "diff": ["{a}", "{a}"],
    "convert": ["{a}", "{out}", "--to", "coco", "--verify"], "filter": ["{a}", "{out}", "--to", "coco"],
}  # fmt: skip


@pytest.mark.parametrize("verb", COMMANDS)
def test_json_has_the_keys_that_the_page_says(verb: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    places = {"a": str(ROOT / "examples/harbour_export"), "out": str(tmp_path / "out")}
    assert main([verb, *(part.format(**places) for part in COMMANDS[verb]), "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    row = re.search(rf"^\| (?:`\w+`, )*`{verb}`[^|]*\| (.*) \|$", page_of_keys(), re.MULTILINE)
    assert row is not None
    named = set(re.findall(r"`(\w+)`", row[1]))
    inner = found.get("verified", {}) | found.get("kept", {}) | next(iter(found.get("fits", {}).values()), {})
    missing = {*found, *inner} - named
    assert not missing, f"docs/cli.md does not name {missing} of {verb}"
    if verb in ("info", "validate"):
        assert named - {"severity", "rule", "message", "item", "annotation", "field"} == set(found)


def page_of_keys() -> str:
    return (DOCS / "cli.md").read_text("utf-8").partition("## JSON")[2]
