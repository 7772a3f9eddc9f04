"""SIGTERM and SIGKILL while jobs run: what was accepted ends, and neither costs a job an attempt."""
import os
import signal
import subprocess
import threading
import time
import unittest
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from lib import FAULTS, call, clean_environment, echo, wait_until
from stage import Case, finish, post, read

SINGLES, ITEMS = 120, 80  # 200 in flight
PROMPTLY = 1.0


class DrainTest(Case):
    def load(self, server, singles=SINGLES, items=ITEMS):
        """Ids of single jobs and of one batch, and all their tokens."""
        tokens = [f"single-{n}" for n in range(singles)]
        in_batch = [f"item-{n}" for n in range(items)]
        with ThreadPoolExecutor(12) as pool:
            batch = pool.submit(call, "POST", server.url + "/v1/generate/batch",
                                {"items": [{"id": t, "request": {"prompt": echo(t)}} for t in in_batch]})
            ids = list(pool.map(lambda token: self.accept(server, token), tokens))
            return ids + [batch.result().json["jobId"]], tokens + in_batch

    def terminate(self, server):
        """Its exit status, and how long it took."""
        began = time.monotonic()
        server.process.terminate()
        return server.process.wait(60), time.monotonic() - began

    def assert_given_back(self, stage, jobs):
        with stage.remains() as db:
            self.assertEqual(db.execute("SELECT count(*) FROM job").fetchone()[0], jobs)
            self.assertEqual(db.execute("SELECT count(*) FROM job WHERE state = 2").fetchone()[0], 0, "leased rows are left")
            self.assertEqual(db.execute("SELECT sum(attempts), sum(crashes) FROM job").fetchone(), (0, 0))
            return db.execute("SELECT count(*) FROM job WHERE state < 10 AND total = 0").fetchone()[0]

    def assert_all_end(self, server, ids):
        for job_id in ids:
            job = finish(server, job_id, 60)
            self.assertEqual(job["status"], "completed", job)
            self.assertEqual(job["data"].get("failed", 0), 0, job)
            self.assertFalse(job["data"].get("fallback"), job)

    def test_running_jobs_finish_and_the_others_wait_for_the_next_start(self):
        stage = self.stage("steady", behaviour={"latency_ms": 300}, settings={"server": {"drain_timeout": "20s"}})
        server = self.start(stage)
        ids, tokens = self.load(server)
        status, took = self.terminate(server)
        self.assertEqual(status, 0, stage.said()[-2000:])
        self.assertLess(took, 15)
        left = self.assert_given_back(stage, len(tokens) + 1)
        self.assertGreater(left, 0, "the load was over before the signal")
        self.assert_all_end(self.start(stage), ids)
        self.assertEqual({token: self.calls(token) for token in tokens}, dict.fromkeys(tokens, 1))
        self.assert_intact(stage)

    def test_jobs_that_take_too_long_are_given_back(self):
        stage = self.stage("slow", behaviour={"latency_ms": 6000}, settings={"server": {"drain_timeout": "1s"}})
        server = self.start(stage)
        ids, tokens = self.load(server)
        wait_until(lambda: self.in_flight("slow") >= 64, 20, "the workers are busy")
        status, took = self.terminate(server)
        self.assertEqual(status, 0, stage.said()[-2000:])
        self.assertLess(took, 5)
        self.assertEqual(self.assert_given_back(stage, len(tokens) + 1), len(tokens))
        self.simulator.behave("slow", {})
        self.assert_all_end(self.start(stage), ids)
        self.assertLessEqual(max(self.calls(token) for token in tokens[::10]), 2)

    def test_those_who_wait_are_answered_at_once(self):
        stage = self.stage("slow", behaviour={"latency_ms": 3000}, settings={"server": {"drain_timeout": "20s"}})
        server = self.start(stage)
        ids = [self.accept(server, f"w-{n}") for n in range(20)]
        wait_until(lambda: self.in_flight("slow"), 20, "all jobs run", len(ids))
        with ThreadPoolExecutor(len(ids)) as pool:
            polls = [pool.submit(lambda job=job: (read(server, job, wait=30), time.monotonic())) for job in ids]
            wait_until(lambda: self.connections(server) >= len(ids), 10, "the polls are open")
            began = time.monotonic()
            server.process.terminate()
            for poll in polls:
                answer, at = poll.result(60)
                self.assertEqual((answer.status, answer.json["status"]), (200, "active"))
                self.assertLess(at - began, PROMPTLY)
        self.assertEqual(server.process.wait(30), 0)
        with stage.remains() as db:
            self.assertEqual(db.execute("SELECT state, count(*) FROM job GROUP BY state").fetchall(), [(10, len(ids))])

    def connections(self, server):
        with open(f"/proc/{server.process.pid}/net/tcp", encoding="ascii") as table:
            local = f"0100007F:{server.port:04X}"
            return sum(line.split()[1] == local and line.split()[3] == "01" for line in table)

    def test_a_second_signal_ends_it_at_once(self):
        stage = self.stage("slow", behaviour={"latency_ms": 20_000}, settings={"server": {"drain_timeout": "60s"}})
        server = self.start(stage, ends=(128 + signal.SIGTERM,))
        ids = [self.accept(server, f"s-{n}") for n in range(10)]
        wait_until(lambda: self.in_flight("slow"), 20, "all jobs run", len(ids))
        server.process.terminate()
        wait_until(lambda: '"draining"' in stage.said(), 10, "it drains")
        began = time.monotonic()
        server.process.terminate()
        self.assertEqual(server.process.wait(10), 128 + signal.SIGTERM)
        self.assertLess(time.monotonic() - began, PROMPTLY)
        self.simulator.behave("slow", {})
        self.assert_all_end(self.start(stage), ids)

    def test_it_ends_while_its_configuration_cannot_be_read(self):
        stage = self.stage("steady")
        fault = self.folder / "fault"
        fault.write_text("hang-read")
        stage.config = stage.config.rename(self.folder / "stepper.db.yaml")
        with open(stage.log, "a", encoding="utf-8") as log:
            process = subprocess.Popen(stage.command(), stdout=subprocess.DEVNULL, stderr=log, env=clean_environment(
                LD_PRELOAD=str(FAULTS / "io-faults.so"), IO_FAULTS=str(fault), ASAN_OPTIONS="verify_asan_link_order=0"))
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)
        wait_until(lambda: self.has_open(process, stage.config), 20, "it reads its configuration")
        process.terminate()
        process.send_signal(signal.SIGINT)
        self.assertIn(process.wait(10), (128 + signal.SIGTERM, 128 + signal.SIGINT))

    def has_open(self, process, path):
        links = Path(f"/proc/{process.pid}/fd").iterdir()
        return any(os.path.realpath(link) == str(path.resolve()) for link in links)

    def test_readyz_says_so_while_it_drains(self):
        stage = self.stage("slow", behaviour={"latency_ms": 3000}, settings={"server": {"drain_timeout": "20s"}})
        server = self.start(stage)
        self.accept(server, "r-1")
        wait_until(lambda: self.in_flight("slow"), 20, "the job runs", 1)
        statuses = []
        asker = threading.Thread(target=self.watch_readiness, args=(server, statuses))
        asker.start()
        wait_until(lambda: 200 in statuses, 10, "it is ready")
        status, _ = self.terminate(server)
        asker.join(10)
        self.assertEqual(status, 0)
        # Ready, then not, then gone.
        after = statuses[statuses.index(200):]
        self.assertTrue(set(after) <= {200, 503, "refused"}, set(after))
        self.assertNotIn(200, after[after.index(503) if 503 in after else after.index("refused"):])

    def watch_readiness(self, server, statuses):
        while server.process.poll() is None:
            try:
                statuses.append(call("GET", server.url + "/readyz", timeout=5).status)
            except OSError:
                statuses.append("refused")
            time.sleep(0.02)

    def test_after_a_kill_leased_jobs_run_at_the_next_start(self):
        stage = self.stage("slow", behaviour={"latency_ms": 3000}, settings={"queue": {"lease": "10m"}})
        server = self.start(stage)
        ids = [self.accept(server, f"k-{n}") for n in range(30)]
        wait_until(lambda: self.in_flight("slow"), 20, "all jobs run", len(ids))
        server.kill()
        wait_until(lambda: self.in_flight("slow"), 10, "the simulator noticed", 0)
        began = time.monotonic()
        server = self.start(stage)
        wait_until(lambda: self.in_flight("slow"), 10, "all jobs run again", len(ids))
        self.assertLess(time.monotonic() - began, 10)
        self.assert_all_end(server, ids)
        with stage.watch() as db:
            self.assertEqual(db.execute("SELECT DISTINCT state, attempts, crashes, fence FROM job").fetchall(), [(10, 0, 1, 3)])
        self.assertEqual([self.calls(f"k-{n}") for n in range(30)], [2] * 30)

    def test_a_job_posted_again_after_a_kill_is_the_same_job(self):
        stage = self.stage("slow", behaviour={"latency_ms": 500})
        server = self.start(stage)
        first = self.accept(server, "once", key="the-key")
        server.kill()
        server = self.start(stage)
        again = post(server, {"prompt": echo("once")}, key="the-key")
        self.assertEqual((again.status, again.json["jobId"], again.headers["Idempotent-Replayed"]), (202, first, "true"))
        self.assert_all_end(server, [first])


if __name__ == "__main__":
    unittest.main()
