"""A user's own Python, named in a recipe as ``module:Class``."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path
from typing import Any

from synth.errors import SynthError, UsageError


def load_class(reference: str, base: Path) -> Any:
    """The class that ``module:Class`` names; modules beside the recipe (``base``) are found too.

    Raises ``UsageError`` when the module does not import or has no such class.
    """
    module_name, _, class_name = reference.partition(":")
    folder = str(base.absolute())  # a relative one would go on meaning the folder of the first import
    if folder not in sys.path:
        sys.path.insert(0, folder)
    try:
        module = importlib.import_module(module_name)
    except Exception as error:
        # Importing runs the user's own code, which may raise anything.
        raise UsageError(
            f"{reference!r}: module {module_name!r} does not import: {type(error).__name__}: {error}",
            hint=f"it must be installed, or lie in {base}",
        ) from error
    found = getattr(module, class_name, None)
    if not isinstance(found, type):
        file = getattr(module, "__file__", None) or "built in"
        own = "" if Path(file).is_relative_to(folder) else f": one in {base} needs a name that no other has"
        message = f"{reference!r}: module {module_name!r} has no class {class_name!r}"
        raise UsageError(message, hint=f"the module is {file}{own}")
    return found


def make_own(reference: str, base: Path, *given: Any, method: str, hint: str) -> Any:
    """An object of the class that ``module:Class`` names, made with what is ``given``.

    Raises ``UsageError`` when it cannot be made or has no ``method``; ``hint`` says what it must be.
    """
    try:
        made = load_class(reference, base)(*given)
    except SynthError:
        raise
    except Exception as error:
        # Making it runs the user's own code too.
        raise UsageError(f"{reference!r} cannot be made: {type(error).__name__}: {error}", hint=hint) from error
    if not callable(getattr(made, method, None)):
        raise UsageError(f"{reference!r} has no method {method!r}", hint=hint)
    return made
