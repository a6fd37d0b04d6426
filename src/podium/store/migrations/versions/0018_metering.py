"""Bills by day and price, their sums, what devices were there, and prices for borrowed and idle.

The bills of before are cut at days and prices, as those from now on are.
"""

from bisect import bisect_right
from itertools import pairwise

from alembic import op
import sqlalchemy as sa

revision = "0018"
down_revision = "0017"

_DAY_MS = 86_400_000
_ROWS = 1000


def upgrade() -> None:
    op.add_column(
        "allocation_devices",
        sa.Column("gpu_type", sa.Text(), nullable=False, server_default=sa.text("''")),
    )
    op.add_column(
        "allocation_devices",
        sa.Column("borrowed_milli", sa.BigInteger(), nullable=False, server_default=sa.text("0")),
    )
    op.add_column("prices", sa.Column("borrowed_micros_per_gpu_hour", sa.BigInteger()))
    op.add_column(
        "prices",
        sa.Column(
            "idle_micros_per_gpu_hour", sa.BigInteger(), nullable=False, server_default=sa.text("0")
        ),
    )
    _create()
    _name_types()
    _carry_over()
    op.drop_table("usage")


def _create() -> None:
    op.create_table(
        "busy_meters",
        sa.Column("allocation_id", sa.Text(), nullable=False),
        sa.Column("measured_ms", sa.BigInteger(), nullable=False),
        sa.Column("busy_milli_ms", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["allocation_id"], ["allocations.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("allocation_id"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "bill_lines",
        sa.Column("allocation_id", sa.Text(), nullable=False),
        sa.Column("gpu_type", sa.Text(), nullable=False),
        sa.Column("day_ms", sa.BigInteger(), nullable=False),
        sa.Column("rate_ms", sa.BigInteger(), nullable=False),
        sa.Column("workload_id", sa.Text(), nullable=False),
        sa.Column("project", sa.Text(), nullable=False),
        sa.Column("team", sa.Text(), nullable=False),
        sa.Column("cost_centre", sa.Text(), nullable=False),
        sa.Column("owner", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("until_ms", sa.BigInteger(), nullable=False),
        sa.Column("runtime_ms", sa.BigInteger(), nullable=False),
        *_amounts(),
        sa.PrimaryKeyConstraint("allocation_id", "gpu_type", "day_ms", "rate_ms"),
    )
    op.create_table(
        "usage_days",
        sa.Column("day_ms", sa.BigInteger(), nullable=False),
        sa.Column("project", sa.Text(), nullable=False),
        sa.Column("team", sa.Text(), nullable=False),
        sa.Column("cost_centre", sa.Text(), nullable=False),
        sa.Column("owner", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("gpu_type", sa.Text(), nullable=False),
        sa.Column("rate_ms", sa.BigInteger(), nullable=False),
        *_amounts(),
        sa.Column("replicas", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint(
            "day_ms", "project", "team", "cost_centre", "owner", "kind", "gpu_type", "rate_ms"
        ),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "device_spans",
        sa.Column("device_id", sa.Text(), nullable=False),
        sa.Column("since_ms", sa.BigInteger(), nullable=False),
        sa.Column("until_ms", sa.BigInteger()),
        sa.Column("node", sa.Text(), nullable=False),
        sa.Column("gpu_type", sa.Text(), nullable=False),
        sa.Column("in_service", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("device_id", "since_ms"),
    )
    for name, table, columns in (
        ("bill_lines_by_day", "bill_lines", ["day_ms"]),
        ("bill_lines_by_workload", "bill_lines", ["workload_id"]),
        ("usage_days_by_project", "usage_days", ["project", "day_ms"]),
        ("usage_days_by_owner", "usage_days", ["owner", "day_ms"]),
        ("device_spans_by_end", "device_spans", ["until_ms"]),
    ):
        op.create_index(name, table, columns)
    is_open = sa.text("until_ms IS NULL")
    op.create_index(
        "device_spans_open",
        "device_spans",
        ["node"],
        sqlite_where=is_open,
        postgresql_where=is_open,
    )


def _amounts() -> list[sa.Column[int]]:
    return [
        sa.Column(name, sa.BigInteger(), nullable=False)
        for name in (
            "gpu_milli_ms",
            "borrowed_milli_ms",
            "measured_milli_ms",
            "idle_milli_ms",
            "unbilled_milli_ms",
            "cpu_milli_ms",
            "cpu_used_ms",
            "memory_peak_bytes",
        )
    ]


def _name_types() -> None:
    op.execute(
        "UPDATE allocation_devices SET gpu_type = COALESCE((SELECT CASE WHEN mig_profile IS NULL "
        "THEN type ELSE type || ' ' || mig_profile END FROM devices "
        "WHERE devices.id = allocation_devices.device_id), '')"
    )


def _carry_over() -> None:
    """A bill over several types was never divided among them, and keeps their names together."""
    connection = op.get_bind()
    changes: dict[str, list[int]] = {}
    for gpu_type, since_ms in connection.execute(
        sa.text("SELECT gpu_type, since_ms FROM prices ORDER BY gpu_type, since_ms")
    ):
        changes.setdefault(gpu_type, []).append(since_ms)
    changes = {gpu_type: known[1:] for gpu_type, known in changes.items()}
    after = ""
    while bills := connection.execute(_OF_BEFORE, {"after": after, "rows": _ROWS}).all():
        lines = [line for bill in bills for line in _lines(bill, changes.get(bill.gpu_type, []))]
        connection.execute(_INSERT, lines)
        after = bills[-1].allocation_id
    connection.execute(_SUM)


def _lines(bill: "sa.Row[*tuple[object, ...]]", changes: list[int]) -> list[dict[str, object]]:
    start_ms = bill.ended_at_ms - bill.runtime_ms
    days = range(start_ms // _DAY_MS * _DAY_MS + _DAY_MS, bill.ended_at_ms, _DAY_MS)
    inside = [each for each in changes if start_ms < each < bill.ended_at_ms]
    marks = [start_ms, *sorted({*inside, *days}), bill.ended_at_ms]
    # Exact where the allocation is still known; else the thousandths that were lost are not.
    gpu = bill.gpu_ms * 1000 if bill.gpu_milli is None else bill.gpu_milli * bill.runtime_ms
    cpu = bill.cpu_allocated_ms * 1000
    if bill.cpu_milli is not None:
        cpu = bill.cpu_milli * bill.runtime_ms
    lines = []
    for begin_ms, finish_ms in pairwise(marks):
        before = bisect_right(changes, begin_ms)
        span = (begin_ms - start_ms, finish_ms - start_ms, bill.runtime_ms)
        lines.append(
            {
                "allocation_id": bill.allocation_id,
                "gpu_type": bill.gpu_type,
                "day_ms": begin_ms // _DAY_MS * _DAY_MS,
                "rate_ms": changes[before - 1] if before else 0,
                "workload_id": bill.workload_id,
                "project": bill.project,
                "team": bill.team,
                "cost_centre": bill.cost_centre,
                "owner": bill.owner,
                "kind": bill.kind,
                "until_ms": finish_ms,
                "runtime_ms": finish_ms - begin_ms,
                "gpu_milli_ms": _part(gpu, *span),
                "cpu_milli_ms": _part(cpu, *span),
                "cpu_used_ms": _part(bill.cpu_used_ms, *span),
                "memory_peak_bytes": bill.memory_peak_bytes,
            }
        )
    return lines


def _part(amount: int, from_ms: int, until_ms: int, whole_ms: int) -> int:
    if not whole_ms:
        return amount
    return amount * until_ms // whole_ms - amount * from_ms // whole_ms


_OF_BEFORE = sa.text(
    "SELECT u.*, a.gpu_milli, a.cpu_milli, COALESCE(w.owner, '') AS owner, "
    "COALESCE(w.kind, '') AS kind, "
    "COALESCE(NULLIF(p.cost_centre, ''), t.cost_centre, '') AS cost_centre "
    "FROM usage AS u LEFT JOIN allocations AS a ON a.id = u.allocation_id "
    "LEFT JOIN workloads AS w ON w.id = u.workload_id "
    "LEFT JOIN projects AS p ON p.name = u.project LEFT JOIN teams AS t ON t.name = p.team "
    "WHERE u.allocation_id > :after ORDER BY u.allocation_id LIMIT :rows"
)
_INSERT = sa.text(
    "INSERT INTO bill_lines (allocation_id, gpu_type, day_ms, rate_ms, workload_id, project, "
    "team, cost_centre, owner, kind, until_ms, runtime_ms, gpu_milli_ms, borrowed_milli_ms, "
    "measured_milli_ms, idle_milli_ms, unbilled_milli_ms, cpu_milli_ms, cpu_used_ms, "
    "memory_peak_bytes) VALUES (:allocation_id, :gpu_type, :day_ms, :rate_ms, :workload_id, "
    ":project, :team, :cost_centre, :owner, :kind, :until_ms, :runtime_ms, :gpu_milli_ms, 0, 0, 0, 0, "
    ":cpu_milli_ms, :cpu_used_ms, :memory_peak_bytes)"
)
_SUM = sa.text(
    "INSERT INTO usage_days (day_ms, project, team, cost_centre, owner, kind, gpu_type, rate_ms, "
    "gpu_milli_ms, borrowed_milli_ms, measured_milli_ms, idle_milli_ms, unbilled_milli_ms, "
    "cpu_milli_ms, cpu_used_ms, memory_peak_bytes, replicas) "
    "SELECT day_ms, project, team, cost_centre, owner, kind, gpu_type, rate_ms, "
    "SUM(gpu_milli_ms), 0, 0, 0, 0, SUM(cpu_milli_ms), SUM(cpu_used_ms), "
    "MAX(memory_peak_bytes), SUM(last) FROM (SELECT b.*, CASE WHEN EXISTS (SELECT 1 FROM "
    "bill_lines AS l WHERE l.allocation_id = b.allocation_id AND (l.day_ms > b.day_ms OR "
    "(l.day_ms = b.day_ms AND l.rate_ms > b.rate_ms))) THEN 0 ELSE 1 END AS last "
    "FROM bill_lines AS b) AS known "
    "GROUP BY day_ms, project, team, cost_centre, owner, kind, gpu_type, rate_ms"
)
