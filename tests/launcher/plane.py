"""The launcher of Kubernetes on a real control plane, with the rights of its page and no others: a line for each thing that it must do.

``python -m tests.launcher.plane --kubeconfig FILE [--restart COMMAND] [--image busybox:1.36]``. FILE is that of who may make namespaces and
roles: of a cluster in kind or k3s, or what ``python deploy/kubernetes/control_plane.py start`` prints. COMMAND kills the API server and has
it started again; without one, that is not tried. The namespace that it makes is removed.
"""

import argparse
import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

from kubernetes import client, config

from driftbus.consumers.launcher.kubernetes_job import name_of

from . import real
from .jobs import ended, job
from .many import the_api_is_killed, under_a_quota, what_ended_is_removed
from .real import LONG_S, World

#: A request is at most so large (`schemas/bounds.py`), in bytes.
LARGEST = 900_000
#: Names of models that a label, a name or a command line would not take.
NAMES = ("eta", "a/b", "Ünï çødé ", "-x; rm -rf /", "{{ job }}", "a\nb\x00c", '"}]', "m" * 300)


def succeeds(world: World) -> str:
    for _ in range(2):  # another process finds it
        assert ended(world.launcher(), job(1), LONG_S).state == "succeeded"
    world.once(1)
    return "made once, whoever asks again"


def fails(world: World) -> str:
    seen = ended(world.launcher("fails"), job(2), LONG_S)
    assert seen[:2] == ("failed", "BackoffLimitExceeded"), seen
    world.once(2)
    return f"{seen.why}; one Pod"


def runs_past_its_time(world: World) -> str:
    seen = ended(world.launcher("hangs", timeout="3s"), job(3), LONG_S)
    assert seen[:2] == ("timed_out", "DeadlineExceeded"), seen
    world.once(3)
    return seen.why


def is_cancelled(world: World) -> str:
    launcher = world.launcher("hangs")
    assert launcher.ensure(job(4)).state == "started"
    world.runs(4)
    assert ended(launcher, job(4, cancelling=True), LONG_S).state == "cancelled"
    left = world.place.core.list_namespaced_pod(world.place.name, label_selector=f"job-name={name_of(job(4).id)}").items
    assert not left, "its Pods are still there"
    assert world.place.batch.read_namespaced_job(name_of(job(4).id), world.place.name).spec.suspend
    world.once(4)
    return "its Pods are gone, its name stays"


def is_cancelled_before_it_was_made(world: World) -> str:
    assert ended(world.launcher(), job(5, cancelling=True), LONG_S).state == "cancelled"
    assert ended(world.launcher(), job(5), LONG_S).state == "cancelled"
    world.once(5, pods=0)
    return "no Pod, ever"


def ends_while_it_is_cancelled(world: World) -> str:
    """Told to end at any moment, what is said at last is how the Job stands, and it stays so."""
    told = {}
    for number in range(30, 40):
        launcher = world.launcher()
        launcher.ensure(job(number))
        time.sleep((number - 30) / 5)
        told[number] = ended(launcher, job(number, cancelling=True), LONG_S).state
    time.sleep(2)
    for number, state in told.items():
        assert ended(world.launcher(), job(number), LONG_S).state == state, f"{number} was {state}"
        assert len(world.place.jobs[name_of(job(number).id)]) == 1
    return f"of {len(told)}: {sum(state == 'succeeded' for state in told.values())} had succeeded, and stay so; the others are cancelled"


def is_refused(world: World) -> str:
    wrong = real.template("succeeds", world.image)
    wrong["spec"]["template"]["spec"]["containers"][0]["name"] = "No Name"
    seen = world.launcher(template=wrong).ensure(job(6))
    assert (seen.state, seen.why[:8]) == ("failed", "HTTP 422"), seen
    return seen.why[:120]


def namespace_is_not_there(world: World) -> str:
    seen = world.launcher(namespace="nowhere", kubeconfig=world.place.kubeconfig).ensure(job(7))
    assert (seen.state, seen.why[:8]) == ("failed", "HTTP 404"), seen
    elsewhere = world.launcher(namespace="nowhere")
    elsewhere.sure_s = 1.0
    assert ended(elsewhere, job(7), LONG_S).why.startswith("HTTP 403: ")
    return f"{seen.why}; 403 to who may not know it"


def is_not_allowed(world: World) -> str:
    launcher = world.launcher(kubeconfig=world.place.account("nobody", {"jobs": ["get"]}))
    launcher.sure_s = 1.0
    assert launcher.ensure(job(8)).state == "requested", "an API that starts says so too"
    seen = ended(launcher, job(8), LONG_S)
    assert (seen.state, seen.why[:8]) == ("failed", "HTTP 403"), seen
    unknown = world.launcher(kubeconfig=world.place.bearer("unknown", "none")).ensure(job(8))
    assert (unknown.state, unknown.why[:8]) == ("requested", "HTTP 401"), unknown
    return f"{seen.why[:120]}; a token that is not known: again"


def each_right_is_needed_and_no_other(world: World) -> str:
    """What the page says is what the API asks for: without any of it, something is forbidden."""
    rights = real.documented()
    for number, (kind, verb) in enumerate((kind, verb) for kind, verbs in rights.items() for verb in verbs):
        fewer = {each: [one for one in verbs if (each, one) != (kind, verb)] for each, verbs in rights.items()}
        launcher = world.launcher("hangs", kubeconfig=world.place.account(f"without-{verb}-{kind}", fewer))
        one = job(50 + number)
        whole = world.launcher("hangs")
        if verb in ("create", "get"):
            assert launcher.ensure(one).why.startswith("HTTP 403: "), (kind, verb)
        elif verb == "patch":
            assert whole.ensure(one).state == "started"
            assert launcher.ensure(job(50 + number, cancelling=True, started=True)).why.startswith("HTTP 403: "), (kind, verb)
        else:  # list, delete: of what ended
            ended(whole, job(50 + number, cancelling=True), LONG_S)
            launcher.kept = timedelta()
            launcher.clean(())
            there = world.place.batch.read_namespaced_job(name_of(one.id), world.place.name)
            assert there.metadata.deletion_timestamp is None, (kind, verb)
    calls = client.CoreV1Api(config.new_client_from_config(world.kubeconfig))
    assert {_status(calls.list_namespaced_secret, world), _status(calls.list_namespaced_pod, world)} == {403}
    return "; ".join(f"{', '.join(verbs)} on {kind}" for kind, verbs in rights.items()) + "; secrets, pods: 403"


def is_deleted_by_hand(world: World) -> str:
    launcher = world.launcher("hangs")
    assert launcher.ensure(job(9)).state == "started"
    world.runs(9)
    world.place.batch.delete_namespaced_job(name_of(job(9).id), world.place.name, propagation_policy="Foreground")
    assert ended(launcher, job(9), LONG_S).state == "lost"
    assert world.launcher("hangs").ensure(job(9, started=True)).state == "lost", "another process knows it from the log"
    world.once(9)
    return "lost, and not made again"


def its_pod_is_deleted_by_hand(world: World) -> str:
    launcher = world.launcher("hangs")
    assert launcher.ensure(job(10)).state == "started"
    world.runs(10)
    world.place.core.delete_collection_namespaced_pod(world.place.name, label_selector=f"job-name={name_of(job(10).id)}")
    assert ended(launcher, job(10), LONG_S).state == "failed"
    world.once(10)
    return "failed; no second Pod"


def its_name_is_taken(world: World) -> str:
    body = real.template("hangs", world.image)
    body["metadata"] = {"name": name_of(job(11).id)}
    body["spec"]["suspend"] = True
    body["spec"]["template"]["spec"]["restartPolicy"] = "Never"
    world.place.batch.create_namespaced_job(world.place.name, body)
    seen = world.launcher().ensure(job(11))
    assert (seen.state, "is taken" in seen.why) == ("failed", True), seen
    return seen.why


def any_model_and_any_event(world: World) -> str:
    numbers = range(60, 60 + len(NAMES) + 1)
    for number, model in zip(numbers, (*NAMES, "m" * LARGEST), strict=True):
        one = job(number, cancelling=True, model=model)
        assert ended(world.launcher(), one, LONG_S).state == "cancelled", model[:40]
        event = world.place.core.read_namespaced_config_map(name_of(one.id), world.place.name)
        assert event.data["event.json"].encode() == one.event, model[:40]
    world.once(*numbers, pods=0)
    return f"{len(NAMES)} names of models, and an event of {LARGEST:,} bytes: each lies there byte by byte"


TRIED: tuple[Callable[[World], str], ...] = (
    *(succeeds, fails, runs_past_its_time, is_cancelled, is_cancelled_before_it_was_made, ends_while_it_is_cancelled, is_refused),
    *(namespace_is_not_there, is_not_allowed, each_right_is_needed_and_no_other, is_deleted_by_hand, its_pod_is_deleted_by_hand),
    *(its_name_is_taken, any_model_and_any_event, under_a_quota, what_ended_is_removed, the_api_is_killed),
)


def _status(call: Callable[[str], object], world: World) -> int:
    try:
        call(world.place.name)
    except client.ApiException as error:
        return int(error.status)
    return 200


@contextmanager
def _world(given: argparse.Namespace) -> Iterator[World]:
    with TemporaryDirectory() as folder, real.Namespace(given.kubeconfig, Path(folder)).there() as place:
        yield World(place, place.account("launcher", real.documented()), given.image, given.restart)


def main() -> None:
    """Try all; end with 1 where one is wrong."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kubeconfig", required=True)
    parser.add_argument("--restart", help="kills the API server, and has it started again")
    parser.add_argument("--image", default="busybox:1.36", help="one with sh, grep and sleep")
    parser.add_argument("--only", help="the name of one")
    given = parser.parse_args()
    wrong = 0
    with _world(given) as world:
        for one in TRIED:
            name = one.__name__.replace("_", " ")
            if (given.only and given.only not in name) or (one is the_api_is_killed and not given.restart):
                continue
            began = time.monotonic()
            try:
                said = f"ok     {name}: {one(world)}"
            except Exception:  # noqa: BLE001  # the others are tried all the same
                said, wrong = f"WRONG  {name}: {traceback.format_exc()}", wrong + 1
            print(f"{said}  ({time.monotonic() - began:.1f} s)", flush=True)
    print(f"{wrong} wrong")
    raise SystemExit(wrong > 0)


if __name__ == "__main__":
    main()
