"""Tests stay on this machine, and those without a chain off the network altogether."""

import socket

import pytest

SOMEWHERE = ("192.0.2.1", 80)  # RFC 5737: nobody's
# pytest-socket warns before it raises, and here a warning is an error.
BLOCKED = r"A test tried to use socket\.socket"


def test_network__ordinary_test__has_none():
    with pytest.raises(UserWarning, match=BLOCKED):
        socket.socket()


@pytest.mark.chain
def test_network__chain_test__reaches_this_machine_only():
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen()
        with socket.create_connection(server.getsockname(), timeout=1):
            pass
    with socket.socket() as outward, pytest.raises(UserWarning, match=BLOCKED):
        outward.connect(SOMEWHERE)


def test_network__test_with_a_chain_fixture__counts_as_a_chain_test(request, replica):
    assert request.node.get_closest_marker("chain")


def test_network__ordinary_test_after_a_chain_test__has_none_again():
    with pytest.raises(UserWarning, match=BLOCKED):
        socket.socket()
