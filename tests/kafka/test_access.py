"""Brokers that want to know who comes: who is let in, who is not, and what the refusal says."""

import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    PrivateFormat,
    load_pem_private_key,
)

from gmv.errors import InvalidSettings, LogRefused, LogUnavailable
from gmv.kafka.access import connection
from gmv.kafka.admin import TopicAdmin
from gmv.settings import KafkaSettings
from tests.end_to_end.command import gmv
from tests.services.certificates import Authority
from tests.services.patience import patience
from tests.services.secure_kafka import PASSWORDS, SecureKafkaBroker

RETRY_SECONDS = patience(20)
"""Long against the time a refusal may take."""


def test_a_command_without_a_log_hears_nothing_of_the_clients() -> None:
    """Python prints warnings that no handler takes, between the command's own lines."""
    code = "import gmv.kafka.admin as a, logging as l; l.getLogger('{}.client').error('away')"
    for name in ("kafka", "aiokafka"):
        done = subprocess.run([sys.executable, "-c", code.format(name)], capture_output=True, check=True)
        assert done.stderr == b"", name


@pytest.fixture
def by_password(secure_kafka: SecureKafkaBroker) -> KafkaSettings:
    return secure_kafka.by_password("worker", retry_seconds=RETRY_SECONDS)


@pytest.fixture
def by_certificate(secure_kafka: SecureKafkaBroker) -> KafkaSettings:
    return secure_kafka.by_certificate("worker", retry_seconds=RETRY_SECONDS)


def refusal(kafka: KafkaSettings, **changed: Any) -> str:
    """What is said, at once and not when the retries are over."""
    began = time.monotonic()
    with pytest.raises(LogRefused) as refused:
        TopicAdmin(kafka.model_copy(update=changed))
    assert time.monotonic() - began < RETRY_SECONDS / 2
    return str(refused.value)


def locked(key: Path) -> bytes:
    """The same key, to be opened by a password."""
    opened = load_pem_private_key(key.read_bytes(), None)
    return opened.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"s3cret"))


class TestRefusals:
    def test_a_wrong_password(self, by_password: KafkaSettings, tmp_path: Path) -> None:
        (tmp_path / "wrong").write_text("guess")
        said = refusal(by_password, password_file=tmp_path / "wrong")
        assert "refuses the user 'worker' (Authentication failed" in said
        assert "kafka.password_file" in said
        assert "guess" not in said

    def test_a_user_that_is_not_there(self, by_password: KafkaSettings) -> None:
        assert "refuses the user 'nobody'" in refusal(by_password, username="nobody")

    def test_a_mechanism_the_listener_does_not_enable(self, by_password: KafkaSettings) -> None:
        assert "does not take PLAIN: set kafka.sasl_mechanism" in refusal(by_password, sasl_mechanism="PLAIN")

    def test_a_certificate_whose_time_is_over(
        self, secure_kafka: SecureKafkaBroker, by_password: KafkaSettings
    ) -> None:
        said = refusal(by_password, brokers=secure_kafka.expired)
        assert f"Kafka at {secure_kafka.expired}: the server's certificate is refused (certificate has expired)" in said
        assert "renew it" in said

    def test_a_certificate_of_another_host(self, secure_kafka: SecureKafkaBroker, by_password: KafkaSettings) -> None:
        said = refusal(by_password, brokers=secure_kafka.elsewhere)
        assert "Hostname mismatch, certificate is not valid for 'localhost'" in said
        by_address = secure_kafka.sasl.replace("localhost", "127.0.0.1")
        assert "IP address mismatch" in refusal(by_password, brokers=by_address)

    def test_a_certificate_that_nobody_signed(self, by_password: KafkaSettings) -> None:
        said = refusal(by_password, ca_file=None)
        assert "unable to get local issuer certificate" in said
        assert "kafka.ca_file" in said

    def test_no_certificate_of_our_own(self, by_certificate: KafkaSettings) -> None:
        said = refusal(by_certificate, cert_file=None, key_file=None)
        assert "it refuses our certificate" in said
        assert "kafka.cert_file" in said

    def test_a_certificate_of_our_own_whose_time_is_over(
        self, secure_kafka: SecureKafkaBroker, by_certificate: KafkaSettings
    ) -> None:
        old = secure_kafka.authority.issue("old-worker", expired=True)
        assert "it refuses our certificate" in refusal(by_certificate, cert_file=old.file, key_file=old.key)

    def test_a_certificate_of_our_own_from_an_unknown_authority(
        self, by_certificate: KafkaSettings, tmp_path: Path
    ) -> None:
        forged = Authority(tmp_path / "forger").issue("worker")
        assert "it refuses our certificate" in refusal(by_certificate, cert_file=forged.file, key_file=forged.key)

    def test_one_of_several_brokers_that_lets_us_in_is_enough(
        self, secure_kafka: SecureKafkaBroker, by_password: KafkaSettings
    ) -> None:
        both = by_password.model_copy(update={"brokers": f"{secure_kafka.expired}, {secure_kafka.sasl}"})
        TopicAdmin(both).close()

    def test_a_listener_of_another_protocol_is_no_refusal_and_the_sentence_names_the_setting(
        self, secure_kafka: SecureKafkaBroker
    ) -> None:
        plain = KafkaSettings(brokers=secure_kafka.sasl, retry_seconds=1)
        with pytest.raises(LogUnavailable, match=r"kafka\.security_protocol PLAINTEXT"):
            TopicAdmin(plain)

    def test_a_command_ends_with_the_sentence_and_the_exit_code(
        self, secure_kafka: SecureKafkaBroker, by_password: KafkaSettings
    ) -> None:
        variables = {
            f"GMV_KAFKA_{name.upper()}": str(value)
            for name, value in by_password.model_dump(exclude_none=True, exclude={"brokers"}).items()
        }
        arguments = ("ledger", "init", "--topic", "x", "--ledger", "sqlite:///unused.db")
        said = gmv(*arguments, "--brokers", secure_kafka.expired, exit_code=33, environment=variables)
        assert "certificate has expired" in said
        assert "Traceback" not in said


class TestSettings:
    @pytest.mark.parametrize(
        ("changed", "complaint"),
        [
            ({"username": "worker"}, "PLAINTEXT sends neither"),
            ({"password_file": "password"}, "PLAINTEXT sends neither"),
            ({"ca_file": "authority.pem"}, "PLAINTEXT uses none"),
            ({"security_protocol": "SSL", "username": "worker"}, "SSL sends neither"),
            ({"security_protocol": "SASL_SSL"}, "needs kafka.username and kafka.password_file"),
            ({"security_protocol": "SASL_SSL", "username": "worker"}, "needs kafka.username and kafka.password_file"),
            ({"security_protocol": "SSL", "cert_file": "authority.pem"}, "go together"),
            ({"security_protocol": "SSL", "ca_file": "nowhere"}, r"kafka.ca_file .*nowhere: No such file"),
            ({"security_protocol": "SSL", "ca_file": "password"}, r"kafka.ca_file .*password: it is no PEM"),
            (
                {"security_protocol": "SSL", "cert_file": "authority.pem", "key_file": "other.key.pem"},
                r"kafka.cert_file .*authority.pem with kafka.key_file .*other.key.pem: .*KEY_VALUES_MISMATCH",
            ),
            (
                {"security_protocol": "SSL", "cert_file": "authority.pem", "key_file": "locked.pem"},
                "kafka.key_file .*locked.pem: it is no PEM that can be used",
            ),
        ],
    )
    def test_settings_that_do_not_fit_together_are_refused(
        self, changed: dict[str, Any], complaint: str, tmp_path: Path
    ) -> None:
        Authority(tmp_path).issue("other")
        (tmp_path / "password").write_text("s3cret")
        (tmp_path / "locked.pem").write_bytes(locked(tmp_path / "other.key.pem"))
        files = {name: tmp_path / str(value) for name, value in changed.items() if name.endswith("_file")}
        with pytest.raises(InvalidSettings, match=complaint):
            connection(KafkaSettings(**changed | files))

    def test_a_password_is_no_part_of_what_is_logged(self, by_password: KafkaSettings) -> None:
        assert PASSWORDS["worker"] not in repr(by_password)
