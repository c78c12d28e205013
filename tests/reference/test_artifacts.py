"""Artifacts: what comes back is what was put, or a clear error."""

from collections.abc import Callable
from pathlib import Path

import pytest

from driftbus.consumers.process.last_net import of_a_record
from driftbus.consumers.reference.artifacts import ArtifactError, ArtifactStore
from driftbus.schemas.stored.reference import AvailabilityProfile, ProfiledField, Reference

every_url = pytest.mark.parametrize(
    "url", [lambda path: str(path / "kept"), lambda path: f"file://{path}/kept/", lambda _: "memory://kept"]
)


@every_url
def test_what_is_put_is_got(tmp_path: Path, url: Callable[[Path], str]) -> None:
    store = ArtifactStore(url(tmp_path))
    name = store.put(b"content")
    assert name == store.put(b"content")
    assert ArtifactStore(url(tmp_path)).get(name) == b"content"


@every_url
def test_what_is_not_there_is_an_error(tmp_path: Path, url: Callable[[Path], str]) -> None:
    with pytest.raises(ArtifactError, match="has no sha256:00"):
        ArtifactStore(url(tmp_path)).get("sha256:00")


def test_a_reference_is_kept_under_its_hash(tmp_path: Path) -> None:
    field = ProfiledField(name="x", type="numeric", availability=AvailabilityProfile(counts=(9, 0, 0, 0)))
    reference = Reference(model="m", version="1", rows=9, fields=(field,))
    store = ArtifactStore(str(tmp_path))
    name = store.put(reference.encoded())
    assert name == reference.name
    assert store.reference(name) == reference
    assert [path.name for path in (tmp_path / "references").iterdir()] == [f"{name.replace(':', '-')}.json"]


def test_a_changed_file_is_noticed_and_mended(tmp_path: Path) -> None:
    store = ArtifactStore(str(tmp_path))
    name = store.put(b"content")
    (file,) = (tmp_path / "references").iterdir()
    file.write_bytes(b"other")
    with pytest.raises(ArtifactError, match="was changed: its content is sha256:"):
        store.get(name)
    store.put(b"content")
    assert store.get(name) == b"content"


def test_a_place_that_cannot_be_used_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(ArtifactError, match=r"does not let sha256:.* be written"):
        ArtifactStore(str(tmp_path / "file")).put(b"content")
    with pytest.raises(ArtifactError, match="'nowhere://x' cannot be used"):
        ArtifactStore("nowhere://x")


@pytest.mark.parametrize(
    "content", [b"{", b'{"model": "m", "version": "1", "rows": 9, "fields": [{"name": "x", "type": "of tomorrow"}]}', b"[]"]
)
def test_a_reference_that_this_release_cannot_read_is_no_fault_of_a_record(tmp_path: Path, content: bytes) -> None:
    store = ArtifactStore(str(tmp_path))
    with pytest.raises(ArtifactError, match="cannot be read by this release") as raised:
        store.reference(store.put(content))
    assert not of_a_record(raised.value)
