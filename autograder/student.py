"""Who is asked: the notebook's own process, or the jail; the same calls.

The grader holds a `Student` and calls functions *by name*. `LocalStudent` asks a namespace in
this process: the student's own notebook in ``check()``, the reference or a misconception in
``csnn validate``, and, inside the jail, the notebook that was executed there. The jail's side
of the same interface is ``autograder.sandbox.jail.JailStudent``.
"""

from __future__ import annotations

import contextlib
import importlib
import io
import linecache
import time
import traceback
import warnings
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np

from autograder.values import (
    Function,
    Handle,
    Named,
    Object,
    Provided,
    Raised,
    Seed,
    Value,
    arrays_in,
    clean,
)

STUB_ERROR = "NotImplementedError"
"""What an untouched stub raises."""


@dataclass(frozen=True)
class Reply:
    """What came back from one call.

    value:    the result as a value; parts named in ``keep`` are `Handle`s; or a `Raised`.
    changed:  paths of the arguments that the call changed in place, e.g. ``"x"``,
              ``"bn_param.running_mean"``; parts under a name in ``after`` are not listed.
    after:    the arguments named in ``after`` as they are once the call is over.
    seconds:  CPU time of the call as far as the grader's side can tell.
    """

    value: Value
    changed: tuple[str, ...] = ()
    after: Mapping[str, Value] = field(default_factory=dict)
    seconds: float = 0.0

    @property
    def raised(self) -> Raised | None:
        return self.value if isinstance(self.value, Raised) else None


class Student(Protocol):
    """The calls that grader and battery may make."""

    def defines(self, name: str) -> bool:
        """Whether the notebook binds ``name`` to something that can be called."""
        ...

    def call(
        self,
        target: str | Handle,
        *args: Value,
        method: str = "",
        keep: Sequence[int] | bool = (),
        after: Sequence[str] = (),
        names: Sequence[str] = (),
        **kwargs: Value,
    ) -> Reply:
        """Call a function by name, or a ``method`` of a kept object (or the object itself).

        keep:  ``True`` keeps the whole result as a `Handle`; a sequence of indices keeps these
               parts of a returned tuple or list (another result comes back as it is).
        names: the names of the positional arguments, for ``changed`` and ``after``
               (their positions as strings when not given).
        """
        ...

    def hold(self, value: Value) -> Handle:
        """Build a recipe (`Seed`, `Object`, `Provided`, arrays …) once and keep it, so that
        several calls share it: one generator that moves on, one network that learns."""
        ...

    def read(self, handle: Handle, path: str = "") -> Value:
        """The kept thing (or its attribute, item or key ``path``) as a value, or `Raised`."""
        ...

    def write(self, handle: Handle, attribute: str, value: Value) -> Raised | None:
        """Set an attribute of a kept object."""
        ...

    def reset(self, seed: int) -> None:
        """Before each exercise: error state, warnings, print options, the global seed."""
        ...


class _Shape:
    """The object that an `Object` recipe becomes on the student's side."""

    def __init__(self, recipe: Object, build: Any) -> None:
        for key, value in recipe.attributes.items():
            setattr(self, key, build(value))
        for key, method in recipe.methods.items():
            setattr(self, key, self._bound(method, list(recipe.attributes)))

    def _bound(self, method: Any, attributes: list[str]) -> Any:
        def call(*args: Any, **kwargs: Any) -> Any:
            now = {key: clean(getattr(self, key, None)) for key in attributes}
            return method(now, *clean(args), **clean(kwargs))

        return call


_Shape.__name__ = "object"  # what is said of it where a student returns it


class LocalStudent:
    """A `Student` over a namespace of this process."""

    def __init__(self, namespace: Mapping[str, Any], *, source_files: Sequence[str] = ()) -> None:
        self.namespace = namespace
        self._kept: dict[int, Any] = {}

    def defines(self, name: str) -> bool:
        return callable(self.namespace.get(name))

    def call(
        self,
        target: str | Handle,
        *args: Value,
        method: str = "",
        keep: Sequence[int] | bool = (),
        after: Sequence[str] = (),
        names: Sequence[str] = (),
        **kwargs: Value,
    ) -> Reply:
        try:
            function = self._target(target, method)
        except Exception as error:
            return Reply(raised(error))
        built = [self._build(arg) for arg in args]
        built_kwargs = {key: self._build(arg) for key, arg in kwargs.items()}
        labels = [*names, *(str(i) for i in range(len(names), len(args)))]
        given = dict(zip(labels, built, strict=False)) | built_kwargs
        watched = {key: thing for key, thing in given.items() if key not in after}
        before = {path: (array, array.copy()) for path, array in _watch(watched)}
        lists = [(key, thing, list(thing)) for key, thing in watched.items() if type(thing) is list]
        start = time.process_time()
        value = self._run(function, built, built_kwargs)
        seconds = time.process_time() - start
        changed = tuple(path for path, (array, copy) in before.items() if not _same(array, copy))
        changed += tuple(key for key, now, was in lists if [*map(id, now)] != [*map(id, was)])
        state = {key: clean(_plain(given[key])) for key in after if key in given}
        return Reply(self._keep(value, keep), changed, state, seconds)

    def _target(self, target: str | Handle, method: str) -> Any:
        if isinstance(target, Handle):
            thing = self._kept[target.id]
            return getattr(thing, method) if method else thing
        if target not in self.namespace:
            raise NameError(f"name '{target}' is not defined")
        thing = self.namespace[target]
        return getattr(thing, method) if method else thing

    def _run(self, function: Any, args: list[Any], kwargs: dict[str, Any]) -> Any:
        with (
            warnings.catch_warnings(),
            np.errstate(all="ignore"),
            contextlib.redirect_stdout(io.StringIO()),
        ):
            warnings.simplefilter("ignore")
            try:
                return function(*args, **kwargs)
            except (Exception, SystemExit, GeneratorExit) as error:
                return raised(error)

    def _build(self, value: Value) -> Any:
        """What the student's function really gets for an argument."""
        if isinstance(value, Handle):
            return self._kept[value.id]
        if isinstance(value, Seed):
            return np.random.default_rng(value.seed)
        if isinstance(value, Named):
            return self.namespace[value.name]
        if isinstance(value, Function):
            return _given_function(value)
        if isinstance(value, Object):
            return _Shape(value, self._build)
        if isinstance(value, Provided):
            return self._provided(value)
        if isinstance(value, np.ndarray):
            return _copy_in_layout(value)
        if isinstance(value, (tuple, list)):
            return type(value)(self._build(item) for item in value)
        if isinstance(value, Mapping):
            return {key: self._build(item) for key, item in value.items()}
        return value

    def _provided(self, recipe: Provided) -> Any:
        module, _, name = recipe.path.rpartition(".")
        if not module.startswith("cs_nn"):
            raise ValueError(f"only cs_nn is provided, not {recipe.path}")
        thing = getattr(importlib.import_module(module), name)
        if not recipe.construct:
            return thing
        made = thing(
            *(self._build(arg) for arg in recipe.args),
            **{key: self._build(arg) for key, arg in recipe.kwargs.items()},
        )
        for key, attribute in recipe.attributes.items():
            setattr(made, key, self._build(attribute))
        return made

    def _keep(self, value: Any, keep: Sequence[int] | bool) -> Value:
        if isinstance(value, Raised):
            return value
        if keep is True:
            return self._hold(value)
        if keep and isinstance(value, (tuple, list)):
            return tuple(
                self._hold(item) if i in keep else clean(item)  # type: ignore[operator]
                for i, item in enumerate(value)
            )
        if isinstance(value, Iterator):  # a generator, or what zip, map and iter make
            return self._run(lambda: clean(list(value)), [], {})
        return clean(value)

    def hold(self, value: Value) -> Handle:
        return self._hold(self._build(value))

    def _hold(self, thing: Any) -> Handle:
        handle = Handle(len(self._kept))
        self._kept[handle.id] = thing
        return handle

    def read(self, handle: Handle, path: str = "") -> Value:
        thing = self._kept[handle.id]
        try:
            for part in path.split(".") if path else ():
                if isinstance(thing, Mapping):
                    thing = thing[part]
                elif isinstance(thing, (list, tuple)):
                    thing = thing[int(part)]
                else:
                    thing = getattr(thing, part)
            return clean(thing)
        except Exception as error:
            return raised(error)

    def write(self, handle: Handle, attribute: str, value: Value) -> Raised | None:
        try:
            setattr(self._kept[handle.id], attribute, self._build(value))
        except Exception as error:
            return raised(error)
        return None

    def reset(self, seed: int) -> None:
        self._kept.clear()
        np.seterr(divide="warn", over="warn", under="ignore", invalid="warn")
        np.random.seed(seed % 2**32)  # noqa: NPY002 - students may use the global state


def _given_function(recipe: Function) -> Any:
    """What the student's code calls where the grader hands it a function."""

    def call(*args: Any, **kwargs: Any) -> Any:
        if not recipe.into:
            return recipe.call(*clean(args), **clean(kwargs))
        arrays = getattr(args[0], recipe.into)
        answer = recipe.call(clean(arrays), *clean(args[1:]), **clean(kwargs))
        for key, value in answer.items():
            arrays[key][...] = value
        return None

    return call


def raised(error: BaseException) -> Raised:
    """An exception as a value, with the student's line nearest to where it happened."""
    line, lineno = "", 0
    for frame, number in traceback.walk_tb(error.__traceback__):
        name = frame.f_code.co_filename
        if "autograder" not in name and "site-packages" not in name and "/lib/python" not in name:
            line, lineno = linecache.getline(name, number).strip(), number
    try:
        message = str(error)
    except Exception:
        message = ""
    return Raised(_kind(error), message[:2000], line[:200], lineno)


def _kind(error: BaseException) -> str:
    """The class of an exception; for a library's own class the built-in that it refines."""
    own, *ancestors = type(error).__mro__
    known = [c for c in (own, *ancestors) if c.__module__ == "builtins"]
    return own.__name__ if known[0] in (Exception, BaseException) else known[0].__name__


def _copy_in_layout(array: np.ndarray) -> np.ndarray:
    """A private copy that keeps strides (a transposed input stays non-contiguous)."""
    if array.flags.c_contiguous or array.flags.f_contiguous:
        return array.copy(order="K")
    order = "F" if array.ndim > 1 and array.strides[0] < array.strides[-1] else "C"
    spread = np.empty(tuple(2 * n for n in array.shape), array.dtype, order=order)
    view = spread[tuple(slice(None, None, 2) for _ in array.shape)]
    view[...] = array
    return view


def _plain(thing: Any) -> Any:
    return {k: v for k, v in vars(thing).items() if not callable(v)} if _has_state(thing) else thing


def _has_state(thing: Any) -> bool:
    return hasattr(thing, "__dict__") and not isinstance(thing, (np.ndarray, type))


def _watch(given: Mapping[str, Any]) -> list[tuple[str, np.ndarray]]:
    return list(arrays_in(dict(given)))


def _same(a: np.ndarray, b: np.ndarray) -> bool:
    if a.shape != b.shape or a.dtype != b.dtype:
        return False
    return np.ascontiguousarray(a).tobytes() == np.ascontiguousarray(b).tobytes()
