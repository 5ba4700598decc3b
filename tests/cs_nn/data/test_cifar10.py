"""CIFAR-10 from an archive in the official format, made small here."""

import hashlib
import io
import struct
import tarfile

import numpy as np
import pytest

from cs_nn.data import cifar10


def short(text):
    return b"U" + bytes([len(text)]) + text.encode()


def batch(images, labels):
    """A batch file as Python 2 pickled it: strings as bytes, labels as one-byte integers."""
    raw = images.tobytes()
    return b"".join(
        [
            b"\x80\x02}(",
            short("batch_label") + short("training batch 1 of 5"),
            short("labels") + b"](" + b"".join(b"K" + bytes([label]) for label in labels) + b"e",
            short("data") + b"T" + struct.pack("<I", len(raw)) + raw,
            short("filenames") + b"](" + b"".join(short(f"cat_{k}.png") for k in labels) + b"e",
            b"u.",
        ]
    )


@pytest.fixture
def folder(tmp_path, monkeypatch):
    rng = np.random.default_rng(0)
    names = [*(f"data_batch_{k}" for k in range(1, 6)), "test_batch"]
    with tarfile.open(tmp_path / cifar10.ARCHIVE, "w:gz") as tar:
        for number, name in enumerate(names):
            images = rng.integers(256, size=(2, 3, 32, 32), dtype=np.uint8)
            images[0, 0, 0, 0] = 51 * number
            raw = batch(images, [number, 9])
            info = tarfile.TarInfo(f"cifar-10-batches-py/{name}")
            info.size = len(raw)
            tar.addfile(info, io.BytesIO(raw))
    digest = hashlib.md5((tmp_path / cifar10.ARCHIVE).read_bytes()).hexdigest()
    monkeypatch.setattr(cifar10, "MD5", digest)
    return tmp_path


def test_images_and_labels_in_the_official_order(folder):
    split = cifar10.load_cifar10(folder, validation=3)
    assert [part.shape for part in split[::2]] == [(n, 3, 32, 32) for n in (7, 3, 2)]
    assert split.x_train.dtype == np.float32
    np.testing.assert_array_equal(split.y_train, [0, 9, 1, 9, 2, 9, 3])
    np.testing.assert_array_equal(split.y_val, [9, 4, 9])
    np.testing.assert_array_equal(split.y_test, [5, 9])
    np.testing.assert_allclose(split.x_train[::2, 0, 0, 0], [0, 0.2, 0.4, 0.6], rtol=1e-6)
    assert split.x_test[0, 0, 0, 0] == 1
    with pytest.raises(ValueError, match="between 0 and 9"):
        cifar10.load_cifar10(folder, validation=10)


def test_a_missing_archive_says_where_to_put_it(tmp_path):
    with pytest.raises(FileNotFoundError, match=rf"put {cifar10.ARCHIVE} into {tmp_path}, or call"):
        cifar10.load_cifar10(tmp_path)


def test_another_file_under_that_name_is_refused(tmp_path):
    (tmp_path / cifar10.ARCHIVE).write_bytes(b"not the archive")
    with pytest.raises(ValueError, match="not the official CIFAR-10 archive"):
        cifar10.load_cifar10(tmp_path)


def test_a_download_is_verified_before_it_gets_its_name(folder, tmp_path, monkeypatch):
    source = folder / cifar10.ARCHIVE
    monkeypatch.setattr(cifar10, "ADDRESS", source.as_uri())
    target = tmp_path / "fresh"
    assert len(cifar10.load_cifar10(target, download=True, validation=3).y_train) == 7
    monkeypatch.setattr(cifar10, "MD5", "0" * 32)
    with pytest.raises(ValueError, match="delete it and fetch it again"):
        cifar10.load_cifar10(tmp_path / "bad", download=True)
    assert not (tmp_path / "bad" / cifar10.ARCHIVE).exists()
