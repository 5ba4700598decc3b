"""CIFAR-10: 60,000 colour photographs of 32×32 pixels in ten classes (Krizhevsky 2009).

The official archive holds Python pickles, and a pickle can run any program it likes when it is
read. Two things stand against that: the archive's checksum is compared before anything in it is
opened, and it is read by an unpickler that knows numbers, strings, lists, dictionaries and plain
byte arrays, and refuses everything else.
"""

import hashlib
import io
import os
import pickle
import tarfile
import urllib.request
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Int

from cs_nn.arrays import Array
from cs_nn.data.datasets import Split

URL = "https://www.cs.toronto.edu/~kriz/cifar-10-python.tar.gz"
ARCHIVE = "cifar-10-python.tar.gz"
SHA256 = "6d958be074577803d12ecdefd02955f39262c83c16fe9348329d7fe0b5c001ce"
INSIDE = "cifar-10-batches-py"


CLASSES = (
    "airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck"
)  # fmt: skip


def load_cifar10(
    folder: str | Path | None = None,
    download: bool = False,
    validation: int = 1000,
    dtype: type = np.float32,
    *,
    train: int | None = None,
    test: int | None = None,
    progress: bool = True,
    sha256: str = SHA256,
) -> Split:
    """Load CIFAR-10 in the official order; the last training images are for validation.

    The archive ``cifar-10-python.tar.gz`` is checked and unpacked once; its images are then kept
    beside it in a file that loads in a second.

    Args:
        folder: where the archive lies; by default the environment variable ``CS_NN_DATA``, else
            ``~/.cache/cs_nn``.
        download: fetch the archive (163 MB) if it is not there.
        validation: how many of the 50,000 training images are set aside for validation.
        dtype: of the images, np.float32 or np.float64 (which takes 1.5 GB for all of them).
        train: how many training images, from the first; None for all that are left.
        test: how many test images, from the first; None for all 10,000.
        progress: show progress bars (tqdm).
        sha256: checksum that the archive must have.

    Returns:
        Images (N, 3, 32, 32) with values from 0 to 1, and labels int64 (N,); ``CLASSES`` has the
        names.

    Raises:
        FileNotFoundError: if the archive is absent and ``download`` is False; the message is one
            line that says where to put it.
        ValueError: if the checksum differs, the archive is not CIFAR-10, or nothing is left for
            training.
        OSError: if the download fails.

    Source: Krizhevsky 2009, "Learning multiple layers of features from tiny images".
    """
    folder = _data_folder() if folder is None else Path(folder)
    cached = folder / f"cifar10-{sha256[:12]}.npz"
    if not cached.exists():
        archive = folder / ARCHIVE
        if not archive.exists():
            if not download:
                raise FileNotFoundError(
                    f"CIFAR-10 is not here: put {ARCHIVE} (from {URL}) into {folder}, or call "
                    "load_cifar10(download=True)."
                )
            _download(archive, progress, sha256)
        _check(archive, progress, sha256)
        _save(cached, _unpack(archive, progress))
    try:
        with cached.open("rb") as opened, np.load(opened, allow_pickle=False) as file:
            x, y, x_test, y_test = (file[name] for name in ("x", "y", "x_test", "y_test"))
    except (ValueError, KeyError, EOFError, zipfile.BadZipFile) as error:
        raise ValueError(f"{cached} is damaged: delete it, and it will be made anew.") from error

    left = len(x) - validation
    if not 0 < left <= len(x):
        raise ValueError(f"validation must lie between 0 and {len(x) - 1}, not {validation}.")
    end = left if train is None else min(train, left)
    return Split(
        _brightness(x[:end], dtype),
        y[:end],
        _brightness(x[left:], dtype),
        y[left:],
        _brightness(x_test[:test], dtype),
        y_test[:test],
    )


def _data_folder() -> Path:
    return Path(os.environ.get("CS_NN_DATA") or Path.home() / ".cache" / "cs_nn")


def _brightness(pixels: Array, dtype: type) -> Array:
    return pixels.astype(dtype) / dtype(255)


def _download(archive: Path, progress: bool, sha256: str) -> None:
    """Fetch the archive under another name and rename it when it is whole and right."""
    archive.parent.mkdir(parents=True, exist_ok=True)
    partial = archive.with_name(archive.name + ".part")
    try:
        with urllib.request.urlopen(URL, timeout=60) as answer, partial.open("wb") as file:
            size = int(answer.headers.get("Content-Length") or 0)
            with _bar("downloading", size, progress) as bar:
                while chunk := answer.read(1 << 20):
                    file.write(chunk)
                    bar.update(len(chunk))
        _check(partial, progress, sha256)
    except OSError as error:
        raise OSError(
            f"CIFAR-10 could not be downloaded ({error}): fetch {URL} by hand and put it into "
            f"{archive.parent}."
        ) from error
    partial.replace(archive)


def _check(archive: Path, progress: bool, sha256: str) -> None:
    digest = hashlib.sha256()
    size = archive.stat().st_size
    with archive.open("rb") as file, _bar("checking", size, progress) as bar:
        while chunk := file.read(1 << 20):
            digest.update(chunk)
            bar.update(len(chunk))
    if digest.hexdigest() != sha256:
        raise ValueError(
            f"{archive} is not the official archive (its SHA-256 is {digest.hexdigest()[:12]}…, "
            f"expected {sha256[:12]}…): delete it and fetch it again."
        )


def _unpack(archive: Path, progress: bool) -> dict[str, Array]:
    """Read the images and labels out of the archive, without writing its files."""
    names = [f"data_batch_{i}" for i in range(1, 6)] + ["test_batch"]
    batches = []
    with tarfile.open(archive) as tar, _bar("unpacking", len(names), progress, "batch") as bar:
        for name in names:
            batches.append(_images_and_labels(_member(tar, name), name))
            bar.update()
    x = np.concatenate([images for images, _ in batches[:-1]])
    y = np.concatenate([labels for _, labels in batches[:-1]])
    x_test, y_test = batches[-1]
    return {"x": x, "y": y, "x_test": x_test, "y_test": y_test}


def _member(tar: tarfile.TarFile, name: str) -> dict[bytes, Any]:
    try:
        file = tar.extractfile(f"{INSIDE}/{name}")
    except KeyError:
        file = None
    if file is None:
        raise ValueError(f"The archive lacks {INSIDE}/{name}: this is not CIFAR-10 for Python.")
    with file:
        batch = read_batch(file.read())
    if not isinstance(batch, dict):
        raise ValueError(f"{name} holds no dictionary: this is not CIFAR-10 for Python.")
    return batch


def _images_and_labels(batch: dict[bytes, Any], name: str) -> tuple[Array, Int[Array, "N"]]:
    images, labels = batch.get(b"data"), np.array(batch.get(b"labels"))
    if not isinstance(images, np.ndarray) or images.shape[1:] != (3 * 32 * 32,):
        raise ValueError(f"{name} does not hold images of 3×32×32 pixels.")
    if labels.shape != (len(images),) or not np.all(np.isin(labels, list(range(len(CLASSES))))):
        raise ValueError(f"{name} does not hold one label from 0 to 9 for each image.")
    return images.reshape(-1, 3, 32, 32), labels.astype(np.int64)


def _save(file: Path, arrays: dict[str, Array]) -> None:
    """Write under a name of our own first: a killed run, or two at once, leave no torn file."""
    partial = file.with_name(f"{file.stem}.{os.getpid()}.part")
    with partial.open("wb") as out:
        np.savez(out, **arrays)  # pyright: ignore[reportArgumentType]
    partial.replace(file)


def read_batch(pickled: bytes) -> Any:
    """Read one file of the archive: dictionaries with keys in bytes, lists, and byte arrays.

    Args:
        pickled: what Python 2 wrote, in protocol 2 or lower.

    Raises:
        ValueError: if the pickle is torn or holds anything else than numbers, strings, lists,
            tuples, dictionaries and arrays of uint8.
    """
    try:
        return _plain(_DataUnpickler(io.BytesIO(pickled), encoding="bytes").load())
    except (
        pickle.UnpicklingError,
        AttributeError,
        EOFError,
        LookupError,
        OverflowError,
        TypeError,
        ValueError,
    ) as error:
        raise ValueError(f"This file of the archive cannot be read safely: {error}") from error


class _DataUnpickler(pickle.Unpickler):
    """Knows the three names by which a pickle speaks of an array, and gives it stand-ins.

    With stand-ins no code of NumPy runs on what the file says; the array is made afterwards, from
    its bytes.
    """

    def find_class(self, module: str, name: str) -> Any:
        known = {
            ("numpy.core.multiarray", "_reconstruct"): _PickledArray,
            ("numpy._core.multiarray", "_reconstruct"): _PickledArray,
            ("numpy", "ndarray"): _PickledArray,
            ("numpy", "dtype"): _PickledDtype,
        }
        if (module, name) not in known:
            raise pickle.UnpicklingError(f"it asks for {module}.{name}, which no data set needs.")
        return known[module, name]


class _PickledDtype:
    def __init__(self, code: Any, *_: Any) -> None:
        self.code = code

    def __setstate__(self, state: Any) -> None:
        """Byte order and field layout say nothing about single bytes."""


class _PickledArray:
    def __init__(self, *_: Any) -> None:
        self.state: tuple[Any, ...] = ()

    def __setstate__(self, state: tuple[Any, ...]) -> None:
        self.state = state

    def array(self) -> Array:
        """Return the array whose shape, dtype, order and bytes the pickle has told."""
        _, shape, dtype, fortran_order, data = self.state
        if not isinstance(dtype, _PickledDtype) or dtype.code not in (b"u1", "u1"):
            raise TypeError("it holds an array of something else than bytes.")
        if not isinstance(data, bytes) or np.prod(shape, dtype=object) != len(data):
            raise TypeError("it holds an array whose shape does not fit its bytes.")
        pixels = np.frombuffer(data, dtype=np.uint8)
        return pixels.reshape(shape, order="F" if fortran_order else "C")


def _plain(value: Any) -> Any:
    if isinstance(value, _PickledArray):
        return value.array()
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    return value


def _bar(what: str, total: int, progress: bool, unit: str = "B") -> Any:
    # Imported here so that importing cs_nn loads nothing but NumPy and jaxtyping.
    from tqdm import tqdm

    return tqdm(
        total=total or None, desc=what, unit=unit, unit_scale=unit == "B", disable=not progress
    )
