"""Restricts a TensorFlow server to some addresses of the machine.

The servers of the tf.data service listen on every address, without an option to change it. Linux
can filter the packets that a socket receives, before a connection is made.
"""

from __future__ import annotations

import ctypes
import ipaddress
import os
import socket
import struct
from collections.abc import Iterable, Sequence
from typing import TypeAlias

Address: TypeAlias = ipaddress.IPv4Address | ipaddress.IPv6Address

_ATTACH_FILTER = 26  # SO_ATTACH_FILTER of Linux
_PROTOCOL = 0xFFFFF000  # SKF_AD_OFF + SKF_AD_PROTOCOL: the protocol of a packet, IPv4 or IPv6
_HEAD = 0xFFF00000  # SKF_NET_OFF: where the header of a packet begins
_KINDS = {4: (0x0800, 16), 6: (0x86DD, 24)}  # protocol, and place of the receiver in the header
_HALF, _WORD, _EQUAL, _RETURN = 0x28, 0x20, 0x15, 0x06
_ALL = 0xFFFFFFFF  # bytes of a packet that are accepted: all


def addresses_of(host: str) -> tuple[Address, ...]:
    """Returns the addresses of this machine for a name; none if it means all addresses.

    Args:
        host: A name or an address; `0.0.0.0` and `::` mean all addresses.

    Raises:
        OSError: If the name is unknown, or none of its addresses belongs to this machine.
    """
    try:
        found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise OSError(f"{host}: is not a known name or address ({error}).") from None
    known = {ipaddress.ip_address(str(place[0]).partition("%")[0]) for *_, place in found}
    if any(address.is_unspecified for address in known):
        return ()
    mine = tuple(sorted((a for a in known if _is_mine(a)), key=lambda a: (a.version, a)))
    if mine:
        return mine
    raise OSError(
        f"{host}: is {', '.join(map(str, known))}, which is no address of this machine, so nothing "
        "can listen there. Set the address with listen= (--listen); 0.0.0.0 means all addresses."
    )


def _is_mine(address: Address) -> bool:
    family = socket.AF_INET if address.version == 4 else socket.AF_INET6
    try:
        with socket.socket(family, socket.SOCK_STREAM) as probe:
            probe.bind((str(address), 0))
    except OSError:
        return False
    return True


def hear_only(port: int, addresses: Iterable[Address]) -> None:
    """Restricts the servers of this process at a port to packets for some addresses.

    A connection to another address is not refused but never answered, as behind a firewall.
    Existing connections are kept.

    Args:
        port: The port at which they listen.
        addresses: The addresses.

    Raises:
        OSError: If this system does not support it, or nothing listens at the port.
    """
    program = _program(addresses)
    held = ctypes.create_string_buffer(b"".join(struct.pack("HBBI", *step) for step in program))
    option = struct.pack("HP", len(program), ctypes.addressof(held))
    try:
        listening = [each for each in _sockets() if _listens(each, port)]
        for each in listening:
            with each:
                each.setsockopt(socket.SOL_SOCKET, _ATTACH_FILTER, option)
    except OSError as error:
        raise OSError(
            f"port {port}: this system cannot restrict a TensorFlow server to some addresses "
            f"({error}). With listen='0.0.0.0' (--listen=0.0.0.0) it listens on all of them."
        ) from None
    if not listening:
        raise OSError(f"port {port}: nothing listens there in this process.")


def _program(addresses: Iterable[Address]) -> list[tuple[int, int, int, int]]:
    """Returns the filter as Linux instructions: code, jumps if true and if false, number."""
    steps = []
    for address in addresses:
        protocol, place = _KINDS[address.version]
        words = struct.unpack(f">{len(address.packed) // 4}I", address.packed)
        checks = [(_HALF, _PROTOCOL, protocol)]
        checks += [(_WORD, _HEAD + place + 4 * k, word) for k, word in enumerate(words)]
        steps += _let_in(checks)
    return [*steps, (_RETURN, 0, 0, 0)]


def _let_in(checks: Sequence[tuple[int, int, int]]) -> list[tuple[int, int, int, int]]:
    """Accepts packets with these numbers at these places; else jumps to the next instructions."""
    steps, end = [], 2 * len(checks) + 1
    for load, place, wanted in checks:
        steps.append((load, 0, 0, place))
        steps.append((_EQUAL, 0, end - len(steps) - 1, wanted))
    return [*steps, (_RETURN, 0, 0, _ALL)]


def _sockets() -> Iterable[socket.socket]:
    """Yields duplicated handles of all sockets of this process, to be closed by the caller."""
    folder = "/proc/self/fd"
    for name in os.listdir(folder):
        try:
            if os.readlink(f"{folder}/{name}").startswith("socket:"):
                yield socket.socket(fileno=os.dup(int(name)))
        except OSError:  # it was closed in the meantime
            continue


def _listens(handle: socket.socket, port: int) -> bool:
    """Returns whether a socket waits for connections at a port; closes it if not."""
    internet = handle.family in (socket.AF_INET, socket.AF_INET6)
    waits = internet and handle.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN)
    if waits and handle.getsockname()[1] == port:
        return True
    handle.close()
    return False
