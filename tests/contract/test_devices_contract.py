"""The promise of a GPU driver, held to the virtual one and to NVML's over a library that stands in,
for every board of the table."""

from __future__ import annotations

from dataclasses import replace

import pytest

from contract.keepers import KEEPERS, PID, Keeper
from podium.domain.mig import Profile, layouts
from podium.engines.devices.contract import Distance, Instance, MigMode, ProfileKey, key_of
from podium.engines.devices.errors import (
    DriverError,
    GpuLostError,
    InsufficientResourcesError,
    InUseError,
    InvalidArgumentError,
    MissingError,
    NoPermissionError,
    NotSupportedError,
    ResetRequiredError,
)
from podium.engines.devices.health import fault_of
from podium.engines.devices.listing import Listing


@pytest.fixture(params=sorted(KEEPERS))
def keeper(request: pytest.FixtureRequest) -> Keeper:
    return KEEPERS[request.param]()


@pytest.fixture
def gpu(keeper: Keeper) -> str:
    """The first one, in MIG mode."""
    uuid = keeper.driver.gpus()[0].uuid
    assert keeper.driver.mig_mode_set(uuid, enabled=True) == MigMode(current=True, pending=True)
    return uuid


def smallest(keeper: Keeper) -> Profile:
    return min(keeper.board.profiles, key=lambda one: (one.memory_slices, one.media))


def places(keeper: Keeper, gpu: str) -> list[tuple[ProfileKey, int | None]]:
    return [(each.key, each.start) for each in keeper.driver.instances(gpu)]


def test_gpus_tell_what_they_are(keeper: Keeper) -> None:
    gpus = keeper.driver.gpus()
    assert [gpu.index for gpu in gpus] == [0, 1, 2]
    assert len({gpu.uuid for gpu in gpus}) == len({gpu.pci_bus_id for gpu in gpus}) == 3
    assert [gpu.type for gpu in gpus] == [keeper.board.name.split("-")[0]] * 2 + ["L4"]
    assert [gpu.mig for gpu in gpus] == [MigMode(current=False, pending=False)] * 2 + [None]
    assert all(gpu.virtual is keeper.driver.virtual for gpu in gpus)
    assert all(gpu.memory_bytes > 0 and gpu.driver_version for gpu in gpus)


def test_topology_knows_each_pair_once(keeper: Keeper) -> None:
    gpus = [gpu.uuid for gpu in keeper.driver.gpus()]
    topology = keeper.driver.topology()
    assert set(topology.distances) == {(gpus[0], gpus[1]), (gpus[0], gpus[2]), (gpus[1], gpus[2])}
    assert topology.distances[gpus[0], gpus[2]] is Distance.SYSTEM
    assert all(link.gpu in gpus and link.links > 0 for link in topology.links)
    assert all(link.peer in ("", *gpus) for link in topology.links)


def test_unknown_gpus_are_refused(keeper: Keeper) -> None:
    driver, key = keeper.driver, ProfileKey(1, 1)
    for ask in (
        lambda: driver.processes("GPU-x"), lambda: driver.mig_mode("GPU-x"),
        lambda: driver.profiles("GPU-x"), lambda: driver.instances("GPU-x"),
        lambda: driver.create("GPU-x", key, 0), lambda: driver.destroy("GPU-x", 1),
        lambda: driver.mig_mode_set("GPU-x", enabled=True), lambda: driver.health("GPU-x"),
    ):  # fmt: skip
        with pytest.raises(InvalidArgumentError):
            ask()
    assert driver.read("GPU-x", 5).measure.busy_milli is None


def test_models_without_mig_say_so(keeper: Keeper) -> None:
    plain = keeper.driver.gpus()[2].uuid
    for ask in (
        lambda: keeper.driver.mig_mode(plain),
        lambda: keeper.driver.mig_mode_set(plain, enabled=True),
        lambda: keeper.driver.create(plain, ProfileKey(1, 1), 0),
    ):
        with pytest.raises(NotSupportedError):
            ask()
    assert keeper.driver.profiles(plain) == keeper.driver.instances(plain) == ()


def test_profiles_have_the_geometry_of_the_table(keeper: Keeper) -> None:
    told = keeper.driver.profiles(keeper.driver.gpus()[0].uuid)
    assert {(key_of(one), one.starts, one.max_instances, one.smi_id, one.name) for one in told} == {
        (key_of(one), one.starts, one.max_instances, one.smi_id, one.name)
        for one in keeper.board.profiles
    }
    assert list(told) == sorted(told, key=lambda one: (one.memory_slices, one.compute_slices))


def test_nothing_is_made_while_mig_is_off(keeper: Keeper) -> None:
    gpu = keeper.driver.gpus()[0].uuid
    with pytest.raises(NotSupportedError):
        keeper.driver.create(gpu, key_of(smallest(keeper)), 0)
    assert keeper.driver.instances(gpu) == ()


def test_each_profile_is_made_at_each_start_and_ended(keeper: Keeper, gpu: str) -> None:
    uuids = []
    for profile in keeper.board.profiles:
        for start in profile.starts:
            made = keeper.driver.create(gpu, key_of(profile), start)
            assert (made.gpu, made.key, made.start) == (gpu, key_of(profile), start)
            assert (made.name, made.size) == (profile.name, profile.memory_slices)
            (whole,) = made.compute
            assert (whole.name, whole.compute_slices) == (profile.name, profile.compute_slices)
            assert whole.memory_bytes == profile.memory_bytes
            assert keeper.driver.instances(gpu) == (made,)
            uuids.append(whole.uuid)
            keeper.driver.destroy(gpu, made.id)
            assert keeper.driver.instances(gpu) == ()
    assert len(set(uuids)) == len(uuids)


def test_whole_layouts_are_made_and_nothing_fits_beside_them(keeper: Keeper, gpu: str) -> None:
    for layout in layouts(keeper.board)[::7]:
        made = [keeper.driver.create(gpu, key_of(profile), start) for profile, start in layout]
        stands = keeper.driver.instances(gpu)
        assert sorted(stands, key=lambda one: one.id) == sorted(made, key=lambda one: one.id)
        assert [one.start for one in stands] == sorted(start for _, start in layout)
        for profile in keeper.board.profiles:
            for start in profile.starts:
                with pytest.raises(InsufficientResourcesError) as refused:
                    keeper.driver.create(gpu, key_of(profile), start)
                assert refused.value.name == "NVML_ERROR_INSUFFICIENT_RESOURCES"
                assert refused.value.temporary
        assert keeper.driver.instances(gpu) == stands
        for one in made:
            keeper.driver.destroy(gpu, one.id)


def test_there_is_one_instance_with_media_engines_at_most(keeper: Keeper, gpu: str) -> None:
    media = next(one for one in keeper.board.profiles if one.media)
    keeper.driver.create(gpu, key_of(media), 0)
    with pytest.raises(InsufficientResourcesError):
        keeper.driver.create(gpu, key_of(media), 1)
    keeper.driver.create(gpu, key_of(smallest(keeper)), 1)


def test_starts_and_profiles_that_do_not_exist(keeper: Keeper, gpu: str) -> None:
    for profile in keeper.board.profiles:
        for start in set(range(-1, 9)) - set(profile.starts):
            with pytest.raises(InvalidArgumentError) as refused:
                keeper.driver.create(gpu, key_of(profile), start)
            assert refused.value.name == "NVML_ERROR_INVALID_ARGUMENT"
    for key in (ProfileKey(5, 5), ProfileKey(4, 4, media=True), ProfileKey(1, 3)):
        with pytest.raises(NotSupportedError):
            keeper.driver.create(gpu, key, 0)
    with pytest.raises(MissingError):
        keeper.driver.destroy(gpu, 99)
    assert places(keeper, gpu) == []


def test_an_instance_in_use_stays_while_others_come_and_go(keeper: Keeper, gpu: str) -> None:
    key = key_of(smallest(keeper))
    held, other = (keeper.driver.create(gpu, key, start) for start in (0, 1))
    keeper.occupy(gpu, held.compute[0].uuid)
    assert [(each.pid, each.instance) for each in keeper.driver.processes(gpu)] == [(PID, held.id)]
    with pytest.raises(InUseError) as refused:
        keeper.driver.destroy(gpu, held.id)
    assert refused.value.name == "NVML_ERROR_IN_USE"
    assert refused.value.temporary
    keeper.driver.destroy(gpu, other.id)
    keeper.driver.create(gpu, key, 2)
    assert keeper.driver.instances(gpu)[0] == held
    assert places(keeper, gpu) == [(key, 0), (key, 2)]
    keeper.leave(gpu)
    keeper.driver.destroy(gpu, held.id)
    assert places(keeper, gpu) == [(key, 2)]


def test_gpus_are_apart(keeper: Keeper, gpu: str) -> None:
    second = keeper.driver.gpus()[1].uuid
    keeper.driver.create(gpu, key_of(smallest(keeper)), 0)
    assert keeper.driver.instances(second) == ()
    assert not keeper.driver.mig_mode(second).current


def test_the_mode_of_a_busy_gpu_stays_pending(keeper: Keeper) -> None:
    gpu = keeper.driver.gpus()[0].uuid
    keeper.occupy(gpu, gpu)
    assert [(each.pid, each.instance) for each in keeper.driver.processes(gpu)] == [(PID, None)]
    with pytest.raises(InUseError):
        keeper.driver.mig_mode_set(gpu, enabled=True)
    assert keeper.driver.mig_mode(gpu) == MigMode(current=False, pending=True)
    keeper.leave(gpu)
    assert keeper.driver.mig_mode_set(gpu, enabled=True).current


def test_mig_cannot_be_turned_off_over_instances(keeper: Keeper, gpu: str) -> None:
    made = keeper.driver.create(gpu, key_of(smallest(keeper)), 0)
    with pytest.raises(InUseError):
        keeper.driver.mig_mode_set(gpu, enabled=False)
    assert keeper.driver.mig_mode(gpu).current
    keeper.driver.destroy(gpu, made.id)
    off = MigMode(current=False, pending=False)
    assert keeper.driver.mig_mode_set(gpu, enabled=False) == off
    assert keeper.driver.gpus()[0].mig == off


def test_a_mode_that_waits_for_a_reset(keeper: Keeper) -> None:
    gpu = keeper.driver.gpus()[0].uuid
    keeper.pending(gpu)
    with pytest.raises(ResetRequiredError) as refused:
        keeper.driver.mig_mode_set(gpu, enabled=True)
    assert not refused.value.temporary
    assert keeper.driver.mig_mode(gpu) == MigMode(current=False, pending=True)


def test_only_root_changes_anything(keeper: Keeper, gpu: str) -> None:
    key = key_of(smallest(keeper))
    made = keeper.driver.create(gpu, key, 1)
    keeper.privilege(False)
    for ask in (
        lambda: keeper.driver.create(gpu, key, 0),
        lambda: keeper.driver.destroy(gpu, made.id),
        lambda: keeper.driver.mig_mode_set(keeper.driver.gpus()[1].uuid, enabled=True),
    ):
        with pytest.raises(NoPermissionError) as refused:
            ask()
        assert not refused.value.temporary
    (seen,) = keeper.driver.instances(gpu)
    assert seen == replace(made, start=None), "all but where it lies is told to everyone"
    assert {key_of(one) for one in keeper.driver.profiles(gpu)} == {
        key_of(one) for one in keeper.board.profiles
    }
    keeper.privilege(True)
    assert keeper.driver.instances(gpu) == (made,)


def test_a_lost_gpu_is_still_known_and_others_go_on(keeper: Keeper, gpu: str) -> None:
    made = keeper.driver.create(gpu, key_of(smallest(keeper)), 0)
    listing = Listing(keeper.driver, "n1")
    before = listing.devices()
    keeper.lose(gpu)
    assert keeper.driver.gpus()[0].uuid == gpu
    assert keeper.driver.health(gpu).lost
    asks = (
        lambda: keeper.driver.instances(gpu), lambda: keeper.driver.processes(gpu),
        lambda: keeper.driver.mig_mode(gpu), lambda: keeper.driver.profiles(gpu),
        lambda: keeper.driver.create(gpu, made.key, 1), lambda: keeper.driver.destroy(gpu, made.id),
    )  # fmt: skip
    for ask in asks:
        with pytest.raises(GpuLostError):
            ask()
    assert keeper.driver.read(gpu, 5).measure.temperature_celsius is None
    after = listing.devices()
    assert [each.uuid for each in after] == [each.uuid for each in before]
    assert [each.healthy for each in after] == [False, True, True]
    assert after[0].fault == "It has fallen off the bus. Restart the machine."
    assert keeper.driver.health(keeper.driver.gpus()[1].uuid).lost is False


@pytest.mark.parametrize(
    ("number", "fault"),
    [
        (13, ""), (63, ""), (94, ""),
        (48, "XID 48: a memory error that could not be corrected. Reset it."),
        (79, "XID 79: it has fallen off the bus. Restart the machine."),
        (95, "XID 95: a memory error that was not contained. Reset it."),
    ],
)  # fmt: skip
def test_errors_that_make_a_gpu_unfit(keeper: Keeper, number: int, fault: str) -> None:
    gpu = keeper.driver.gpus()[1].uuid
    listing = Listing(keeper.driver, "n1")
    assert fault_of(keeper.driver.health(gpu)) == ""
    keeper.xid(gpu, number)
    assert [xid.number for xid in keeper.driver.health(gpu).xids] == [number]
    devices = listing.devices()
    assert (devices[1].healthy, devices[1].fault) == (not fault, fault)
    assert devices[0].healthy
    assert devices[2].healthy


def test_memory_that_could_not_be_corrected(keeper: Keeper) -> None:
    gpu = keeper.driver.gpus()[0].uuid
    keeper.ecc(gpu, 3)
    health = keeper.driver.health(gpu)
    assert (health.ecc_corrected, health.ecc_uncorrected) == (0, 3)
    assert fault_of(health) == "Its memory had errors that could not be corrected. Reset it."


def test_a_cut_gpu_is_listed_as_its_instances(keeper: Keeper, gpu: str) -> None:
    listing = Listing(keeper.driver, "n1")
    assert [each.uuid for each in listing.devices()] == [
        each.uuid for each in keeper.driver.gpus()[1:]
    ], "nothing stands on it yet"
    profile = smallest(keeper)
    made: list[Instance] = [
        keeper.driver.create(gpu, key_of(profile), start) for start in profile.starts[:2]
    ]
    devices = listing.devices()
    assert [each.index for each in devices] == [0, 1, 2, 3]
    assert [each.id for each in devices[:2]] == [one.compute[0].uuid for one in made]
    assert {each.mig_profile for each in devices[:2]} == {profile.name}
    assert {each.memory_bytes for each in devices[:2]} == {profile.memory_bytes}
    assert {each.type for each in devices[:2]} == {keeper.board.name.split("-")[0]}
    assert {each.virtual for each in devices} == {keeper.driver.virtual}


def test_every_refusal_is_a_sentence(keeper: Keeper, gpu: str) -> None:
    key = key_of(smallest(keeper))
    keeper.driver.create(gpu, key, 0)
    for ask in (
        lambda: keeper.driver.create(gpu, key, 0), lambda: keeper.driver.create(gpu, key, 9),
        lambda: keeper.driver.destroy(gpu, 77), lambda: keeper.driver.mig_mode("x"),
    ):  # fmt: skip
        with pytest.raises(DriverError) as refused:
            ask()
        assert refused.value.message.endswith(".")
        assert "NVML" not in refused.value.message
