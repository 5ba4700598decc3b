"""CIFAR-10, where the user has the archive or asks for it.

60,000 colour images of 32×32 pixels in ten classes (A. Krizhevsky, "Learning Multiple Layers of
Features from Tiny Images", 2009). The course works without it, on the digits of ``datasets``.
"""

import hashlib
import pickletools
import tarfile
import urllib.request
from pathlib import Path

import numpy as np

from cs_nn.data.datasets import Split

ARCHIVE = "cifar-10-python.tar.gz"
ADDRESS = f"https://www.cs.toronto.edu/~kriz/{ARCHIVE}"
MD5 = "c58f30108f718f92721af3b95e74349a"  # as published on the data set's page
CLASSES = ["airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck"]
PIXELS = 3 * 32 * 32


def load_cifar10(
    folder: str | Path | None = None,
    download: bool = False,
    validation: int = 1000,
    dtype: type = np.float32,
) -> Split:
    """CIFAR-10 in the official order; the last training images are for validation.

    Args:
        folder: where the archive lies or is kept; ``~/.cache/cs_nn`` by default.
        download: fetch it (170 MB) if it is not there.
        validation: number of images set aside for validation.
        dtype: of the images. float32 by default: in float64 they take 1.5 GB.

    Returns:
        Images (N, 3, 32, 32) with values from 0 to 1, labels int64 (N,), 49,000, 1,000 and 10,000
        of them; ``CLASSES`` gives the names.

    Raises:
        FileNotFoundError: if the archive is not there and ``download`` is false.
        ValueError: if the file is not the official archive, or nothing is left for training.
    """
    folder = Path.home() / ".cache" / "cs_nn" if folder is None else Path(folder)
    archive = folder / ARCHIVE
    if not archive.exists():
        if not download:
            raise FileNotFoundError(
                f"CIFAR-10 is not here: put {ARCHIVE} into {folder}, "
                "or call load_cifar10(download=True) to fetch its 170 MB"
            )
        _download(archive)
    _verify(archive)

    batches: dict[str, tuple[np.ndarray, np.ndarray]] = {}
    with tarfile.open(archive) as tar:
        for member in tar:
            name = Path(member.name).name
            if "_batch" in name and (file := tar.extractfile(member)):
                batches[name] = _read_batch(file.read())
    x_test, y_test = batches.pop("test_batch")
    x = np.concatenate([batches[name][0] for name in sorted(batches)])
    y = np.concatenate([batches[name][1] for name in sorted(batches)])
    train = len(x) - validation
    if not 0 < train <= len(x):
        raise ValueError(f"validation must lie between 0 and {len(x) - 1}, not {validation}")
    scale = np.asarray(255, dtype)
    return Split(x[:train] / scale, y[:train], x[train:] / scale, y[train:], x_test / scale, y_test)


def _download(archive: Path) -> None:
    """Fetches the archive with a progress bar; it gets its name only when it is whole."""
    from tqdm.auto import tqdm

    archive.parent.mkdir(parents=True, exist_ok=True)
    partial = archive.with_suffix(".part")
    with urllib.request.urlopen(ADDRESS, timeout=30) as source, partial.open("wb") as target:
        size = int(source.headers.get("Content-Length", 0)) or None
        with tqdm(total=size, unit="B", unit_scale=True, desc="CIFAR-10") as progress:
            while chunk := source.read(1 << 16):
                target.write(chunk)
                progress.update(len(chunk))
    _verify(partial)
    partial.rename(archive)


def _verify(archive: Path) -> None:
    with archive.open("rb") as file:
        found = hashlib.file_digest(file, "md5").hexdigest()
    if found != MD5:
        raise ValueError(
            f"{archive} is not the official CIFAR-10 archive (MD5 {found}, expected {MD5}): "
            "delete it and fetch it again"
        )


def _read_batch(raw: bytes) -> tuple[np.ndarray, np.ndarray]:
    """Images (n, 3, 32, 32) uint8 and labels (n,) of one batch file, a pickled dictionary.

    The two entries are read off its opcodes. Unpickling would run whatever the file says.
    """
    key, labels, pixels = "", [], b""
    for opcode, argument, _ in pickletools.genops(raw):
        if opcode.name in ("SHORT_BINSTRING", "BINSTRING") and isinstance(argument, str):
            if argument in ("batch_label", "labels", "data", "filenames"):
                key = argument
            elif key == "data" and len(argument) >= PIXELS:
                pixels = argument.encode("latin-1")
        elif opcode.name == "BININT1" and key == "labels":
            labels.append(argument)
    if not labels or len(pixels) != PIXELS * len(labels):
        raise ValueError("a CIFAR-10 batch does not hold one label for each image")
    images = np.frombuffer(pixels, np.uint8).reshape(-1, 3, 32, 32)
    return images, np.array(labels, dtype=np.int64)
