from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_network

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gmv.events.addresses import AddressRefused, refuse_private


def is_refused(address: str, *networks: str) -> bool:
    try:
        refuse_private(address, [ip_network(network) for network in networks])
    except AddressRefused:
        return True
    return False


@pytest.mark.parametrize("address", ["93.184.215.14", "8.8.8.8", "2606:4700::6810:84e5", "64:ff9b::5db8:d70e"])
def test_a_public_address_is_allowed(address: str) -> None:
    assert not is_refused(address)


@pytest.mark.parametrize(
    "address",
    [
        *("0.0.0.0", "10.0.0.1", "127.0.0.1", "127.255.255.255", "172.16.0.1", "172.31.255.255", "192.168.1.1"),
        "169.254.169.254",  # where clouds serve a machine its credentials
        "100.64.0.1",  # carrier-grade NAT, which some clusters use for pods
        *("192.0.2.1", "198.18.0.1", "224.0.0.1", "239.1.1.1", "240.0.0.1", "255.255.255.255"),
        *("::", "::1", "fe80::1", "fe80::1%eth0", "fc00::1", "fd00:ec2::254", "ff02::1", "2001:db8::1"),
    ],
)
def test_what_is_not_of_the_public_internet_is_refused(address: str) -> None:
    assert is_refused(address)


WRAPPED = (
    lambda inner: IPv6Address(0xFFFF << 32 | inner),  # mapped
    lambda inner: IPv6Address(int(IPv6Address("64:ff9b::")) | inner),  # NAT64
    lambda inner: IPv6Address(0x2002 << 112 | inner << 80),  # 6to4
)


@given(inner=st.ip_addresses(v=4), wrap=st.sampled_from(WRAPPED))
def test_an_address_inside_another_is_judged_as_itself(inner: IPv4Address, wrap: object) -> None:
    assert is_refused(str(wrap(int(inner)))) == is_refused(str(inner))  # type: ignore[operator]


@given(address=st.ip_addresses())
def test_a_named_network_is_allowed_whatever_it_is(address: IPv4Address | IPv6Address) -> None:
    if isinstance(address, IPv4Address) or not any(address in IPv6Network(each) for each in TUNNELS):
        assert not is_refused(str(address), str(address))


TUNNELS = ("::ffff:0:0/96", "64:ff9b::/96", "2002::/16", "2001::/32")


def test_a_network_that_is_allowed_allows_no_other() -> None:
    assert not is_refused("10.1.2.3", "10.1.0.0/16")
    assert is_refused("10.2.2.3", "10.1.0.0/16", "fd00::/8")
