"""Every route, by everybody who may ask (security reference G4), over real loopback sockets."""

from __future__ import annotations

import base64
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families

from admin_api.site import MOST_BODY
from engine.config import load
from tests.admin_api.served import HOSTILE, USER, Served

OPEN_ROUTES = (
    "/health",
    "/ready",
    "/api/v1/health",
    "/api/v1/openapi.json",
    "/api/v1/docs",
    "/console/reference.js",
    "/",
    "/console/console.js",
    "/console/conferences.js",
    "/console/console.css",
    "/console/icon.svg",
)
ROUTES = (
    "/api/v1/status",
    "/api/v1/status/automates",
    "/api/v1/status/links",
    "/api/v1/status/lines",
)
METRICS = "/metrics"


@pytest.fixture(scope="module")
def module_served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    served = Served(Path(tmp_path_factory.mktemp("api")), "http.host_names=pbx.example.com")
    yield served
    served.close()


@pytest.fixture
def served(module_served: Served) -> Served:
    module_served.doors.asked.clear()
    module_served.broken = False
    module_served.doors.silent = False
    return module_served


class TestRights:
    def test_metrics(self, served: Served) -> None:
        """Prometheus' own parser reads them; no label names a call; whoever asks has to be an administrator."""
        assert served.ask(METRICS).status == 401
        answer = served.ask(METRICS, user=USER)
        assert answer.status == 200
        assert answer.headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8"
        families = {each.name: each for each in text_string_to_metric_families(answer.body.decode())}
        found = {sample.name: sample.value for each in families.values() for sample in each.samples}
        assert found["polyphony_calls"] == 1
        assert found["polyphony_worker_legs"] == 3
        assert found["polyphony_worker_late_ticks_total"] == 2
        assert found["polyphony_call_packets_lost_total"] == 8
        assert found["polyphony_call_mos_count"] == 3
        buckets = {
            each.labels["le"]: each.value
            for each in families["polyphony_call_mos"].samples
            if "le" in each.labels
        }
        assert (buckets["1.5"], buckets["4.25"], buckets["4.5"], buckets["+Inf"]) == (1, 2, 3, 3)
        labels = {name for each in families.values() for sample in each.samples for name in sample.labels}
        assert labels == {"worker", "counter", "direction", "codec", "le"}

    @pytest.mark.parametrize("path", ROUTES)
    def test_no_credentials(self, served: Served, path: str) -> None:
        """401, and the store is not even asked."""
        answer = served.ask(path)
        assert answer.is_problem(401)
        assert answer.headers["www-authenticate"].startswith("Basic realm=")
        assert served.doors.asked == []

    @pytest.mark.parametrize("path", ROUTES)
    def test_a_wrong_password(self, served: Served, path: str) -> None:
        """401; the store is told who asks."""
        assert served.ask(path, user=USER, password="guess").is_problem(401)
        assert served.doors.asked == [(USER, "guess", "127.0.0.1")]

    @pytest.mark.parametrize("path", ROUTES)
    def test_a_right_password(self, served: Served, path: str) -> None:
        """200 and JSON nobody keeps."""
        answer = served.ask(path, user=USER)
        assert answer.status == 200
        assert answer.headers["content-type"] == "application/json"
        assert answer.headers["cache-control"] == "no-store"
        assert answer.json

    @pytest.mark.parametrize("path", ROUTES)
    def test_the_local_socket(self, served: Served, path: str) -> None:
        """Who may open it needs no password, and no particular Host."""
        assert served.ask(path, local=True, Host="anything").status == 200
        assert served.socket.stat().st_mode & 0o777 == 0o600

    @pytest.mark.parametrize("path", OPEN_ROUTES)
    @pytest.mark.parametrize("local", [True, False])
    def test_what_is_for_everybody(self, served: Served, path: str, local: bool) -> None:
        """Health and the console's files, which hold nothing of this engine."""
        assert served.ask(path, local=local).status == 200

    @pytest.mark.parametrize(
        "header",
        [
            "Basic",
            "Basic !!!",
            "Basic " + base64.b64encode(b"no colon").decode(),
            "Bearer x",
            "Basic \xff",
            "",
        ],
    )
    def test_headers_that_are_no_credentials(self, served: Served, header: str) -> None:
        """401, without a fault."""
        assert served.ask(ROUTES[0], Authorization=header).is_problem(401)
        assert served.doors.asked == []

    def test_a_right_password_is_looked_up_once(self, served: Served) -> None:
        """A page that reads four routes every two seconds costs no hash each time."""
        for path in ROUTES * 2:
            served.ask(path, user=USER)
        assert len(served.doors.asked) <= 1

    def test_whoever_guesses_waits(self, served: Served) -> None:
        """429 with Retry-After."""
        served.doors.silent = True
        answer = served.ask(ROUTES[0], user=USER, password="guess")
        assert answer.is_problem(429)
        assert answer.headers["retry-after"] == "60"


class TestHost:
    @pytest.mark.parametrize("path", [*ROUTES, *OPEN_ROUTES])
    @pytest.mark.parametrize(
        "host", ["evil.example", "evil.example:80", "[::2]", "", "127.0.0.1.evil.example"]
    )
    def test_a_name_that_is_not_ours(self, served: Served, path: str, host: str) -> None:
        """A page that points its own name at us (DNS rebinding) gets 421 on every route."""
        assert served.ask(path, user=USER, Host=host).is_problem(421)

    @pytest.mark.parametrize(
        "host", ["localhost", "LOCALHOST:8080", "127.0.0.1", "127.0.0.1:1", "pbx.example.com"]
    )
    def test_names_that_are(self, served: Served, host: str) -> None:
        """The address the request came to, localhost, and ``http.host_names``; the port does not matter."""
        assert served.ask(ROUTES[0], user=USER, Host=host).status == 200


class TestErrors:
    @pytest.mark.parametrize(
        "path",
        [
            "/api/v1/nothing",
            "/api/v1/status/",
            "/api",
            "/api//v1/status",
            "/console/index.html",
            "/console/..%2fapp.py",
            "/console/../app.py",
            "/console/%00",
            "/%ff",
        ],
    )
    def test_no_such_route(self, served: Served, path: str) -> None:
        """404, whatever is tried to get at other files."""
        assert served.ask(path, user=USER).is_problem(404)

    @pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH"])
    @pytest.mark.parametrize("path", [*ROUTES, *OPEN_ROUTES])
    def test_no_such_method(self, served: Served, method: str, path: str) -> None:
        """405 with what is allowed; nothing can be changed here."""
        answer = served.ask(path, method=method, user=USER)
        assert answer.is_problem(405)
        assert answer.headers["allow"] == "GET, HEAD"

    def test_a_fault_of_ours(self, served: Served) -> None:
        """500 without a trace; the log has it."""
        served.broken = True
        answer = served.ask("/api/v1/status", user=USER)
        assert answer.is_problem(500)
        assert b"secret" not in answer.body

    @pytest.mark.parametrize("path", [*ROUTES, *OPEN_ROUTES, "/nothing"])
    def test_headers_of_every_answer(self, served: Served, path: str) -> None:
        """Scripts from us only, in no frame, of the type it says; no cross-origin reading."""
        headers = served.ask(path, user=USER, Origin="https://evil.example").headers
        assert "default-src 'self'" in headers["content-security-policy"]
        assert "frame-ancestors 'none'" in headers["content-security-policy"]
        assert headers["x-content-type-options"] == "nosniff"
        assert not any(name.startswith("access-control") for name in headers)
        assert "set-cookie" not in headers

    def test_text_from_the_network_is_data(self, served: Served) -> None:
        """It stays a JSON string; the console sets it as text (security reference G5)."""
        assert served.ask("/api/v1/status/links", user=USER).json[0]["last_error"] == HOSTILE
        for script in ("console.js", "conferences.js", "reference.js"):
            assert "innerHTML" not in served.ask(f"/console/{script}").body.decode()


def raw(served: Served, data: bytes) -> bytes:
    """Send octets, read until the end of the connection."""
    with socket.create_connection(("127.0.0.1", served.port), timeout=10) as connection:
        try:
            connection.sendall(data)
            connection.shutdown(socket.SHUT_WR)
        except OSError:
            pass
        received = b""
        try:
            while more := connection.recv(65536):
                received += more
        except ConnectionResetError:
            pass
        return received


class TestBodies:
    def test_one_that_says_it_is_too_long(self, served: Served) -> None:
        """413 at once, and nothing after it is read as a request."""
        hidden = b"GET /api/v1/health HTTP/1.1\r\nHost: localhost\r\n\r\n"
        said = raw(
            served,
            b"POST /api/v1/status HTTP/1.1\r\nHost: localhost\r\nContent-Length: %d\r\n\r\n" % (MOST_BODY + 1)
            + hidden,
        )
        assert said.startswith(b"HTTP/1.1 413 ")
        assert said.count(b"HTTP/1.1") == 1

    def test_one_that_turns_out_so(self, served: Served) -> None:
        """Chunks that do not end: 413 when the limit is passed."""
        chunk = b"10000\r\n" + bytes(65536) + b"\r\n"
        head = b"POST /api/v1/status HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n"
        said = raw(served, head + chunk * (MOST_BODY // 65536 + 1))
        assert b"200 OK" not in said
        assert said == b"" or said.startswith(b"HTTP/1.1 413 ")

    def test_one_at_the_limit(self, served: Served) -> None:
        """It is read, and then the method is refused."""
        head = b"POST /api/v1/status HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Length: %d\r\n\r\n"
        assert raw(served, head % MOST_BODY + bytes(MOST_BODY)).startswith(b"HTTP/1.1 405 ")

    def test_garbage(self, served: Served) -> None:
        """400, and the next one is served."""
        assert raw(served, b"\x16\x03\x01 nonsense\r\n\r\n").startswith(b"HTTP/1.1 400 ")
        assert served.ask("/api/v1/health").json == {"status": "ok"}


class TestListening:
    def test_where_is_told(self, served: Served) -> None:
        """For the ready line."""
        assert served.told == {
            "api": f"http://127.0.0.1:{served.port}/api/v1",
            "console": f"http://127.0.0.1:{served.port}/",
        }

    @pytest.mark.parametrize(
        ("bind", "secure"),
        [
            ("127.0.0.1", False),
            ("127.0.0.2", False),
            ("::1", False),
            ("0.0.0.0", True),
            ("192.0.2.1", True),
            ("::", True),
        ],
    )
    def test_plain_http_is_for_loopback(self, bind: str, secure: bool) -> None:
        """Passwords cross a network over TLS only."""
        assert load(None, [f"http.bind={bind}"]).http.secure is secure


class TestReady:
    def test_while_calls_are_taken(self, served: Served) -> None:
        """For everybody; and why not, once they are not."""
        assert served.ask("/ready").json == {"status": "ready"}
        served.lacking = "there is no media worker"
        try:
            answer = served.ask("/ready")
        finally:
            served.lacking = ""
        assert answer.is_problem(503)
        assert answer.json["detail"] == "There is no media worker."
