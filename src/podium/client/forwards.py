"""Where the audit trail is forwarded to. Reached as `client.forwards`."""

from __future__ import annotations

from podium.client.transport import Transport, path_of
from podium.spec.views.forwarding import ForwardsView, ForwardTrialView, ForwardView


class Forwards:
    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def list(self) -> list[ForwardView]:
        return self._transport.fetch(ForwardsView, "/audit/forwards").items

    def get(self, name: str) -> ForwardView:
        """Raises NotFoundError."""
        return self._transport.fetch(ForwardView, path_of("audit", "forwards", name))

    def set(
        self,
        name: str,
        address: str,
        *,
        secret: str | None = None,
        ca: str | None = None,
        from_start: bool = False,
    ) -> ForwardView:
        """Make or change one, which goes on where it was. `address` is udp://, tcp:// or
        tls://HOST:PORT for syslog, https://… for a webhook, whose batches `secret` signs; `ca` are
        certificates (PEM). None leaves what is there. Raises UserError, which names the field."""
        body: dict[str, object] = {"address": address, "from_start": from_start}
        if secret is not None:
            body["secret"] = secret
        if ca is not None:
            body["ca"] = ca
        answer = self._transport.send("PUT", path_of("audit", "forwards", name), body=body)
        return self._transport.parse(ForwardView, answer)

    def test(self, name: str) -> ForwardTrialView:
        """Send it an entry that is none."""
        answer = self._transport.send("POST", path_of("audit", "forwards", name, "test"))
        return self._transport.parse(ForwardTrialView, answer)

    def remove(self, name: str) -> None:
        """Raises NotFoundError."""
        self._transport.send("DELETE", path_of("audit", "forwards", name))
