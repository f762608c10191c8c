"""Every example in a docstring runs."""

import doctest
import importlib
import pkgutil

import pytest

import maskcodec

MODULES = sorted(
    m.name
    for m in pkgutil.walk_packages(maskcodec.__path__, "maskcodec.", onerror=lambda name: None)
    if not m.name.endswith("__main__")
)


@pytest.mark.parametrize("name", MODULES)
def test_examples(name: str) -> None:
    if name.startswith("maskcodec.torch"):
        pytest.importorskip("torch")
        pytest.importorskip("torchvision")
    module = importlib.import_module(name)
    finder = doctest.DocTestFinder(exclude_empty=True)
    runner = doctest.DocTestRunner(optionflags=doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE)
    names = dict(vars(module), __name__=name)
    for test in compiled_examples(module) if "_native" in name else finder.find(module, name, globs=names):
        result = runner.run(test)
        assert result.failed == 0, f"{result.failed} failed in {test.name}"


def compiled_examples(module):
    """The standard finder does not look into compiled classes."""
    parser = doctest.DocTestParser()

    def walk(owner, prefix):
        for name, value in sorted(vars(owner).items()):
            text = getattr(value, "__doc__", None)
            own = isinstance(value, type) and value.__module__ == module.__name__  # a private base has public methods
            if (name.startswith("_") and not own) or not isinstance(text, str if not own else object):
                continue
            if own:
                yield from walk(value, f"{prefix}.{name}")
            elif isinstance(value, type):
                continue
            if text is None:
                continue
            test = parser.get_doctest(text, dict(vars(module)), f"{prefix}.{name}", None, None)
            if test.examples:
                yield test

    yield from walk(module, module.__name__)
