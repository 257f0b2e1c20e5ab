import ssl
from pathlib import Path

import pytest

from gmv.credentials import password_of, tls_context, tls_trouble
from gmv.errors import InvalidSettings
from gmv.settings import Guarded
from tests.services.certificates import Authority


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        (None, "No such file"),
        (b"", "first line is empty"),
        (b"\nsecond", "first line is empty"),
        (b"\xff\xfe", "no UTF-8 text"),
    ],
)
def test_a_password_file_without_password(tmp_path: Path, content: bytes | None, complaint: str) -> None:
    path = tmp_path / "password"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(InvalidSettings, match=rf"ledger\.password_file {path}: .*{complaint}"):
        password_of(Guarded(password_file=path), "ledger")


@pytest.mark.parametrize("content", [b"s3cret words", b"s3cret words\n", b"s3cret words\r\nmore\n"])
def test_a_password_is_the_first_line_as_it_stands(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "password").write_bytes(content)
    assert password_of(Guarded(password_file=tmp_path / "password"), "ledger") == "s3cret words"


def test_no_connection_is_made_without_checking_the_server(tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    mine = authority.issue("mine")
    for settings in (
        Guarded(),
        Guarded(ca_file=authority.file),
        Guarded(ca_file=authority.file, cert_file=mine.file, key_file=mine.key),
    ):
        context = tls_context(settings, "kafka")
        assert context.verify_mode == ssl.CERT_REQUIRED
        assert context.check_hostname
        assert context.minimum_version >= ssl.TLSVersion.TLSv1_2


def test_only_the_named_authority_is_trusted(tmp_path: Path) -> None:
    assert len(tls_context(Guarded(ca_file=Authority(tmp_path).file), "kafka").get_ca_certs()) == 1


def test_what_is_no_matter_of_certificates_is_reported_by_others() -> None:
    assert tls_trouble(ConnectionResetError(), "kafka") is None
    assert tls_trouble(ssl.SSLEOFError(8, "EOF occurred"), "kafka") is None
