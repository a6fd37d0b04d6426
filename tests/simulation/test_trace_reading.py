"""Traces from files: what is right is read as it stands; of what is wrong, row and field are
named."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from podium.domain.errors import UserError
from podium.simulation.queueing.reading import read_trace
from podium.simulation.queueing.trace import Runtimes, TraceJob

HEADER = "submit_s,duration_s,num_gpu"


def faults(path: Path, text: str | bytes) -> list[str]:
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    with pytest.raises(UserError) as caught:
        read_trace(path)
    return [str(fault) for fault in caught.value.faults]


def test_a_small_file(tmp_path: Path) -> None:
    path = tmp_path / "jobs.csv"
    path.write_bytes(
        b"\xef\xbb\xbfjob_id, num_gpu ,submit_s,duration_s,model,group,requested_s\r\n"
        b'b,8,12.0004,1e3,vgg16,"vision, large",\r\n'
        b"\r\n"
        b"a,1.0,0,0.0001,dqn,speech,60\r\n"
    )
    trace = read_trace(path)
    assert trace.name == "jobs.csv"
    assert trace.jobs == (
        TraceJob(
            job_id="a", submitted_ms=0, duration_ms=1, gpus=1, group="speech",
            requested_ms=60_000, row=4,
        ),
        TraceJob(
            job_id="b", submitted_ms=12_000, duration_ms=1_000_000, gpus=8, group="vision, large",
            row=2,
        ),
    )  # fmt: skip
    assert trace.estimates_ms(Runtimes.EXACT) == [1, 1_000_000]
    assert trace.estimates_ms(Runtimes.UNKNOWN) is None
    with pytest.raises(UserError, match=r"jobs\.csv, row 2, requested_s: is missing"):
        trace.estimates_ms(Runtimes.REQUESTED)


def test_without_ids_and_groups(tmp_path: Path) -> None:
    path = tmp_path / "jobs.csv"
    path.write_text(f"{HEADER}\n5,1,1\n5,2,1\n0,1,1\n")
    jobs = read_trace(path).jobs
    assert [(job.row, job.group) for job in jobs] == [(4, None), (2, None), (3, None)]
    assert len({job.job_id for job in jobs}) == 3


@pytest.mark.parametrize(
    ("row", "words"),
    [
        ("x,1,1", "row 3, submit_s: 'x' is not a number."),
        (",1,1", "row 3, submit_s: is empty."),
        ("-1,1,1", "row 3, submit_s: -1 is too small."),
        ("nan,1,1", "row 3, submit_s: 'nan' is not a number."),
        ("1e300,1,1", "row 3, submit_s: 1e300 is more than 3,000 years."),
        ("0,inf,1", "row 3, duration_s: 'inf' is not a number."),
        ("0,0,1", "row 3, duration_s: 0 is too small."),
        ("0,-5,1", "row 3, duration_s: -5 is too small."),
        ("0,1_000,1", "row 3, duration_s: '1_000' is not a number."),
        ("0,1,0", "row 3, num_gpu: 0 is not a count of GPUs."),
        ("0,1,0.5", "row 3, num_gpu: 0.5 is not a count of GPUs."),
        ("0,1,eight", "row 3, num_gpu: 'eight' is not a number."),
        ("0,1", "row 3: has 2 cells; the first row names 3 columns."),
        ("0,1,1,1", "row 3: has 4 cells; the first row names 3 columns."),
        ('0,1,"1', "row 3: is not CSV"),
    ],
)
def test_a_broken_row_is_named(tmp_path: Path, row: str, words: str) -> None:
    found = faults(tmp_path / "jobs.csv", f"{HEADER}\n0,1,1\n{row}\n")
    assert len(found) == 1
    assert found[0].startswith(f"jobs.csv, {words}")


def test_faults_of_optional_columns(tmp_path: Path) -> None:
    text = f"job_id,{HEADER},requested_s\na,0,1,1,\na,0,1,1,5\n,0,1,1,0\n"
    found = faults(tmp_path / "jobs.csv", text)
    assert [words.split(". ")[0] for words in found] == [
        "jobs.csv, row 3, job_id: 'a' is the job of row 2, too",
        "jobs.csv, row 4, requested_s: 0 is too small",
        "jobs.csv, row 4, job_id: is empty",
    ]


def test_faults_of_the_whole_file(tmp_path: Path) -> None:
    path = tmp_path / "jobs.csv"
    assert faults(path, "")[0].startswith("jobs.csv, row 1: is empty.")
    assert faults(path, f"{HEADER}\n") == ["jobs.csv: has no job that ran. Give at least one."]
    assert "duration_s: there is no such column." in faults(path, "submit_s,num_gpu\n0,1\n")[0]
    assert "submit_s: is there more than once." in faults(path, f"{HEADER},submit_s\n0,1,1,0\n")[0]
    assert "is not text in UTF-8" in faults(path, b"\xff\xfe\x00")[0]
    with pytest.raises(UserError, match="No such file"):
        read_trace(tmp_path / "none.csv")
    with pytest.raises(UserError, match="cannot be read"):
        read_trace(tmp_path)


def test_many_faults_are_counted(tmp_path: Path) -> None:
    found = faults(tmp_path / "jobs.csv", f"{HEADER}\n" + "x,1,1\n" * 500)
    assert len(found) == 11
    assert found[-1] == "jobs.csv: 490 more such faults."


SWF = """\
; Version: 2.2
; Computer: a cluster

  1   0  5 100  4 -1 -1  8 200 -1 1  7  3 -1 -1 -1 -1 -1
  2  10 -1  -1 -1 -1 -1  8 200 -1 5  7  3 -1 -1 -1 -1 -1
  3  20 -1  50 -1 -1 -1  2  -1 -1 1  7 -1 -1 -1 -1 -1 -1
"""


def test_standard_workload_format(tmp_path: Path) -> None:
    """Allocated processors before requested ones; job 2 was given up before it ran."""
    for name in ("log.swf", "log.txt"):
        path = tmp_path / name
        path.write_text(SWF)
        trace = read_trace(path)
        assert trace.skipped == 1
        assert trace.jobs == (
            TraceJob(
                job_id="1", submitted_ms=0, duration_ms=100_000, gpus=4, group="3",
                requested_ms=200_000, row=4,
            ),
            TraceJob(job_id="3", submitted_ms=20_000, duration_ms=50_000, gpus=2, row=6),
        )  # fmt: skip


def test_broken_records_of_the_workload_format(tmp_path: Path) -> None:
    path = tmp_path / "log.swf"
    assert "log.swf, row 7: has 3 fields." in faults(path, f"{SWF}1 2 3\n")[0]
    broken = SWF.replace("  3  20 -1  50", "  3  abc -1  50")
    assert faults(path, broken)[0].startswith("log.swf, row 6, submit_s: 'abc' is not a number.")
    assert "duration_s: -7 is too small." in faults(path, SWF.replace(" 50 ", " -7 "))[0]


@given(
    st.lists(
        st.tuples(
            st.integers(0, 10**9), st.integers(1, 10**9), st.integers(1, 512), st.text(max_size=8)
        ),
        min_size=1,
        max_size=20,
    )
)
def test_what_is_written_is_read(
    tmp_path_factory: pytest.TempPathFactory, rows: list[tuple[int, int, int, str]]
) -> None:
    path = tmp_path_factory.mktemp("trace") / "jobs.csv"
    kept = [(*numbers, words.translate({13: 32, 10: 32, 0: 32})) for *numbers, words in rows]
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["submit_s", "duration_s", "num_gpu", "group"])
        writer.writerows([a / 1000, b / 1000, gpus, words] for a, b, gpus, words in kept)
    read = read_trace(path).jobs
    order = sorted(range(len(kept)), key=lambda at: (kept[at][0], at))
    assert [(job.submitted_ms, job.duration_ms, job.gpus, job.group) for job in read] == [
        (kept[at][0], kept[at][1], kept[at][2], kept[at][3].strip()) for at in order
    ]
