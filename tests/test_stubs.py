"""Every native module and its stub file name the same things."""

import ast
import importlib
from pathlib import Path

import pytest

import maskcodec

NATIVE = Path(maskcodec.__file__).parent / "_native"


def public(names):
    return {n for n in names if not n.startswith("_")}


@pytest.mark.parametrize("name", ["runs", "raster", "columns"])
def test_stub_names_match(name: str) -> None:
    module = importlib.import_module(f"maskcodec._native.{name}")
    tree = ast.parse((NATIVE / f"{name}.pyi").read_text())
    defined = {n.name: n for n in tree.body if isinstance(n, (ast.FunctionDef, ast.ClassDef))}
    here = {
        n
        for n in public(vars(module))
        if getattr(getattr(module, n), "__module__", None) in (module.__name__, f"_native.{name}", name)
        and callable(getattr(module, n))
    }
    assert public(defined) == here
    for class_name, node in defined.items():
        if not isinstance(node, ast.ClassDef):
            continue
        members = set()
        for part in node.body:
            if isinstance(part, ast.FunctionDef):
                members.add(part.name)
            elif isinstance(part, ast.AnnAssign) and isinstance(part.target, ast.Name):
                members.add(part.target.id)
        # Operations come from a private base class of the same module.
        own = [c for c in getattr(module, class_name).__mro__ if c.__module__ == module.__name__]
        assert public(members) == public({n for c in own for n in vars(c)}), class_name
