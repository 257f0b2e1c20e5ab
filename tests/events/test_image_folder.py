"""Which files of a folder are sent: what is not is counted and named, whatever it is."""

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gmv.errors import EventsRefused, Poison
from gmv.events.image_folder import IMAGE_SUFFIXES, OTHER_JPEG_SUFFIXES, ImageFolder, look_through
from gmv.events.outgoing import Telling, check_path, outgoing
from gmv.imaging.decode import ImageLimits, decode_image
from tests.events.samples import png
from tests.imaging.test_decode import picture, saved

PNG = png()
OTHER_FORMATS = ["GIF", "BMP", "TIFF", "AVIF", "ICO", "JPEG2000"]


def write(folder: Path, *names: str, content: bytes = PNG) -> None:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)


def images(found: ImageFolder) -> list[str]:
    return [file.relative_to(found.path).as_posix() for file in found.images]


def left(found: ImageFolder) -> dict[str, tuple[int, list[str]]]:
    def named(names: tuple[str, ...]) -> list[str]:
        return [Path(name).relative_to(found.path).as_posix() for name in names]

    return {each.why: (each.files, named(each.first)) for each in found.passed_over}


def test_hidden_files_and_folders_are_passed_over(tmp_path: Path) -> None:
    write(tmp_path, "a.png", "._a.png", ".png", ".thumbs/t.png", "sub/b.png")
    write(tmp_path, "sub/.cache/deep/c.png", "__MACOSX/._a.png")

    found = look_through(tmp_path)

    assert images(found) == ["a.png", "sub/b.png"]
    assert left(found) == {"hidden": (5, ["._a.png", ".png", ".thumbs", "__MACOSX", "sub/.cache"])}


@pytest.mark.parametrize("name", [".hidden", "__MACOSX", ".a/.b"])
def test_a_folder_that_is_named_itself_may_be_hidden(name: str, tmp_path: Path) -> None:
    write(tmp_path / name, "a.png")

    assert images(look_through(tmp_path / name)) == ["a.png"]


def test_links_to_files_are_sent_and_links_to_folders_are_named(tmp_path: Path) -> None:
    write(tmp_path, "in/a.png", "elsewhere/b.png", "elsewhere/blob")
    (tmp_path / "in/linked.png").symlink_to(tmp_path / "elsewhere/blob")
    (tmp_path / "in/folder").symlink_to(tmp_path / "elsewhere")
    (tmp_path / "in/again.png").symlink_to(tmp_path / "in")  # a folder, and it leads back
    (tmp_path / "in/lost.png").symlink_to(tmp_path / "nowhere")

    found = look_through(tmp_path / "in")

    assert images(found) == ["a.png", "linked.png"]
    assert left(found) == {
        "links that lead nowhere": (1, ["lost.png"]),
        "links to folders": (2, ["again.png", "folder"]),
    }


def test_what_is_no_regular_file_is_named_and_not_waited_for(tmp_path: Path) -> None:
    write(tmp_path, "a.png")
    os.mkfifo(tmp_path / "pipe.png")
    os.mkfifo(tmp_path / "pipe.jfif")

    assert left(look_through(tmp_path)) == {"no regular files": (2, ["pipe.jfif", "pipe.png"])}


@pytest.mark.parametrize("suffix", sorted(OTHER_JPEG_SUFFIXES | {".JFIF"}))
def test_a_rare_ending_of_jpeg_is_sent_if_the_file_begins_as_an_image(suffix: str, tmp_path: Path) -> None:
    for name in ("JPEG", "PNG", "WEBP"):
        write(tmp_path, f"{name}{suffix}", content=saved(picture(), name))
    write(tmp_path, f"text{suffix}", content=b"JFIF")
    write(tmp_path, f"empty{suffix}", content=b"")

    found = look_through(tmp_path)

    assert images(found) == [f"{name}{suffix}" for name in ("JPEG", "PNG", "WEBP")]
    assert left(found) == {f"{suffix.lower()}, and no image": (2, [f"empty{suffix}", f"text{suffix}"])}
    assert [each.name for each in outgoing(tmp_path / f"JPEG{suffix}", Telling("/s"))] == [f"JPEG{suffix}"]


def test_files_are_told_apart_by_their_endings_and_the_rarest_are_put_together(tmp_path: Path) -> None:
    write(tmp_path, "a.png", "f.png.tmp", "noext", "sub/also", "x.GIF", "y.gif")
    for number, suffix in enumerate(["txt", "json", "csv", "npy", "bin", "md"]):
        write(tmp_path, *(f"{place}.{suffix}" for place in range(2 + number)))

    assert left(look_through(tmp_path)) == {
        ".bin": (6, [f"{place}.bin" for place in range(5)]),
        ".csv": (4, [f"{place}.csv" for place in range(4)]),
        ".json": (3, [f"{place}.json" for place in range(3)]),
        ".md": (7, [f"{place}.md" for place in range(5)]),
        ".npy": (5, [f"{place}.npy" for place in range(5)]),
        "no ending": (2, ["noext", "sub/also"]),
        "other endings": (5, ["0.txt", "1.txt", "f.png.tmp", "x.GIF", "y.gif"]),
    }


def test_a_folder_that_cannot_be_read_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Denied by the test: who runs it may be root, who is never denied."""
    write(tmp_path, "a.png", "lost+found/b.png")
    real = os.scandir

    def scandir(path: str) -> object:
        if path.endswith("lost+found"):
            raise PermissionError(13, "Permission denied", path)
        return real(path)

    monkeypatch.setattr(os, "scandir", scandir)
    found = look_through(tmp_path)

    assert images(found) == ["a.png"]
    assert left(found) == {"folders that cannot be read": (1, ["lost+found"])}


NAMES = st.from_regex(r"[.]{0,2}[ab]{1,2}([.](png|PNG|jfif|gif|tmp))?", fullmatch=True)


@given(names=st.lists(st.lists(NAMES, min_size=1, max_size=3).map("/".join), max_size=12))
def test_each_file_is_sent_or_counted(names: list[str], tmp_path_factory: pytest.TempPathFactory) -> None:
    folder = tmp_path_factory.mktemp("any")
    write(folder, "sent.png")
    for name in names:
        try:
            write(folder, name)
        except OSError:  # a folder of that name is there, or a file where a folder should be
            continue
    files = [file.relative_to(folder) for file in folder.rglob("*") if file.is_file()]
    hidden = {first_hidden(file) for file in files} - {None}
    seen = [file for file in files if first_hidden(file) is None]
    wanted = [file.as_posix() for file in seen if file.suffix.lower() in IMAGE_SUFFIXES | {".jfif"}]

    found = look_through(folder)

    assert sorted(images(found)) == sorted(wanted)
    counts = {each.why: each.files for each in found.passed_over}
    assert counts.pop("hidden", 0) == len(hidden)
    assert sum(counts.values()) == len(seen) - len(wanted)


def first_hidden(file: Path) -> Path | None:
    """The outermost hidden folder that a file is in, or itself."""
    return next((path for path in [*reversed(file.parents), file] if path.name.startswith(".")), None)


@pytest.mark.parametrize(
    ("names", "says"),
    [
        ([], "has no image in it; gmv sends .jpeg, .jpg, .png, .webp$"),
        (["._a.png"], r"passed over 1 \(hidden\): .*/\._a\.png$"),
        (["a.gif", "b.gif"], r"passed over 2 \(\.gif\): .*a\.gif, .*b\.gif$"),
        (["a.gif", "noext"], r"passed over 1 \(\.gif\): .*a\.gif; passed over 1 \(no ending\): .*noext$"),
    ],
)
def test_a_folder_without_an_image_is_refused_with_what_is_in_it(names: list[str], says: str, tmp_path: Path) -> None:
    write(tmp_path, *names)

    with pytest.raises(EventsRefused, match=says):
        look_through(tmp_path)


def attributed(content: bytes) -> str:
    with pytest.raises(Poison) as caught:
        decode_image(content, ImageLimits(2**20, 10**6))
    return str(caught.value)


@pytest.mark.parametrize("name", OTHER_FORMATS)
def test_another_format_is_named_as_attribute_names_it(name: str, tmp_path: Path) -> None:
    content = saved(picture(), name)
    path = tmp_path / f"picture.{name.lower()}"
    path.write_bytes(content)

    with pytest.raises(EventsRefused) as caught:
        check_path(path)

    assert str(caught.value).startswith(f"{path}: {attributed(content)}; gmv sends images")
    assert f"but {name}" in str(caught.value).replace(" 2000", "2000")


@pytest.mark.parametrize("content", [b"", b"text", b"RIFF1234AVI "])
def test_a_file_that_is_nothing_known_is_refused_as_attribute_does(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "some.jfif"
    path.write_bytes(content)

    with pytest.raises(EventsRefused) as caught:
        check_path(path)
    assert str(caught.value).startswith(f"{path}: {attributed(content)}; gmv sends images")


@pytest.mark.parametrize("name", ["picture", "picture.png.tmp", "picture.txt"])
def test_an_image_under_another_ending_is_refused_with_what_to_do(name: str, tmp_path: Path) -> None:
    write(tmp_path, name)

    with pytest.raises(EventsRefused, match="this is a PNG, so give it such an ending"):
        check_path(tmp_path / name)


def test_a_pipe_is_refused_and_not_read(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")

    with pytest.raises(EventsRefused, match="gmv sends images"):
        check_path(tmp_path / "pipe")


def test_a_folder_is_looked_through_once(tmp_path: Path) -> None:
    """What is sent is what was counted, whatever comes into the folder meanwhile."""
    write(tmp_path, "a.png")
    folder = check_path(tmp_path)
    write(tmp_path, "b.png")

    assert [each.name for each in outgoing(tmp_path, Telling("/s"), folder)] == ["a.png"]
