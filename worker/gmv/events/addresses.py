"""Which addresses an image may be fetched from: those of the public internet, and networks that the settings name.

An event's author chooses the URI, so a fetch must not become a way to what only this machine can reach: its own
ports, the cluster's, or a cloud's metadata service at 169.254.169.254.
"""

from collections.abc import Iterator, Sequence
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address
from typing import Final

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

_TRANSLATED: Final = IPv6Network("64:ff9b::/96")  # NAT64: its last 32 bits are the IPv4 address that is reached


class AddressRefused(Exception):  # noqa: N818 - becomes a refusal
    """The address is not public, and in none of the networks that the settings name."""


def refuse_private(address: str, networks: Sequence[Network]) -> None:
    """See that a connection to this address may be made.

    Args:
        address: numeric, as the connection will use it; not a name, which could mean another address the next time.
        networks: allowed though they are not public.

    Raises:
        AddressRefused: it may not.
    """
    for meant in _meant_by(ip_address(address.partition("%")[0])):
        is_named = any(meant in network for network in networks if network.version == meant.version)
        if not is_named and (not meant.is_global or meant.is_multicast):
            raise AddressRefused(f"{meant} is no public address, and images.networks does not allow it")


def _meant_by(address: Address) -> Iterator[Address]:
    """Yield the address, or the IPv4 address that it means: all that is reached by it."""
    if isinstance(address, IPv4Address):
        yield address
    elif address.ipv4_mapped:
        yield address.ipv4_mapped
    elif address in _TRANSLATED:
        yield IPv4Address(int(address) & 0xFFFFFFFF)
    elif address.sixtofour:
        yield address.sixtofour
    elif address.teredo:
        yield from address.teredo
    else:
        yield address
