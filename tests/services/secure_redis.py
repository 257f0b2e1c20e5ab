"""A Redis that speaks TLS alone, and wants certificates of its clients."""

from collections.abc import Sequence

from redis import Redis
from redis.backoff import NoBackoff
from redis.exceptions import RedisError
from redis.retry import Retry

from tests.services.certificates import Authority
from tests.services.redis import RedisServer


class SecureRedisServer(RedisServer):
    """One server; its own clients come by a certificate of `tester`.

    Args:
        expired: whether its certificate's time is over.
        host: the name that its certificate is for.
        options: more of redis-server's own.
    """

    def __init__(self, *, expired: bool = False, host: str = "localhost", options: Sequence[str] = ()) -> None:
        super().__init__("everysec", options)
        self.authority = Authority(self.folder / "certificates")
        self._certificate = self.authority.issue("redis", host, expired=expired)
        self._tester = self.authority.issue("tester")

    @property
    def url(self) -> str:
        return f"rediss://localhost:{self.port}/0"

    def command(self) -> list[str]:
        """Nothing listens in the clear."""
        return [
            *super().command(),
            *("--port", "0", "--tls-port", str(self.port), "--tls-auth-clients", "yes"),
            *("--tls-cert-file", str(self._certificate.file), "--tls-key-file", str(self._certificate.key)),
            *("--tls-ca-cert-file", str(self.authority.file)),
        ]

    def client(self) -> Redis:
        """A client that tries everything once and believes any certificate."""
        return Redis(
            "localhost",
            self.port,
            ssl=True,
            ssl_cert_reqs="none",
            ssl_certfile=str(self._tester.file),
            ssl_keyfile=str(self._tester.key),
            retry=Retry(NoBackoff(), 0),
        )

    def is_ready(self) -> bool:
        with self.client() as client:
            try:
                return bool(client.ping())
            except RedisError:
                return False
