import pytest
import yaml

from cifar10 import params
from cifar10.data import unused_folder
from cifar10.errors import UserError
from tests.scratch import ROOT

DATA = yaml.safe_load((ROOT / "params.yaml").read_text())["data"]


def make(source, folder):
    unused_folder.make(params.Data.model_validate(DATA | {"source": source, "folder": str(folder)}))


@pytest.mark.parametrize("source", ["digits", "cifar10"])
def test_a_missing_folder_is_made_for_dvc_where_nothing_reads_it(tmp_path, source):
    make(source, tmp_path / "no" / "where")
    assert [*(tmp_path / "no" / "where").iterdir()] == []


def test_the_source_folder_needs_its_folder(tmp_path):
    make("folder", tmp_path / "nowhere")
    assert not (tmp_path / "nowhere").exists()


def test_what_is_there_stays(tmp_path):
    (tmp_path / "file").write_text("content")
    make("digits", tmp_path / "file")
    assert (tmp_path / "file").read_text() == "content"


@pytest.mark.parametrize("name", ["file/below", "link"])
def test_a_folder_that_cannot_be_made_is_one_line(tmp_path, name):
    (tmp_path / "file").write_text("content")
    (tmp_path / "link").symlink_to("nothing")
    with pytest.raises(UserError, match=r"^data.folder: .* cannot be made \(.*\): set it to data/pictures$"):
        make("digits", tmp_path / name)
