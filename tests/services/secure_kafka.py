"""A broker with the listeners that a guarded cluster has, and some that a client must turn away from."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from kafka.admin import (
    ACL,
    ACLFilter,
    ACLOperation,
    ACLPermissionType,
    ACLResourcePatternType,
    ResourcePattern,
    ResourcePatternFilter,
    ResourceType,
)

from gmv.kafka.rights import Right
from gmv.settings import KafkaSettings
from tests.services.certificates import Authority
from tests.services.kafka import KafkaBroker
from tests.services.server import HOST, free_port, wait_for

PASSWORDS: Final = {"worker": "s3cret words", "stranger": "other words"}
"""Users that the broker knows by SCRAM-SHA-512; what they may do is up to `allow`."""


class SecureKafkaBroker(KafkaBroker):
    """One broker, with rights that are checked, behind several listeners. The plain one is the test's own: all is its.

    Attributes:
        authority: who signed all certificates here.
        sasl: address that takes users with passwords, over TLS.
        mutual: address that takes clients by their certificates, whose common name is the user.
        expired: address that shows a certificate whose time is over.
        elsewhere: address that shows another host's certificate.
    """

    def __init__(self) -> None:
        self._ports = {name: free_port() for name in ("SASL", "MUTUAL", "EXPIRED", "ELSEWHERE")}
        super().__init__()

    def _write_properties(self, settings: Mapping[str, str]) -> None:
        self.authority = Authority(self.folder / "certificates")
        shown = {
            "SASL": self.authority.issue("broker", "localhost"),
            "EXPIRED": self.authority.issue("old-broker", "localhost", expired=True),
            "ELSEWHERE": self.authority.issue("other-broker", "elsewhere.example"),
        }
        shown["MUTUAL"] = shown["SASL"]
        inner = f"PLAINTEXT://{self.address}"
        outer = [f"{name}://localhost:{port}" for name, port in self._ports.items()]
        guarded = {
            "listeners": ",".join([inner, *outer, f"CONTROLLER://{HOST}:{self._controller_port}"]),
            "advertised.listeners": ",".join([inner, *outer]),
            "listener.security.protocol.map": (
                "PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT,SASL:SASL_SSL,MUTUAL:SSL,EXPIRED:SASL_SSL,ELSEWHERE:SASL_SSL"
            ),
            "inter.broker.listener.name": "PLAINTEXT",
            "sasl.enabled.mechanisms": "SCRAM-SHA-512",
            "authorizer.class.name": "org.apache.kafka.metadata.authorizer.StandardAuthorizer",
            "super.users": "User:ANONYMOUS",
            "ssl.truststore.type": "PEM",
            "ssl.truststore.location": str(self.authority.file),
            "ssl.principal.mapping.rules": "RULE:^.*CN=([^,]*).*$/$1/",
            "listener.name.mutual.ssl.client.auth": "required",
            "allow.everyone.if.no.acl.found": "false",
        }
        for name, certificate in shown.items():
            listener = f"listener.name.{name.lower()}"
            guarded[f"{listener}.ssl.keystore.type"] = "PEM"
            guarded[f"{listener}.ssl.keystore.location"] = str(certificate.both)
            if name != "MUTUAL":
                guarded[f"{listener}.scram-sha-512.sasl.jaas.config"] = (
                    "org.apache.kafka.common.security.scram.ScramLoginModule required;"
                )
        super()._write_properties({**guarded, **settings})

    def format_options(self) -> Sequence[str]:
        return [
            part
            for name, password in PASSWORDS.items()
            for part in ("--add-scram", f'SCRAM-SHA-512=[name="{name}",password="{password}"]')
        ]

    @property
    def sasl(self) -> str:
        return f"localhost:{self._ports['SASL']}"

    @property
    def mutual(self) -> str:
        return f"localhost:{self._ports['MUTUAL']}"

    @property
    def expired(self) -> str:
        return f"localhost:{self._ports['EXPIRED']}"

    @property
    def elsewhere(self) -> str:
        return f"localhost:{self._ports['ELSEWHERE']}"

    def by_password(self, user: str, **settings: Any) -> KafkaSettings:
        """Return what a user of `PASSWORDS` connects with."""
        file = self.folder / f"{user}.password"
        file.write_text(PASSWORDS[user] + "\n")
        return KafkaSettings(
            brokers=self.sasl,
            security_protocol="SASL_SSL",
            username=user,
            password_file=file,
            ca_file=self.authority.file,
            **settings,
        )

    def by_certificate(self, user: str, **settings: Any) -> KafkaSettings:
        """Return what any user connects with who has a certificate."""
        certificate = self.authority.issue(user)
        return KafkaSettings(
            brokers=self.mutual,
            security_protocol="SSL",
            cert_file=certificate.file,
            key_file=certificate.key,
            ca_file=self.authority.file,
            **settings,
        )

    def allow(self, user: str, *rights: Right) -> None:
        """Let a user do this and nothing else; only the test itself may do everything."""
        with self.admin() as admin:
            admin.delete_acls([_all_of(user)])
            admin.create_acls([_rule(user, right) for right in rights])
            wait_for(lambda: len(admin.describe_acls(_all_of(user))[0]) == len(rights), 10, f"the rights of {user}")


def _rule(user: str, right: Right) -> ACL:
    return ACL(
        principal=f"User:{user}",
        host="*",
        operation=ACLOperation[right.operation.upper()],
        permission_type=ACLPermissionType.ALLOW,
        resource_pattern=ResourcePattern(ResourceType[right.resource.upper()], right.name),
    )


def _all_of(user: str) -> ACLFilter:
    return ACLFilter(
        principal=f"User:{user}",
        host=None,
        operation=ACLOperation.ANY,
        permission_type=ACLPermissionType.ANY,
        resource_pattern=ResourcePatternFilter(ResourceType.ANY, None, ACLResourcePatternType.ANY),
    )
