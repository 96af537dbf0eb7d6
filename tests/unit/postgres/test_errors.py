"""The errors of the embedded server reach another process, and a person, whole."""

import errno
from pathlib import Path

import pytest

from imsys.kit.errors import PermanentError, TransientError
from imsys.postgres import errors

PAGE = Path(__file__).parents[3] / "docs" / "reference" / "embedded-postgresql.md"


def test_each_class_has_a_code_of_its_own_and_says_whether_to_try_again() -> None:
    classes = errors.PostgresError.__subclasses__()
    assert len({cls.default_code for cls in classes}) == len(classes)
    for cls in classes:
        assert issubclass(cls, PermanentError) != issubclass(cls, TransientError)


def test_the_page_explains_each_code() -> None:
    page = PAGE.read_text()
    assert not [code for code in errors.every_error() if f"| `{code}` |" not in page]


@pytest.mark.parametrize("cls", errors.every_error().values())
def test_an_error_survives_the_way_to_another_process(cls: type[errors.PostgresError]) -> None:
    back = errors.from_words(errors.to_words(cls("It broke.", remedy="Mend it.")))
    assert type(back) is cls
    assert str(back) == "It broke. Mend it."
    assert back.code == cls.default_code


@pytest.mark.parametrize(
    ("number", "expected"),
    [
        (errno.ENOSPC, errors.DiskFull),
        (errno.EDQUOT, errors.DiskFull),
        (errno.EACCES, errors.FolderNotWritable),
        (errno.EROFS, errors.FolderNotWritable),
        (errno.ENAMETOOLONG, errors.FolderUnusable),
        (errno.ENOTDIR, errors.FolderUnusable),
    ],
)
def test_the_kernel_s_word_becomes_ours(number: int, expected: type[errors.PostgresError]) -> None:
    error = errors.folder_error(OSError(number, "the reason", "/some/where"), Path("/some"))
    assert type(error) is expected
    assert error.remedy
