"""One run of `labctl verify`: what waits for what, and that nothing stays."""

import time
from collections.abc import Iterable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import docker
from openstack.connection import Connection

from labctl.catalog.folders import CatalogFolders
from labctl.cloud.connection import connect
from labctl.cloud.demo.target import DemoTarget
from labctl.cloud.features import CloudFeatures, read_features
from labctl.cloud.sweep import inventory, sweep
from labctl.engine.containers import ServiceState, service_states
from labctl.engine.logs import read_since
from labctl.engine.process import CommandFailed, Completed
from labctl.engine.tempest import AUTHORITY, FOLDER, GUEST, TempestContainer
from labctl.events import Emit, Note, ServiceChanged, step
from labctl.files import write_file
from labctl.lab.file import LabFile
from labctl.verify.accounts import accounts_file, can_share, plan_accounts, prepared
from labctl.verify.configuration import GUEST_PORT, Account, Place, tempest_conf
from labctl.verify.evidence import Failure, gather
from labctl.verify.imports import imports_from, needs_imports
from labctl.verify.ingredients import ingredients, new_prefix
from labctl.verify.results import Outcome, Result, Status, parse_result, settle
from labctl.verify.suite import Selection, TempestTest, parse_test_list, select
from labctl.verify.workers import learn, load_durations, share, worker_file

TEST_LIST = "tests.list"
WORKERS = "workers.yaml"
ACCOUNTS = "accounts.yaml"
SHARED_TESTS = "shared.list"
SHARED_CONFIGURATION = "shared.conf"
"""Which tests share accounts, and their configuration: images/tempest/files/run-worker knows the names."""
ACCOUNTS_PREFIX = "tempest-"
"""Begins the names of the accounts that Tempest makes, and of their networks, whatever it is told to call the rest
(tempest/common/credentials_factory.py)."""
LAST_WORDS = 20
"""Lines of what Tempest itself says that an error shows."""


@dataclass(frozen=True)
class VerifyTarget:
    """What is verified, and how.

    Attributes:
        lab: The lab.
        suite: One of `Suite`, or a regular expression.
        workers: How many tests at a time.
        shared_accounts: Classes of tests work with accounts made before, where they can; not each with its own.
        container: How Tempest is run.
        folders: The catalog that the lab was made from.
        lab_file: What the lab was asked to be.
        durations: The file that remembers how long tests take.
        listed: The file that remembers which tests the image has.
    """

    lab: DemoTarget
    suite: str
    workers: int
    shared_accounts: bool
    container: TempestContainer
    folders: CatalogFolders
    lab_file: LabFile
    durations: Path
    listed: Path


@dataclass(frozen=True)
class Verdict:
    """What a run found.

    Attributes:
        suite: What was run.
        workers: How many tests at a time.
        features: What the cloud reported.
        selection: The tests.
        outcome: What became of them.
        failures: The failed ones, with evidence.
        left: What could not be removed, and why.
    """

    suite: str
    workers: int
    features: CloudFeatures
    selection: Selection
    outcome: Outcome
    failures: tuple[Failure, ...]
    left: tuple[str, ...]


def verify(client: docker.DockerClient, target: VerifyTarget, emit: Emit) -> Verdict:
    """Runs a suite against a lab, and removes what it made.

    Raises:
        BadInput: No test is chosen, or the lab is not what its files say.
        CloudCheckFailed: The cloud does not answer well enough to begin.
        CommandFailed: Tempest did not run.
        KeyboardInterrupt: Ctrl-C, after the removal.
    """
    admin = connect(target.lab.clouds_yaml, target.lab.admin_cloud)
    user = connect(target.lab.clouds_yaml, target.lab.user_cloud)
    prefix = new_prefix()
    target.container.remove(client)
    target.container.make_folder()
    services = service_states(client, target.lab.lab)
    with step(emit, "Ask the cloud what it can do") as evidence:
        features = read_features(admin)
        evidence.text = f"{', '.join(sorted(features.services))}; {len(features.compute_nodes)} compute node(s)"
    with ingredients(target.lab, admin, user, prefix, emit) as made:
        dashboard = services["horizon"].page if "horizon" in services else ""
        ca_file = AUTHORITY if target.container.ca_file else ""
        place = Place(FOLDER, GUEST, target.lab.gateway_address, frozenset(services), dashboard, ca_file)
        configuration = partial(tempest_conf, features, account(admin), made, place)
        write_shared(target.container, "tempest.conf", configuration())
        with step(emit, "List the tests") as evidence:
            selection = select(target.suite, all_tests(target))
            evidence.text = f"{len(selection.tests)} in {target.suite}"
        accounts: AbstractContextManager[None] = nullcontext()
        if target.shared_accounts:
            shared = plan_accounts(prefix, target.workers, features.roles)
            write_shared(target.container, SHARED_TESTS, test_list(can_share(selection.tests)))
            write_shared(target.container, ACCOUNTS, accounts_file(shared, account(admin).domain))
            write_shared(target.container, SHARED_CONFIGURATION, configuration(f"{FOLDER}/{ACCOUNTS}"))
            accounts = prepared(shared, admin, features, made.external_network, emit)
        here = target.lab.gateway_address, GUEST_PORT
        imports: AbstractContextManager[None] = nullcontext()
        if needs_imports(selection.tests):
            imports = imports_from(client, target.folders, target.lab_file, *here, emit)
        with imports, accounts:
            before = inventory(admin, features.services)
            try:
                outcome = run_tests(target, selection, emit)
            finally:
                target.container.remove(client)
                left = sweep(admin, features.services, before, (prefix, ACCOUNTS_PREFIX), emit)
                for one in left:
                    emit(Note(f"Not removed: {one}", level="warning"))
            # Before Glance's container, and with it its log, is made anew.
            failures = find_evidence(client, service_states(client, target.lab.lab).values(), outcome, emit)
    return Verdict(target.suite, target.workers, features, selection, outcome, failures, left)


def account(admin: Connection) -> Account:
    """The admin's account, as the lab's clouds.yaml has it."""
    auth = admin.config.get_auth_args()
    return Account(
        auth_url=auth["auth_url"],
        region=admin.config.get_region_name(),
        username=auth["username"],
        password=auth["password"],
        project=auth["project_name"],
        domain=auth["user_domain_name"],
    )


def all_tests(target: VerifyTarget) -> tuple[TempestTest, ...]:
    """All tests that the image has; listing them takes 5 s, and they are the same as long as the image is."""
    if target.listed.exists():
        return parse_test_list(target.listed.read_text())
    tests = parse_test_list(target.container.list_tests())
    if tests:
        write_file(target.listed, test_list(tests).encode())
    return tests


def run_tests(target: VerifyTarget, selection: Selection, emit: Emit) -> Outcome:
    """Runs the tests and shows each as it ends.

    Raises:
        CommandFailed: Tempest ended without any result.
    """
    write_shared(target.container, TEST_LIST, test_list(selection.tests))
    shares = share(selection.tests, target.workers, load_durations(target.durations))
    write_shared(target.container, WORKERS, worker_file(shares))
    reported: list[Result] = []
    said: list[str] = []
    count = len(selection.tests)
    begin = time.monotonic()

    def on_result(line: str) -> None:
        result = parse_result(line)
        if result is not None:
            reported.append(result)
            if result.status is Status.FAILED:
                emit(Note(f"failed: {result.name}", level="warning"))
            emit(ServiceChanged("tests", f"{len(reported)} of {count}", f"{result.name}: {result.status}"))

    with step(emit, f"Run {count} tests, {target.workers} at a time") as evidence:
        code = target.container.run_tests(
            TEST_LIST, WORKERS, (target.lab.gateway_address, GUEST_PORT), on_result, said.append
        )
        seconds = time.monotonic() - begin
        if not reported:
            last = "\n".join(said[-LAST_WORDS:])
            raise CommandFailed(Completed(("tempest", "run"), code or 1, "", last, seconds))
        learn(target.durations, reported)
        outcome = Outcome(settle(selection.tests, reported), seconds)
        evidence.text = ", ".join(f"{len(outcome.of(status))} {status}" for status in Status)
    return outcome


def find_evidence(
    client: docker.DockerClient, services: Iterable[ServiceState], outcome: Outcome, emit: Emit
) -> tuple[Failure, ...]:
    """Finds what the services logged about the requests of the tests that failed."""
    failed = outcome.of(Status.FAILED)
    if not failed:
        return ()
    with step(emit, "Look for the failed tests' requests in the services' logs") as evidence:
        names = {one.container: one.service for one in services}
        failures = gather(failed, lambda since: read_since(client, names, since))
        evidence.text = f"{sum(len(failure.lines) for failure in failures)} lines of {len(failures)} tests"
    return failures


def test_list(tests: Iterable[TempestTest]) -> str:
    """Tests as Tempest reads them."""
    return "".join(f"{test.id}\n" for test in tests)


def write_shared(container: TempestContainer, name: str, text: str) -> None:
    """Writes a file of the run's folder, for Tempest and for nobody else."""
    path: Path = container.folder / name
    write_file(path, text.encode())
    container.give(path)
