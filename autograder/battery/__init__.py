"""The checks, by kind. Importing the package registers every kind, script and fixture in it."""

import importlib
import pkgutil

for _module in pkgutil.iter_modules(__path__):
    importlib.import_module(f"{__name__}.{_module.name}")
