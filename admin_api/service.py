"""The REST API and the console as a service of the engine: on TCP for browsers, on a Unix socket for commands."""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, cast

from twisted.internet import defer

from admin_api.app import AdminApi
from admin_api.authentication import LocalUser, RequestAuthentication
from admin_api.site import ServerTls, site_of
from admin_api.throttle import Throttle

if TYPE_CHECKING:
    from twisted.internet.address import IPv4Address, IPv6Address
    from twisted.internet.interfaces import IListeningPort
    from twisted.internet.protocol import ServerFactory

    from admin_api.authentication import Authentication
    from engine.services import ServiceContext


class AdminService:
    """Listens on ``http.bind``/``http.port`` and on ``engine.sock`` in the data directory."""

    def __init__(self, context: ServiceContext) -> None:
        self._context = context
        self._ports: list[IListeningPort] = []
        self._apis: list[AdminApi] = []

    async def start(self) -> Mapping[str, str]:
        """Listen; tell where."""
        http = self._context.config.http
        port = self._listen()
        self._ports.append(port)
        self._ports.append(self._listen_locally())
        number = cast("IPv4Address | IPv6Address", port.getHost()).port
        base = f"{'https' if http.secure else 'http'}://{_authority(http.bind, number)}"
        return {"api": f"{base}/api/v1", "console": f"{base}/"}

    async def stop(self) -> None:
        """Stop listening; whoever follows events is told no more."""
        for api in self._apis:
            api.stop()
        for port in self._ports:
            await defer.maybeDeferred(port.stopListening)

    def _listen(self) -> IListeningPort:
        """For browsers, with passwords; over TLS unless nobody but this host can connect."""
        context, http = self._context, self._context.config.http
        authentication = RequestAuthentication(context.authenticator)
        throttle = Throttle(http.source_rate, http.token_rate, context.reactor.seconds)
        site = self._site(authentication, http.host_names, throttle)
        if not http.secure:
            return context.reactor.listenTCP(http.port, site, interface=http.bind)
        tls = ServerTls(context.certificate, context.key)
        return context.reactor.listenSSL(http.port, site, tls, interface=http.bind)

    def _listen_locally(self) -> IListeningPort:
        """For commands, without: the socket's mode is the password."""
        context = self._context
        context.socket.unlink(missing_ok=True)
        site = self._site(LocalUser(), None)
        return context.reactor.listenUNIX(str(context.socket), site, mode=0o600, wantPID=False)

    def _site(
        self,
        authentication: Authentication,
        host_names: Sequence[str] | None,
        throttle: Throttle | None = None,
    ) -> ServerFactory:
        context = self._context
        api = AdminApi(
            context.status,
            context.conferences,
            context.planned,
            context.desk,
            context.events,
            authentication,
            context.authenticator,
            host_names,
            context.reactor,
            throttle,
        )
        self._apis.append(api)
        return cast("ServerFactory", site_of(api))


def _authority(host: str, port: int) -> str:
    return f"[{host}]:{port}" if ipaddress.ip_address(host).version == 6 else f"{host}:{port}"


def service(context: ServiceContext) -> AdminService:
    """The entry point ``polyphony.services``."""
    return AdminService(context)
