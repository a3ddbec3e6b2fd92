"""A server of the tf.data service hears what is sent to its own addresses, and nothing else."""

from __future__ import annotations

import socket
from collections.abc import Iterator

import pytest
from kept_servers import kept

from vdroppath_tf.data.records.listening import addresses_of, hear_only
from vdroppath_tf.data.records.service import start_dispatcher, start_worker

LOCAL = ("127.0.0.1", "127.0.0.2")  # every Linux has both


def heard_at(port: int, *, addresses: tuple[str, ...] = LOCAL) -> list[str]:
    """The addresses at which somebody answers."""
    found = []
    for address in addresses:
        with socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET) as asking:
            asking.settimeout(0.2)
            if asking.connect_ex((address, port)) == 0:
                found.append(address)
    return found


@pytest.fixture(params=[socket.AF_INET, socket.AF_INET6], ids=["IPv4", "both"])
def server(request: pytest.FixtureRequest) -> Iterator[socket.socket]:
    """What listens on every address."""
    with socket.socket(request.param) as listening:
        if request.param == socket.AF_INET6:
            listening.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
        listening.bind(("", 0))
        listening.listen()
        yield listening


@pytest.mark.parametrize(
    ("host", "heard"),
    [("localhost", LOCAL[:1]), ("127.0.0.2", LOCAL[1:]), ("::1", ())],
)
def test_only_what_is_sent_there_is_heard(
    server: socket.socket, host: str, heard: tuple[str, ...]
) -> None:
    port = server.getsockname()[1]
    assert heard_at(port) == [*LOCAL]
    hear_only(port, addresses_of(host))
    assert heard_at(port) == [*heard]


@pytest.mark.parametrize("server", [socket.AF_INET6], ids=["both"], indirect=True)
@pytest.mark.parametrize("heard", ["::1", *LOCAL])
def test_one_address_of_either_kind(server: socket.socket, heard: str) -> None:
    port, every = server.getsockname()[1], ("::1", *LOCAL)
    assert heard_at(port, addresses=every) == [*every]
    hear_only(port, addresses_of(heard))
    assert heard_at(port, addresses=every) == [heard]


def test_a_connection_to_it_works(server: socket.socket) -> None:
    port = server.getsockname()[1]
    hear_only(port, addresses_of("localhost"))
    with socket.create_connection((LOCAL[0], port), timeout=5) as asking:
        answering, _ = server.accept()
        with answering:
            answering.sendall(b"x" * 100_000)
            assert asking.recv(1000) == b"x" * 1000


@pytest.mark.parametrize("everywhere", ["0.0.0.0", "::"])
def test_every_address(everywhere: str) -> None:
    assert addresses_of(everywhere) == ()


@pytest.mark.parametrize("host", ["192.0.2.1", "2001:db8::1"])  # kept free for examples
def test_an_address_of_another_machine(host: str) -> None:
    for start in (start_dispatcher, lambda host: start_worker("localhost:1", host=host)):
        with pytest.raises(OSError, match=rf"{host}.* no address of this machine.*--listen"):
            start(host=host)


@pytest.mark.parametrize("host", ["nobody.invalid", "a b", "x" * 300, "\ud800"])
def test_no_name(host: str) -> None:
    with pytest.raises(OSError, match="not a known name or address"):
        addresses_of(host)


def test_nothing_listens_there(server: socket.socket) -> None:
    port = server.getsockname()[1]
    server.close()
    with pytest.raises(OSError, match=f"port {port}: nothing listens"):
        hear_only(port, addresses_of("localhost"))


def test_both_servers(monkeypatch: pytest.MonkeyPatch) -> None:
    dispatcher = kept(start_dispatcher(listen=LOCAL[1]))
    port = int(dispatcher.target.rpartition(":")[2])
    assert heard_at(port) == [LOCAL[1]]
    found: list[int] = []

    def note(port: int, addresses: object) -> None:
        found.append(port)
        hear_only(port, addresses)  # type: ignore[arg-type]

    monkeypatch.setattr("vdroppath_tf.data.records.service.hear_only", note)
    kept(start_worker(f"{LOCAL[1]}:{port}"))
    assert heard_at(*found) == [LOCAL[0]]
    everywhere = kept(start_dispatcher(host="192.0.2.1", listen="0.0.0.0"))
    assert heard_at(int(everywhere.target.rpartition(":")[2])) == [*LOCAL]
