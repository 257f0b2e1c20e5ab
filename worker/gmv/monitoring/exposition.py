"""The page that Prometheus reads."""

from prometheus_client import CollectorRegistry
from prometheus_client.exposition import choose_encoder


def render(registry: CollectorRegistry, accept: str = "") -> tuple[bytes, str]:
    """Write the registry's metrics in the format that the scraper prefers.

    Args:
        registry: what to write.
        accept: the request's Accept header; without one the answer is Prometheus' text format 0.0.4.

    Returns:
        The body and its content type.
    """
    encode, content_type = choose_encoder(accept)
    return encode(registry), content_type
