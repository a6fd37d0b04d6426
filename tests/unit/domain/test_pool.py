"""Which pool a node belongs to, and who may use which."""

from __future__ import annotations

from podium.domain.pool import NO_POOL, Pool, pool_of, pools_open, sole_pool

GPU = ("gpu", "a100")
SAFE = ("zone", "secure")
A100 = Pool(name="a100", labels=(GPU,))
SECURE = Pool(name="secure", labels=(SAFE,), teams=("red",))
BOTH = Pool(name="zz", labels=(GPU, SAFE), projects=("vision",))


def test_a_node_belongs_to_the_first_pool_all_of_whose_labels_it_carries() -> None:
    pools = (A100, SECURE, BOTH)
    assert pool_of((GPU, SAFE), pools) == "a100"
    assert pool_of((GPU, SAFE), (SECURE, BOTH)) == "secure"
    assert pool_of((SAFE,), (BOTH,)) == NO_POOL
    assert pool_of((), pools) == NO_POOL
    assert pool_of((GPU,), ()) == NO_POOL


def test_a_closed_pool_leaves_the_others_and_the_nodes_of_none() -> None:
    assert pools_open((A100,), "vision", "red") is None
    assert pools_open((A100, SECURE), "vision", "red") is None
    assert pools_open((A100, SECURE), "vision", "blue") == (NO_POOL, "a100")
    assert pools_open((SECURE, BOTH), "speech", None) == (NO_POOL,)
    assert pools_open((BOTH,), "vision", None) is None
    assert pools_open((), "vision", None) is None


def test_policies_of_a_pool_hold_for_work_that_names_it_alone() -> None:
    assert sole_pool(("a100",)) == "a100"
    assert sole_pool(()) is None
    assert sole_pool(("a100", "h100")) is None
