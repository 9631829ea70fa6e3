"""The namespaces of one pod: its network, its view of a few files, its host name. They live as long
as someone holds them."""

from __future__ import annotations

import os
import socket
import sys
import traceback
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import NoReturn

from msgspec import Struct

from varka.local.network.addresses import DNS_ADDRESS, GATEWAY
from varka.local.system import kernel, nft
from varka.local.system.links import Links
from varka.local.system.nft import Chain


class PodSpace(Struct, frozen=True):
    """Descriptors that keep the namespaces alive; `close` lets them go."""

    network: int
    mounts: int
    uts: int

    def enter(self) -> None:
        """Move this (single-threaded) process into the pod."""
        kernel.setns(self.network, kernel.CLONE_NEWNET)
        kernel.setns(self.uts, kernel.CLONE_NEWUTS)
        kernel.setns(self.mounts, kernel.CLONE_NEWNS)

    def close(self) -> None:
        for fd in (self.network, self.mounts, self.uts):
            os.close(fd)


class PodNetwork(Struct, frozen=True):
    """What to build: `link` is the node's end; `files` are (path on the machine, path that the pod
    sees it at)."""

    hostname: str
    ip: str
    link: str
    files: Sequence[tuple[str, str]] = ()
    chains: Sequence[Chain] = ()


async def make(pod: PodNetwork, exit_of: Callable[[int], Awaitable[int]]) -> PodSpace:
    """Build a pod's namespaces from the node's, in a child that has to move into them; `exit_of`
    waits for a child. Raises OSError with what failed; then nothing is left."""
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    with ours:
        child = os.fork()
        if child == 0:
            _become_builder(pod, theirs)
        ended = exit_of(child)
        theirs.close()
        await ended
        message, fds, _, _ = socket.recv_fds(ours, 4096, 3)
    if len(fds) != 3:
        raise OSError(
            f"the network of pod {pod.hostname} could not be made:"
            f" {message.decode() or 'helper died'}"
        )
    return PodSpace(*fds)


def _become_builder(pod: PodNetwork, answer: socket.socket) -> NoReturn:
    code = 1
    try:
        socket.send_fds(answer, [b"ok"], _build(pod))
        code = 0
    except OSError as error:
        with suppress(OSError):  # nobody may be waiting any more
            answer.send(str(error).encode())
    except BaseException:
        traceback.print_exc(file=sys.stderr)
    finally:
        os._exit(code)


def _build(pod: PodNetwork) -> list[int]:
    """Descriptors of the new namespaces: network, mounts, host name."""
    node = Links()
    kernel.unshare(kernel.CLONE_NEWNET | kernel.CLONE_NEWNS | kernel.CLONE_NEWUTS)
    kernel.sethostname(pod.hostname)
    fds = [
        os.open(f"/proc/self/ns/{kind}", os.O_RDONLY | os.O_CLOEXEC)
        for kind in ("net", "mnt", "uts")
    ]
    _connect(pod, node, fds[0])
    if pod.chains:
        nft.replace_table("istio", pod.chains)
    cover(pod.files)
    return fds


def cover(files: Sequence[tuple[str, str]]) -> None:
    """Let this mount namespace see our files in the machine's places, where the machine has such a
    file."""
    for source, target in files:
        if os.path.exists(target):
            kernel.mount(source, os.path.realpath(target), "none", kernel.MS_BIND)


def _connect(pod: PodNetwork, node: Links, network: int) -> None:
    """A veth pair; the pod reaches everything through the node, which knows the way to this one
    address."""
    node.add_veth(pod.link, "eth0", network)
    with Links() as inside:
        inside.up("lo")
        inside.add_address("eth0", pod.ip)
        inside.up("eth0")
        inside.add_route(f"{GATEWAY}/32", "eth0")
        inside.add_route("0.0.0.0/0", "eth0", via=GATEWAY)


def attach(pod: PodNetwork) -> None:
    """The node's end of the pair, up and routed. Called in the node's namespace."""
    with Links() as node:
        node.up(pod.link)
        node.add_route(f"{pod.ip}/32", pod.link, source=GATEWAY)


@contextmanager
def network_of(space: PodSpace, home: int) -> Iterator[None]:
    """Sockets opened in the block belong to the pod. `home` is the caller's own network namespace;
    no awaiting inside."""
    kernel.setns(space.network, kernel.CLONE_NEWNET)
    try:
        yield
    finally:
        kernel.setns(home, kernel.CLONE_NEWNET)


def setup_node(addresses: Sequence[str]) -> None:
    """The node's own namespace: loopback, its addresses, forwarding between pods. The default route
    leads nowhere; it lets connections to Service addresses begin, which rules then turn to pods.
    Raises OSError."""
    with Links() as node:
        node.up("lo")
        for address in addresses:
            node.add_address("lo", address)
        node.add_route("0.0.0.0/0", "lo", source=GATEWAY)
    Path("/proc/sys/net/ipv4/ip_forward").write_text("1")


def files_of_pod(directory: Path, hostname: str, namespace: str, ip: str) -> list[tuple[str, str]]:
    """Write what a pod sees in place of the machine's name service files; returns (ours, the place
    where it is seen)."""
    search = f"{namespace}.svc.cluster.local svc.cluster.local cluster.local"
    contents = {
        "/etc/resolv.conf": f"nameserver {DNS_ADDRESS}\nsearch {search}\noptions ndots:5\n",
        "/etc/hosts": f"127.0.0.1 localhost\n::1 localhost\n{ip} {hostname}\n",
        "/etc/nsswitch.conf": _nsswitch(Path("/etc/nsswitch.conf")),
    }
    for target, text in contents.items():
        (directory / Path(target).name).write_text(text)
    return [(str(directory / Path(target).name), target) for target in contents]


def _nsswitch(machine: Path) -> str:
    """The machine's, but names of hosts come from the hosts file and our DNS server only, not from
    a daemon outside."""
    try:
        lines = machine.read_text().splitlines()
    except OSError:
        lines = []
    return "\n".join(
        [*(line for line in lines if not line.startswith("hosts:")), "hosts: files dns", ""]
    )
