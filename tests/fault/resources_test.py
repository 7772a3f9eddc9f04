"""Descriptors, threads or memory that the system refuses: one client is told, one job waits, and the rest goes on."""
import contextlib
import json
import resource
import select
import signal
import time
import unittest
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from lib import FAULTS, Connection, StartError, call, echo, listens, replace, wait_until
from lib.processes import descriptors
from stage import LOST, Case, finish


class ResourcesCase(Case):
    def start_warm(self, stage, env=None):
        """A server that has answered once, and a connection to it."""
        server = self.start(stage, env=env)
        kept = Connection(server.port)
        self.addCleanup(kept.close)
        self.assertEqual(kept.ask("GET", "/livez").status, 200)
        return server, kept

    def skip_if_sanitized(self, server):
        status = Path(f"/proc/{server.process.pid}/status").read_text(encoding="ascii")
        if int(status.split("VmSize:")[1].split()[0]) > 1 << 30:
            self.skipTest("a sanitizer ends the program where memory or descriptors are refused")

    def connect(self, server):
        """What a new client is told, the connection ending there."""
        began = time.monotonic()
        client = Connection(server.port)
        try:
            answer = client.ask("GET", "/livez")
        finally:
            client.close()
        self.assertLess(time.monotonic() - began, 5)
        return answer

    def assert_turned_away(self, server):
        told = self.connect(server)
        self.assertEqual((told.status, told.headers["Retry-After"], told.headers["Connection"]), (503, "1", "Close"))

    def assert_serves_again(self, server):
        wait_until(lambda: self.connect(server).status, 10, "clients are served again", 200)


@contextlib.contextmanager
def no_descriptors(server):
    """For that long the server gets none: the limit is where it is, and idle clients have what is left below it."""
    pid, kind = server.process.pid, resource.RLIMIT_NOFILE
    before = resource.prlimit(pid, kind)
    highest = max(descriptors(pid))
    resource.prlimit(pid, kind, (highest + 1, before[1]))
    idle = []
    try:
        while True:
            idle.append(Connection(server.port))
            if idle[-1].ask("GET", "/livez").status == 503:
                break
        yield
    finally:
        with contextlib.suppress(ProcessLookupError):
            resource.prlimit(pid, kind, before)
        for client in idle:
            client.close()


class DescriptorsTest(ResourcesCase):
    def held(self, server):
        return len(descriptors(server.process.pid))

    def test_who_waits_takes_none(self):
        stage = self.stage("slow", behaviour={"latency_ms": 60000}, settings={"server": {"drain_timeout": "100ms"}})
        server, kept = self.start_warm(stage)
        job = self.accept(server, "long")
        wait_until(lambda: self.in_flight("slow"), 10, "the job runs", 1)
        clients = [Connection(server.port) for _ in range(40)]
        for client in clients:
            self.assertEqual(client.ask("GET", "/livez").status, 200)
        before = self.held(server)
        for client in clients:
            client.send("GET", f"/v1/jobs/{job}?wait=30")
        time.sleep(0.5)
        self.assertLessEqual(self.held(server), before)
        for client in clients:
            client.close()
        wait_until(lambda: self.held(server) <= before - len(clients), 10, "their hang-up is noticed while they wait")

    def test_clients_and_calls_are_refused_and_jobs_wait(self):
        stage = self.stage("steady")
        server, kept = self.start_warm(stage)
        self.skip_if_sanitized(server)
        with no_descriptors(server):
            for _ in range(3):
                self.assert_turned_away(server)
            refused = kept.ask("POST", "/v1/generate/immediate", {"prompt": "x"})
            self.assertEqual((refused.status, refused.json.get("errorCode")), (503, "OVERLOADED"), refused.raw)
            self.assertIn("Retry-After", refused.headers)
            self.assertIn("no_resources", json.dumps(refused.json))
            accepted = kept.ask("POST", "/v1/generate", {"prompt": echo("waits")})
            self.assertEqual(accepted.status, 202, accepted.raw)
        self.assert_serves_again(server)
        job = finish(server, accepted.json["jobId"])
        self.assertEqual(job["data"]["result"], {"echo": "waits"})
        self.assertEqual(self.calls("waits"), 1)
        self.assertEqual(stage.said().count("cannot accept connections"), 1)

    def test_it_ends_in_order_when_there_are_none(self):
        stage = self.stage("slow", behaviour={"latency_ms": 60000}, settings={"server": {"drain_timeout": "300ms"}})
        server, _ = self.start_warm(stage)
        self.skip_if_sanitized(server)
        self.accept(server, "cut")
        wait_until(lambda: self.in_flight("slow"), 10, "the job runs", 1)
        with no_descriptors(server):
            server.process.terminate()
            self.assertEqual(server.process.wait(10), 0, stage.said()[-2000:])


class ThreadsTest(ResourcesCase):
    def setUp(self):
        super().setUp()
        self.refused = self.folder / "no-threads"

    def start_refusable(self, stage):
        return self.start_warm(stage, env={"LD_PRELOAD": str(FAULTS / "thread-faults.so"), "NO_THREADS": str(self.refused),
                                           "ASAN_OPTIONS": "verify_asan_link_order=0"})

    def take_every_thread(self, server, job):
        """How many clients that wait for `job` it took. One that is turned away may only have come while a thread was
        on its way from one client to the next: five in a row have not."""
        held, refused = 0, 0
        for _ in range(40):
            client = Connection(server.port)
            self.addCleanup(client.close)
            client.send("GET", f"/v1/jobs/{job}?wait=60")
            answered, _, _ = select.select([client.http.sock], [], [], 0.5)
            held, refused = (held, refused + 1) if answered else (held + 1, 0)
            if refused == 5:
                return held
        self.fail(f"{held} clients wait and still no thread is short")

    def test_jobs_run_one_by_one(self):
        stage = self.stage("steady", behaviour={"latency_ms": 50})
        server, kept = self.start_refusable(stage)
        self.refused.touch()
        ids = [kept.ask("POST", "/v1/generate", {"prompt": echo(f"job-{n}")}).json["jobId"] for n in range(6)]
        for job in ids:
            self.assertEqual(kept.ask("GET", f"/v1/jobs/{job}?wait=30").json["status"], "completed")
        self.assertEqual(stage.said().count("threads for jobs cannot be had"), 1)

    def test_an_idle_client_gives_its_own_to_a_new_one_and_without_one_it_is_turned_away(self):
        stage = self.stage("slow", behaviour={"latency_ms": 60000}, settings={"server": {"drain_timeout": "100ms"}})
        server, _ = self.start_refusable(stage)
        job = self.accept(server, "long")
        self.refused.touch()
        self.assertGreater(self.take_every_thread(server, job), 1)
        self.assert_turned_away(server)
        self.assertEqual(stage.said().count("no thread can be had for more connections"), 1)
        self.refused.unlink()
        self.assert_serves_again(server)

    def test_it_ends_in_order_when_there_are_none(self):
        stage = self.stage("slow", behaviour={"latency_ms": 60000}, settings={"server": {"drain_timeout": "300ms"}})
        server, kept = self.start_refusable(stage)
        self.accept(server, "cut")
        wait_until(lambda: self.in_flight("slow"), 10, "the job runs", 1)
        self.refused.touch()
        server.process.terminate()
        self.assertEqual(server.process.wait(10), 0, stage.said()[-2000:])

    def test_a_start_without_them_is_refused_in_words(self):
        stage = self.stage("steady")
        self.refused.touch()
        with self.assertRaisesRegex(StartError, "exit status 71"):
            self.start_refusable(stage)
        self.assertIn("stepper: cannot start: ", stage.said())


class MemoryTest(ResourcesCase):
    def start_refusable(self, stage):
        """The file whose presence refuses it memory comes with it."""
        refused = self.folder / "no-memory"
        server, _ = self.start_warm(stage, env={"LD_PRELOAD": str(FAULTS / "memory-faults.so"), "NO_MEMORY": str(refused),
                                                "ASAN_OPTIONS": "verify_asan_link_order=0"})
        return server, refused

    def test_a_drain_that_begins_without_any_ends_in_order(self):
        stage = self.stage("slow", behaviour={"latency_ms": 60000}, settings={"server": {"drain_timeout": "2s"}})
        server, refused = self.start_refusable(stage)
        self.accept(server, "cut")
        wait_until(lambda: self.in_flight("slow"), 10, "the job runs", 1)
        refused.touch()
        server.process.terminate()
        wait_until(lambda: not listens(server.port), 10, "it drains")
        refused.unlink()
        self.assertEqual(server.process.wait(20), 0, stage.said()[-2000:])

    def test_files_that_change_without_any_are_read_once_there_is_some(self):
        stage = self.stage("steady")
        server, refused = self.start_refusable(stage)
        config = json.loads(stage.config.read_text(encoding="utf-8"))
        config["log"]["level"] = "debug"
        refused.touch()
        replace(stage.config, json.dumps(config))
        server.process.send_signal(signal.SIGHUP)
        time.sleep(1)
        self.assertIsNone(server.process.poll(), stage.said()[-2000:])
        refused.unlink()
        wait_until(lambda: '"event":"reloaded"' in stage.said(), 10, "the change is seen")
        self.assertEqual(Connection(server.port).ask("GET", "/livez").status, 200)

    def test_a_storm_beyond_it_is_survived(self):
        stage = self.stage("steady")
        server, _ = self.start_warm(stage)
        self.skip_if_sanitized(server)
        statm = Path(f"/proc/{server.process.pid}/statm").read_text(encoding="ascii")
        limit = int(statm.split()[0]) * resource.getpagesize() + (60 << 20)
        resource.prlimit(server.process.pid, resource.RLIMIT_AS, (limit, limit))

        def storm(_):
            try:
                return call("POST", server.url + "/v1/generate/immediate", {"prompt": "a" * 1_000_000}, timeout=30).status
            except LOST:
                return "lost"
        with ThreadPoolExecutor(60) as pool:
            answers = list(pool.map(storm, range(120)))
        self.assertIsNone(server.process.poll(), stage.said()[-2000:])
        self.assertLessEqual(set(answers), {200, 503, "lost"}, answers)
        self.assertIn(503, answers)
        self.assert_serves_again(server)


if __name__ == "__main__":
    unittest.main()
