"""`podium.Client`: one object for one server, with a part for each noun."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import TracebackType
from typing import Any

from podium.client import config
from podium.client.access import Access
from podium.client.accounts import Accounts
from podium.client.audit import Audit
from podium.client.auth import Auth
from podium.client.bookings import Bookings
from podium.client.budgets import Budgets
from podium.client.capacity import Capacity
from podium.client.clusters import Clusters
from podium.client.compliance import Compliance
from podium.client.cost import Cost
from podium.client.data import Data
from podium.client.directory import Directory
from podium.client.forwards import Forwards
from podium.client.groups import Groups
from podium.client.mig import Mig
from podium.client.nodes import Nodes
from podium.client.notices import Notices
from podium.client.overview import Overview
from podium.client.policies import PolicyBook
from podium.client.pools import Pools
from podium.client.prices import Prices
from podium.client.projects import Projects
from podium.client.providers import Providers
from podium.client.queue import Queue
from podium.client.quotas import Quotas
from podium.client.scheduler import Scheduler
from podium.client.search import Search
from podium.client.secrets import Secrets
from podium.client.server import Server
from podium.client.teams import Teams
from podium.client.tokens import Tokens
from podium.client.transport import ATTEMPTS, Transport
from podium.client.uploads import Uploads
from podium.client.usage import Usage
from podium.client.users import Users
from podium.client.views import Views
from podium.client.workloads import Workloads
from podium.spec.views.explain import WhatIfView


class Client:
    """Talks to one Podium server.

        with podium.Client() as client:
            made = client.workloads.submit({"name": "hello", "command": ["echo", "hello"]})
            print(client.workloads.wait(made.id).state)

    `server` and `token` default to PODIUM_SERVER and PODIUM_TOKEN, then to what `podium login`
    kept. Methods raise the errors of `podium.domain.errors`. Not for use by several threads at
    once, except that streams may be read in one thread while another makes requests.
    """

    def __init__(
        self,
        server: str | None = None,
        token: str | None = None,
        *,
        project: str | None = None,
        timeout_seconds: float = 60.0,
        attempts: int = ATTEMPTS,
    ) -> None:
        target = config.target(server, token)
        self._transport = Transport(
            target.server, target.token, timeout_seconds=timeout_seconds, attempts=attempts
        )
        self.access = Access(self._transport)
        self.accounts = Accounts(self._transport)
        self.audit = Audit(self._transport)
        self.auth = Auth(self._transport)
        self.bookings = Bookings(self._transport)
        self.budgets = Budgets(self._transport)
        self.cost = Cost(self._transport)
        self.capacity = Capacity(self._transport)
        self.clusters = Clusters(self._transport)
        self.compliance = Compliance(self._transport)
        self.data = Data(self._transport)
        self.directory = Directory(self._transport)
        self.forwards = Forwards(self._transport)
        self.groups = Groups(self._transport)
        self.mig = Mig(self._transport)
        self.nodes = Nodes(self._transport)
        self.notices = Notices(self._transport)
        self.overview = Overview(self._transport)
        self.policies = PolicyBook(self._transport)
        self.pools = Pools(self._transport)
        self.prices = Prices(self._transport)
        self.projects = Projects(self._transport, project or target.project)
        self.providers = Providers(self._transport)
        self.queue = Queue(self._transport)
        self.quotas = Quotas(self._transport)
        self.scheduler = Scheduler(self._transport)
        self.search = Search(self._transport)
        self.secrets = Secrets(self._transport)
        self.server = Server(self._transport)
        self.teams = Teams(self._transport)
        self.tokens = Tokens(self._transport)
        self.uploads = Uploads(self._transport)
        self.usage = Usage(self._transport)
        self.users = Users(self._transport)
        self.views = Views(self._transport)
        self.workloads = Workloads(self._transport, self.projects)

    def what_if(self, changes: Sequence[Mapping[str, Any]]) -> WhatIfView:
        """What the changes would do, one after another; nothing is done.

            client.what_if([{"change": "drain", "node": "n1"}])

        Each names its `change`: quota, drain, cordon, lose, add_nodes, book, layout, submit,
        cancel or priority. Raises UserError, which names the field (`changes.0.node`).
        """
        answer = self._transport.send(
            "POST", "/what-if", body={"changes": list(changes)}, repeatable=True
        )
        return self._transport.parse(WhatIfView, answer)

    @property
    def signed_in(self) -> bool:
        """True when a token is at hand; the server may still refuse it."""
        return self._transport.token is not None

    def close(self) -> None:
        self._transport.close()

    def __enter__(self) -> Client:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()
