"""CIFAR-10 loads from an archive in the official form, and no archive can run a program."""

import hashlib
import io
import pickle
import struct
import tarfile
from typing import ClassVar

import numpy as np
import pytest

from cs_nn.data import cifar10
from cs_nn.data.cifar10 import ARCHIVE, load_cifar10, read_batch


class Python2Pickler(pickle._Pickler):
    """Writes what Python 2 and its NumPy wrote: byte strings, and the module's old name."""

    dispatch: ClassVar[dict] = dict(pickle._Pickler.dispatch)

    def save_bytes(self, data):
        self.write(pickle.BINSTRING + struct.pack("<i", len(data)) + data)
        self.memoize(data)

    dispatch[bytes] = save_bytes

    def save_str(self, text):
        self.save_bytes(text.encode("latin1"))

    dispatch[str] = save_str

    def save_global(self, obj, name=None):
        names = {np.ndarray: b"numpy\nndarray", np.dtype: b"numpy\ndtype"}
        self.write(b"c" + names.get(obj, b"numpy.core.multiarray\n_reconstruct") + b"\n")
        self.memoize(obj)

    dispatch[type(lambda: None)] = save_global
    dispatch[type] = save_global


def as_python2(value):
    file = io.BytesIO()
    Python2Pickler(file, protocol=2).dump(value)
    return file.getvalue()


def batch_of(rng, n, order="C"):
    data = rng.integers(0, 256, size=(n, 3072), dtype=np.uint8)
    labels = rng.integers(0, 10, size=n).tolist()
    return {
        b"batch_label": b"training batch 1 of 5",
        b"labels": labels,
        b"data": np.asarray(data, order=order),
        b"filenames": [b"leptodactylus_pentadactylus_s_%06d.png" % i for i in range(n)],
    }


def write_archive(folder, batches):
    """A small archive in the official form; returns its checksum."""
    files = {name: as_python2(batch) for name, batch in batches.items()}
    files["readme.html"] = b"<html></html>"
    folder.mkdir(parents=True, exist_ok=True)
    with tarfile.open(folder / ARCHIVE, "w:gz") as tar:
        for name, content in files.items():
            info = tarfile.TarInfo(f"cifar-10-batches-py/{name}")
            info.size = len(content)
            tar.addfile(info, io.BytesIO(content))
    return hashlib.sha256((folder / ARCHIVE).read_bytes()).hexdigest()


def load(folder, validation=2, progress=False, **options):
    return load_cifar10(folder, validation=validation, progress=progress, **options)


@pytest.fixture
def batches():
    rng = np.random.default_rng(0)
    batches = {f"data_batch_{i}": batch_of(rng, 4) for i in range(1, 6)}
    batches["data_batch_3"] = batch_of(rng, 4, order="F")
    batches["test_batch"] = batch_of(rng, 3)
    batches["batches.meta"] = {
        b"num_cases_per_batch": 10000,
        b"label_names": [name.encode() for name in cifar10.CLASSES],
        b"num_vis": 3072,
    }
    return batches


def test_the_test_writes_what_python_2_wrote(batches):
    written = as_python2(batches["data_batch_1"])
    assert b"cnumpy.core.multiarray\n_reconstruct\n" in written
    assert b"_codecs" not in written
    assert pickle.BINUNICODE not in written[:200]


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_images_and_labels_come_out_as_they_went_in(batches, tmp_path, dtype):
    sha256 = write_archive(tmp_path, batches)
    data = load(tmp_path, sha256=sha256, dtype=dtype, validation=6)
    names = [f"data_batch_{i}" for i in range(1, 6)]
    pixels = np.concatenate([batches[name][b"data"] for name in names])
    labels = np.concatenate([batches[name][b"labels"] for name in names])
    assert [part.shape for part in data[::2]] == [(n, 3, 32, 32) for n in (14, 6, 3)]
    assert {part.dtype for part in data[::2]} == {np.dtype(dtype)}
    np.testing.assert_allclose(data.x_train.reshape(14, -1) * 255, pixels[:14], rtol=1e-6)
    np.testing.assert_allclose(data.x_val.reshape(6, -1) * 255, pixels[14:], rtol=1e-6)
    np.testing.assert_array_equal(data.y_train, labels[:14])
    np.testing.assert_array_equal(data.y_val, labels[14:])
    np.testing.assert_array_equal(data.y_test, batches["test_batch"][b"labels"])
    assert data.y_train.dtype == np.int64


def test_the_second_load_does_not_need_the_archive(batches, tmp_path):
    sha256 = write_archive(tmp_path, batches)
    first = load(tmp_path, sha256=sha256)
    (tmp_path / ARCHIVE).unlink()
    second = load(tmp_path, sha256=sha256, train=7, test=2)
    np.testing.assert_array_equal(second.x_train, first.x_train[:7])
    np.testing.assert_array_equal(second.x_val, first.x_val)
    np.testing.assert_array_equal(second.y_test, first.y_test[:2])
    assert [path.suffix for path in tmp_path.iterdir()] == [".npz"]
    with pytest.raises(ValueError, match="between 0 and 19"):
        load(tmp_path, sha256=sha256, validation=20)


def test_progress_is_shown_when_asked_for(batches, tmp_path, capsys):
    sha256 = write_archive(tmp_path, batches)
    load(tmp_path, sha256=sha256, progress=True)
    shown = capsys.readouterr().err
    assert "checking" in shown
    assert "unpacking" in shown


def test_an_absent_archive_gives_one_line_that_says_where_to_put_it(tmp_path, monkeypatch):
    monkeypatch.setenv("CS_NN_DATA", str(tmp_path / "here"))
    with pytest.raises(FileNotFoundError) as caught:
        load_cifar10()
    message = str(caught.value)
    assert str(tmp_path / "here") in message
    assert ARCHIVE in message
    assert "\n" not in message


def test_a_wrong_checksum_is_refused_before_anything_is_read(batches, tmp_path, monkeypatch):
    write_archive(tmp_path, batches)
    monkeypatch.setattr(cifar10, "_unpack", None)
    with pytest.raises(ValueError, match="not the official archive"):
        load(tmp_path)


def test_a_download_is_checked_and_kept(batches, tmp_path, monkeypatch):
    sha256 = write_archive(tmp_path / "server", batches)
    monkeypatch.setattr(cifar10, "URL", (tmp_path / "server" / ARCHIVE).as_uri())
    with pytest.raises(ValueError, match="not the official archive"):
        load(tmp_path / "home", download=True)
    assert not (tmp_path / "home" / ARCHIVE).exists()
    data = load(tmp_path / "home", download=True, sha256=sha256)
    assert len(data.x_train) == 18
    assert (tmp_path / "home" / ARCHIVE).exists()


def test_a_failed_download_says_what_to_do(tmp_path, monkeypatch):
    monkeypatch.setattr(cifar10, "URL", (tmp_path / "nowhere").as_uri())
    with pytest.raises(OSError, match="by hand"):
        load(tmp_path, download=True)


def test_a_damaged_cache_says_to_delete_it(batches, tmp_path):
    sha256 = write_archive(tmp_path, batches)
    load(tmp_path, sha256=sha256)
    (cache,) = tmp_path.glob("*.npz")
    cache.write_bytes(cache.read_bytes()[:1000])
    with pytest.raises(ValueError, match="delete it"):
        load(tmp_path, sha256=sha256)


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda batches: batches.pop("data_batch_4"), "lacks .*data_batch_4"),
        (lambda batches: batches["test_batch"][b"labels"].pop(), "one label"),
        (lambda batches: batches["test_batch"][b"labels"].__setitem__(0, 10), "from 0 to 9"),
        (lambda batches: batches["test_batch"].pop(b"data"), "3×32×32"),
        (lambda batches: batches.update(test_batch=[1, 2]), "no dictionary"),
    ],
)
def test_an_archive_of_something_else_is_refused(batches, tmp_path, spoil, message):
    spoil(batches)
    sha256 = write_archive(tmp_path, batches)
    with pytest.raises(ValueError, match=message):
        load(tmp_path, sha256=sha256)


@pytest.mark.parametrize(
    "attack",
    [
        b"cos\nsystem\n(S'exit 1'\ntR.",
        b"cbuiltins\neval\n(S'1/0'\ntR.",
        b"cnumpy\nload\n(S'x'\ntR.",
        b"cnumpy.core.multiarray\nscalar\n.",
        b"c_codecs\nencode\n.",
        b"cnumpy\nndarray\n}S'array'\nNsb.",
        b"not a pickle",
        b"",
    ],
)
def test_a_pickle_that_asks_for_anything_else_is_refused(attack):
    with pytest.raises(ValueError, match="cannot be read safely"):
        read_batch(attack)


@pytest.mark.parametrize("array", [np.array(["os"], dtype=object), np.zeros(3), np.zeros(2, "V4")])
def test_arrays_of_anything_but_bytes_are_refused(array):
    if array.dtype == object:
        hostile = as_python2({b"data": np.zeros(1, np.uint8)}).replace(b"u1", b"O8")
    else:
        hostile = as_python2({b"data": array})
    with pytest.raises(ValueError, match="something else than bytes"):
        read_batch(hostile)


def test_a_shape_that_does_not_fit_its_bytes_is_refused():
    honest = as_python2({b"data": np.zeros((2, 3), np.uint8)})
    assert b"K\x02K\x03" in honest
    with pytest.raises(ValueError, match="does not fit its bytes"):
        read_batch(honest.replace(b"K\x02K\x03", b"K\x7fK\x7f"))


def test_a_torn_batch_is_refused():
    whole = as_python2({b"data": np.zeros((2, 3), np.uint8)})
    for end in range(len(whole)):
        with pytest.raises(ValueError, match="cannot be read safely"):
            read_batch(whole[:end])
