"""The REST API and the console as a service of the engine: on TCP for browsers, on a Unix socket for commands."""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from typing import TYPE_CHECKING, cast

from twisted.internet import defer
from twisted.internet.ssl import DefaultOpenSSLContextFactory
from twisted.web.server import Site

from admin_api.app import AdminApi
from admin_api.authentication import BasicAuthentication, LocalUser

if TYPE_CHECKING:
    from twisted.internet.address import IPv4Address, IPv6Address
    from twisted.internet.interfaces import IListeningPort
    from twisted.internet.protocol import ServerFactory

    from engine.services import ServiceContext


class AdminService:
    """Listens on ``http.bind``/``http.port`` and on ``engine.sock`` in the data directory."""

    def __init__(self, context: ServiceContext) -> None:
        self._context = context
        self._ports: list[IListeningPort] = []

    async def start(self) -> Mapping[str, str]:
        """Listen; tell where."""
        context = self._context
        http = context.config.http
        remote = AdminApi(
            context.status,
            BasicAuthentication(context.verify_admin),
            host_names=(http.bind, *http.host_names),
        )
        local = AdminApi(context.status, LocalUser(), host_names=None)
        if http.secure:
            factory = DefaultOpenSSLContextFactory(str(context.key), str(context.certificate))
            port = context.reactor.listenSSL(http.port, _site(remote), factory, interface=http.bind)
        else:
            port = context.reactor.listenTCP(http.port, _site(remote), interface=http.bind)
        self._ports.append(port)
        context.socket.unlink(missing_ok=True)
        self._ports.append(
            context.reactor.listenUNIX(str(context.socket), _site(local), mode=0o600, wantPID=False)
        )
        address = cast("IPv4Address | IPv6Address", port.getHost())
        base = f"{'https' if http.secure else 'http'}://{_authority(http.bind, address.port)}"
        return {"api": f"{base}/api/v1", "console": f"{base}/"}

    async def stop(self) -> None:
        """Stop listening."""
        for port in self._ports:
            await defer.maybeDeferred(port.stopListening)


def _site(api: AdminApi) -> ServerFactory:
    return cast("ServerFactory", Site(api.resource()))


def _authority(host: str, port: int) -> str:
    return f"[{host}]:{port}" if ipaddress.ip_address(host).version == 6 else f"{host}:{port}"


def service(context: ServiceContext) -> AdminService:
    """The entry point ``polyphony.services``."""
    return AdminService(context)
