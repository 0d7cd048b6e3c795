import pytest

from sibu.core.errors import DataError, MissingExtra
from sibu.readers import READERS, reader_for

datasets = pytest.importorskip("datasets")


@pytest.fixture(autouse=True)
def quiet():
    datasets.disable_progress_bars()
    yield
    datasets.enable_progress_bars()


@pytest.fixture
def data():
    features = datasets.Features(
        {
            "text": datasets.Value("string"),
            "label": datasets.ClassLabel(names=["no", "yes"]),
            "tags": datasets.List(datasets.ClassLabel(names=["O", "B-天气"])),
            "parts": datasets.List({"kind": datasets.ClassLabel(names=["x", "y"]), "n": datasets.Value("int64")}),
            "image": datasets.Image(),
            "sound": datasets.Audio(),
        }
    )
    from pyarrow import table

    undecoded = {"bytes": b"neither PNG", "path": None}
    columns = {
        "text": ["天气\u2028😀", "b", None],
        "label": [1, -1, None],
        "tags": [[0, 1], [], None],
        "parts": [[{"kind": 1, "n": 5}], [], None],
        "image": [undecoded, None, None],
        "sound": [None, undecoded, None],
    }
    return datasets.Dataset(table(columns, schema=features.arrow_schema))


ROWS = [
    {
        "text": "天气\u2028😀",
        "label": "yes",
        "tags": ["O", "B-天气"],
        "parts": [{"kind": "y", "n": 5}],
        "image": {"bytes": b"neither PNG", "path": None},
        "sound": None,
    },
    {
        "text": "b",
        "label": None,
        "tags": [],
        "parts": [],
        "image": None,
        "sound": {"bytes": b"neither PNG", "path": None},
    },
    {"text": None, "label": None, "tags": None, "parts": None, "image": None, "sound": None},
]


def test_round_trip(data, reading, tmp_path):
    data.save_to_disk(tmp_path / "d")
    assert reader_for(str(tmp_path / "d")) == "datasets"
    assert reading("datasets", tmp_path / "d").records == list(enumerate(ROWS, 1))


def test_rows_keep_a_chosen_order(data, reading, tmp_path):
    data.select([2, 0]).save_to_disk(tmp_path / "d")
    assert reading("datasets", tmp_path / "d").records == [(1, ROWS[2]), (2, ROWS[0])]


def test_number_beyond_the_classes_stays(reading, tmp_path):
    from pyarrow import table

    features = datasets.Features({"label": datasets.ClassLabel(names=["a"])})
    datasets.Dataset(table({"label": [0, 7]}, schema=features.arrow_schema)).save_to_disk(tmp_path / "d")
    assert reading("datasets", tmp_path / "d").rows == [{"label": "a"}, {"label": 7}]


def test_splits(data, reading, tmp_path):
    datasets.DatasetDict({"train": data, "test": data.select([1])}).save_to_disk(tmp_path / "d")
    folder = tmp_path / "d"
    assert reader_for(str(folder)) == reader_for(str(folder / "test")) == "datasets"
    assert reading("datasets", folder / "test").rows == [ROWS[1]]
    assert reading("datasets", folder, split="test").rows == [ROWS[1]]
    with pytest.raises(
        DataError, match=r"splits train, test, given none\. Name the folder of one, such as .*/d/train, or"
    ):
        reading("datasets", folder)
    with pytest.raises(DataError, match=r"splits train, test, given 'tset'\. Did you mean 'test'\?"):
        reading("datasets", folder, split="tset")
    with pytest.raises(DataError, match="is a single split, given split 'train'"):
        reading("datasets", folder / "train", split="train")


def test_only_split_needs_no_name(data, reading, tmp_path):
    datasets.DatasetDict({"train": data}).save_to_disk(tmp_path / "d")
    assert len(reading("datasets", tmp_path / "d").rows) == 3


def test_empty_split(data, reading, monkeypatch):
    import sibu.readers.datasets.read as module

    monkeypatch.setattr(module, "load_dataset", lambda *_, **__: data.select([]))
    assert reading("datasets", "datasets:a/b:train").found == [("no records", None)]


def test_damaged_folder(reading, tmp_path):
    (tmp_path / "state.json").write_text("{}")
    (tmp_path / "dataset_info.json").write_text("{}")
    with pytest.raises(DataError, match=r"cannot be read as a folder of `datasets`: .*Save it again"):
        reading("datasets", tmp_path)


@pytest.mark.parametrize(
    ("path", "options", "asked"),
    [
        ("datasets:squad", {}, ("squad", None, None)),
        ("datasets:squad:train", {}, ("squad", None, "train")),
        ("datasets:nyu-mll/glue/mrpc:train[:10%]", {}, ("nyu-mll/glue", "mrpc", "train[:10%]")),
        ("datasets:nyu-mll/glue", {"config": "rte", "split": "test"}, ("nyu-mll/glue", "rte", "test")),
        ("datasets:nyu-mll/glue/mrpc:dev", {"config": "rte", "split": "test"}, ("nyu-mll/glue", "mrpc", "dev")),
    ],
)
def test_hub_names(path, options, asked, data, reading, monkeypatch):
    import sibu.readers.datasets.read as module

    calls = []

    def load(name, config, *, split):
        calls.append((name, config, split))
        return data if split else datasets.DatasetDict({"train": data})

    monkeypatch.setattr(module, "load_dataset", load)
    assert reading("datasets", path, **options).rows == ROWS
    assert calls == [asked]


def test_hub_name_without_its_split(data, reading, monkeypatch):
    import sibu.readers.datasets.read as module

    both = datasets.DatasetDict({"train": data, "test": data})
    monkeypatch.setattr(module, "load_dataset", lambda *_, **__: both)
    with pytest.raises(
        DataError, match=r"splits train, test, given none\. Name one, such as datasets:a/b:train, or set"
    ):
        reading("datasets", "datasets:a/b")


@pytest.mark.parametrize("path", ["datasets:", "datasets:a/b/c/d:train", "datasets:/a"])
def test_wrong_hub_name(path, reading):
    with pytest.raises(DataError, match=r"no name of a data set on the Hub\. Allowed: datasets:owner/name:split"):
        reading("datasets", path)


def test_hub_that_cannot_be_reached(reading, monkeypatch, tmp_path):
    monkeypatch.setattr(datasets.config, "HF_HUB_OFFLINE", True)
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    monkeypatch.setattr(datasets.config, "HF_DATASETS_CACHE", tmp_path)
    with pytest.raises(DataError, match=r"cannot be had from the Hub or its cache: .*save_to_disk\('folder'\)"):
        reading("datasets", "datasets:sibu-tests/no-such-set:train")


def test_without_the_library(monkeypatch):
    monkeypatch.setattr("sibu.catalog.find_spec", lambda _: None)
    with pytest.raises(MissingExtra, match=r"pip install 'sibu\[datasets\]'"):
        READERS.of(READERS["datasets"].spec())
