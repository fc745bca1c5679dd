"""Where phones on the same network find this computer: its addresses there, and a port that is free."""

from __future__ import annotations

import ipaddress
import socket

from pipelines.errors import StudioError

EVERYWHERE, FIRST_PORT, PORTS = "0.0.0.0", 7861, 20
WITHIN = ("docker", "br-", "veth", "virbr", "vbox", "vmnet", "lxc", "podman", "cni")  # networks within this computer: no phone is there


def addresses() -> list[str]:
    """This computer's IPv4 addresses on networks that are up, those of a usual home or school network first; none without a network."""
    import psutil

    up = {name for name, about in psutil.net_if_stats().items() if about.isup}
    found = [
        (_rank(name, one.address), one.address)
        for name, known in psutil.net_if_addrs().items()
        for one in known
        if name in up and one.family == socket.AF_INET and _is_reached(one.address)
    ]
    return [address for _, address in sorted(found)]


def free_port(first: int = FIRST_PORT) -> int:
    """The first free one of PORTS ports. Raises StudioError where none is."""
    for port in range(first, min(first + PORTS, 65536)):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((EVERYWHERE, port))
            except OSError:
                continue
            return port
    raise StudioError(
        f"No port from {first} to {first + PORTS - 1} is free.", "End what uses them, or set STUDIO_CLASS_PORT to another one."
    )


def _is_reached(address: str) -> bool:
    one = ipaddress.ip_address(address)
    return not (one.is_loopback or one.is_link_local or one.is_unspecified)


def _rank(name: str, address: str) -> tuple[bool, bool, str]:
    return name.startswith(WITHIN), not ipaddress.ip_address(address).is_private, name
