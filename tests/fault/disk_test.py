"""The disk under the store: full, failing, locked, damaged, gone, or somebody else's."""
import contextlib
import functools
import os
import shutil
import sqlite3
import threading
import time
import unittest

from lib import FAULTS, call, echo, wait_until
from stage import EXIT_CONFIG, Case, Stage, finish, post, read

PAGE = 4096
NOTICED = 10  # seconds until health must say so


class DiskCase(Case):
    def setUp(self):
        super().setUp()
        self.command = self.folder / "io-faults"

    def start_on_a_bad_disk(self, stage):
        return self.start(stage, env={"LD_PRELOAD": str(FAULTS / "io-faults.so"), "IO_FAULTS": str(self.command),
                                      "ASAN_OPTIONS": "verify_asan_link_order=0"})

    def disk(self, state):
        """"enospc", "eio-sync", "stall" or "" for a healthy one."""
        beside = self.folder / "io-faults.new"
        beside.write_text(state)
        beside.replace(self.command)

    def assert_unavailable(self, answer, *words):
        self.assertEqual(answer.status, 503, answer.raw)
        self.assertEqual(answer.json["errorCode"], "STORE_UNAVAILABLE")
        self.assertTrue(answer.headers["Retry-After"].isdigit())
        for word in words:
            self.assertIn(word, answer.json["error"])

    def health(self, server):
        answer = call("GET", server.url + "/health")
        return answer.status, answer.json["status"], answer.json["store"]["status"]

    def refused_work(self, server, token):
        """The first POST that is refused: until something is written nobody knows of the trouble."""
        def refusal():
            answer = post(server, {"prompt": echo(token)}, key=token)
            return answer if answer.status != 202 else None
        return wait_until(refusal, 10, "work is refused")

    def assert_recovers(self, server, stage, token):
        accepted = wait_until(lambda: self.accepted(server, token), 20, "work is accepted again")
        self.assertEqual(finish(server, accepted)["data"]["result"], {"echo": token})
        wait_until(lambda: self.health(server), 20, "health is back", (200, "healthy", "ok"))
        self.assertEqual(server.stop(), 0)
        self.assert_intact(stage)
        with stage.remains() as db:
            self.assertEqual(db.execute("SELECT count(*) FROM job WHERE state <> 10").fetchone()[0], 0)

    def accepted(self, server, token):
        answer = post(server, {"prompt": echo(token)}, key=token)
        return answer.json["jobId"] if answer.status == 202 else None


class TroubleTest(DiskCase):
    """It passes, and then all is as if it had not been."""

    def prepare(self):
        """A stage, its server, an ended job, and one that is being answered for a while yet."""
        stage = self.stage("slow")
        server = self.start_on_a_bad_disk(stage)
        old = self.accept(server, "old")
        finish(server, old)
        self.simulator.behave("slow", {"latency_ms": 1500})
        running = self.accept(server, "running")
        wait_until(lambda: self.in_flight("slow"), 20, "the job runs", 1)
        return stage, server, old, running

    def assert_reads_go_on(self, server, old):
        self.assertEqual(read(server, old).json["data"]["result"], {"echo": "old"})
        hit = post(server, {"prompt": echo("old")})
        self.assertEqual((hit.status, hit.headers["X-Cache"], hit.json["data"]), (200, "HIT", {"echo": "old"}))

    def test_a_full_disk(self):
        stage, server, old, running = self.prepare()
        self.disk("enospc")
        self.assert_unavailable(self.refused_work(server, "new"), str(stage.database))
        wait_until(lambda: f"STORE_UNAVAILABLE: The store {stage.database}" in stage.said(), NOTICED, "the request's line tells")
        self.assert_reads_go_on(server, old)
        self.assertEqual(self.health(server), (200, "degraded", "degraded"))
        self.assertEqual(call("GET", server.url + "/readyz").status, 200)
        wait_until(lambda: "outcome cannot be stored" in stage.said(), 20, "the running job's answer is there")
        wait_until(lambda: "the store cannot be written to" in stage.said(), NOTICED, "the log tells")
        self.assertIn("stepper_store_ok 0", call("GET", server.url + "/metrics").raw.decode())
        self.assertEqual(read(server, running).json["status"], "active")
        self.disk("")
        self.assertEqual(finish(server, running)["data"]["result"], {"echo": "running"})
        self.assertEqual(self.calls("running"), 1, "the answer was asked for again")
        wait_until(lambda: "the store is written to again" in stage.said(), 20, "the log tells that it is over")
        self.assertIn("stepper_store_ok 1", call("GET", server.url + "/metrics").raw.decode())
        self.assert_recovers(server, stage, "new")

    def test_a_disk_that_cannot_sync(self):
        stage, server, old, running = self.prepare()
        self.disk("eio-sync")
        self.assert_unavailable(self.refused_work(server, "new"), str(stage.database))
        self.assert_reads_go_on(server, old)
        self.assertEqual(self.health(server), (200, "degraded", "degraded"))
        wait_until(lambda: "outcome cannot be stored" in stage.said(), 20, "the running job's answer is there")
        self.disk("")
        self.assertEqual(finish(server, running)["data"]["result"], {"echo": "running"})
        self.assertEqual(self.calls("running"), 1, "the answer was asked for again")
        self.assert_recovers(server, stage, "new")

    def test_a_full_disk_and_a_kill(self):
        stage, server, old, running = self.prepare()
        self.disk("enospc")
        self.refused_work(server, "new")
        server.kill()
        self.disk("")
        self.assert_intact(stage)
        server = self.start_on_a_bad_disk(stage)
        self.assert_reads_go_on(server, old)
        self.assertEqual(finish(server, running)["data"]["result"], {"echo": "running"})
        self.assert_recovers(server, stage, "new")

    def test_a_full_disk_does_not_keep_it_from_ending(self):
        stage, server, _, running = self.prepare()
        self.disk("enospc")
        self.refused_work(server, "new")
        began = time.monotonic()
        server.process.terminate()
        self.assertEqual(server.process.wait(60), 0, stage.said()[-2000:])
        self.assertLess(time.monotonic() - began, 45)
        self.disk("")
        server = self.start(stage)
        self.assertEqual(finish(server, running)["data"]["result"], {"echo": "running"})

    def test_locked_by_another_program(self):
        stage, server, old, running = self.prepare()
        with contextlib.closing(sqlite3.connect(stage.database, isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            self.assert_unavailable(post(server, {"prompt": echo("new")}, key="new"), str(stage.database))
            self.assert_reads_go_on(server, old)
            self.assertEqual(self.health(server), (200, "degraded", "degraded"))
            other.execute("ROLLBACK")
        self.assertEqual(finish(server, running)["data"]["result"], {"echo": "running"})
        self.assertEqual(self.calls("running"), 1, "the answer was asked for again")
        self.assert_recovers(server, stage, "new")


class SlowTest(DiskCase):
    """It hangs for seconds: whoever has a deadline keeps it, and nobody is blamed for what did not happen."""

    def prepare(self, limits=None, **settings):
        stage = self.stage("steady", settings=settings, limits=limits)
        server = self.start_on_a_bad_disk(stage)
        self.addCleanup(self.disk, "")
        old = self.accept(server, "old")
        finish(server, old)
        return stage, server, old

    def in_background(self, action):
        thread = threading.Thread(target=action)
        thread.start()
        self.addCleanup(thread.join)
        return thread

    def assert_blameless(self, stage, jobs):
        with stage.remains() as db:
            self.assertEqual(db.execute("SELECT count(*), sum(state = 10), max(crashes) FROM job").fetchall(), [(jobs, jobs, 0)])

    def test_requests_keep_their_deadlines(self):
        # So small a quota is written down before every call.
        stage, server, old = self.prepare(limits={"rpm": 10})
        self.disk("stall")
        answers = []

        def ask(n):
            began = time.monotonic()
            answer = call("POST", server.url + "/v1/generate/immediate",
                          {"prompt": echo(f"now-{n}"), "maxDurationSeconds": 2})
            answers.append((answer.status, time.monotonic() - began))

        # The first is held up by the disk itself, the others perhaps by the first.
        for client in [self.in_background(functools.partial(ask, n)) for n in range(4)]:
            client.join()
        for status, took in answers:
            self.assertIn(status, (200, 504))
            self.assertLess(took, 3)
        self.assertEqual(read(server, old).json["data"]["result"], {"echo": "old"})
        self.assertEqual(call("GET", server.url + "/livez").status, 200)
        self.assertEqual(call("GET", server.url + "/metrics").status, 200)
        self.disk("")
        self.assert_recovers(server, stage, "new")

    def test_whoever_is_not_answered_in_time_may_ask_again(self):
        stage, server, _ = self.prepare()
        self.disk("stall")
        began = time.monotonic()
        self.assert_unavailable(post(server, {"prompt": echo("new")}, key="new"), "outcome is unknown")
        self.assertLess(time.monotonic() - began, 15)
        self.disk("")
        job_id = wait_until(lambda: self.accepted(server, "new"), 20, "work is accepted again")
        self.assertEqual(finish(server, job_id)["data"]["result"], {"echo": "new"})
        self.assertEqual(self.calls("new"), 1)
        self.assertEqual(server.stop(), 0)
        self.assert_intact(stage)
        self.assert_blameless(stage, 2)

    def test_no_job_is_condemned_for_a_claim_that_came_too_late(self):
        stage, server, _ = self.prepare(queue={"lease": "2s"})
        jobs = [self.accept(server, f"early-{n}") for n in range(3)]
        for job_id in jobs:
            finish(server, job_id)
        # One is accepted while the disk is well; the claim of it, or of one of its like, hangs.
        self.simulator.behave("steady", {"latency_ms": 300})
        more = [self.accept(server, f"late-{n}") for n in range(40)]
        self.disk("stall")
        time.sleep(12)  # longer than any call to the store waits, and than a lease
        self.disk("")
        for n, job_id in enumerate(more):
            self.assertEqual(finish(server, job_id, 60)["data"]["result"], {"echo": f"late-{n}"})
        self.assertEqual(server.stop(), 0)
        self.assert_intact(stage)
        self.assert_blameless(stage, 44)

    def test_nothing_is_lost_in_a_kill(self):
        stage, server, old = self.prepare()
        self.simulator.behave("steady", {"latency_ms": 500})
        running = self.accept(server, "running")
        wait_until(lambda: self.in_flight("steady"), 20, "the job runs", 1)
        self.disk("stall")
        time.sleep(1)  # its answer is there by now, and cannot be stored
        self.assertEqual(read(server, running).json["status"], "active")
        server.kill()
        self.disk("")
        server = self.start_on_a_bad_disk(stage)
        self.assertEqual(read(server, old).json["data"]["result"], {"echo": "old"})
        self.assertEqual(finish(server, running)["data"]["result"], {"echo": "running"})
        self.assert_recovers(server, stage, "new")


class GoneTest(DiskCase):
    """The file is not the one that was opened: nothing is promised any more."""

    def prepare(self):
        stage = self.stage("steady", settings={"server": {"drain_timeout": "2s"}})
        server = self.start(stage)
        old = self.accept(server, "old")
        finish(server, old)
        return stage, server, old

    def assert_failed(self, stage, server, old):
        wait_until(lambda: self.health(server), NOTICED, "health says so", (503, "unhealthy", "failed"))
        self.assertEqual(call("GET", server.url + "/readyz").status, 503)
        self.assert_unavailable(post(server, {"prompt": echo("new")}), str(stage.database), "removed or replaced")
        self.assertEqual(read(server, old).json["data"]["result"], {"echo": "old"})
        self.assertEqual(call("GET", server.url + "/livez").status, 200)

    def test_removed(self):
        stage, server, old = self.prepare()
        stage.database.unlink()
        self.assert_failed(stage, server, old)
        self.assertEqual(server.stop(), 0)
        self.assertFalse(stage.database.exists())

    def test_replaced(self):
        stage, server, old = self.prepare()
        other = self.folder / "other"
        other.write_bytes(b"not ours" * 1000)
        os.replace(other, stage.database)
        self.assert_failed(stage, server, old)
        self.assertEqual(server.stop(), 0)
        self.assertEqual(stage.database.read_bytes(), b"not ours" * 1000)

    def assert_nothing_lost(self, *suffixes):
        """These files of a server that has accepted jobs vanish; it is killed once it has said that it noticed."""
        stage = self.stage("steady", behaviour={"latency_ms": 60_000})
        server = self.start(stage)
        accepted = [self.accept(server, f"job-{n}") for n in range(50)]
        for suffix in suffixes:
            stage.database.with_name(stage.database.name + suffix).unlink()
        self.assert_unavailable(post(server, {"prompt": echo("new")}), str(stage.database), "Restart Stepper")
        self.assertEqual(self.health(server), (503, "unhealthy", "failed"))
        self.assertEqual(call("GET", server.url + "/readyz").status, 503)
        wait_until(lambda: '"level":"error"' in stage.said() and "the store failed" in stage.said(), NOTICED, "the log says so")
        server.kill()
        self.simulator.behave("steady", {})
        server = self.start(stage)
        for job_id in accepted:
            finish(server, job_id)
        self.assertEqual(server.stop(), 0)
        self.assert_intact(stage)

    def test_the_log_vanishes(self):
        self.assert_nothing_lost("-wal")

    def test_the_log_and_its_index_vanish(self):
        self.assert_nothing_lost("-wal", "-shm")

    def with_backup(self):
        """A stage, a backup with one job, its id, and a server that has gone on since."""
        stage = self.stage("steady", settings={"server": {"drain_timeout": "2s"}})
        server = self.start(stage)
        kept = self.accept(server, "kept")
        finish(server, kept)
        self.assertEqual(server.stop(), 0)
        backup = self.folder / "backup"
        shutil.copy(stage.database, backup)
        server = self.start(stage)
        for n in range(20):
            finish(server, self.accept(server, f"later-{n}"))
        return stage, backup, kept, server

    # The log that is left belongs to the file that is gone: laid over the backup it would destroy it.
    def assert_backup_is_used(self, stage, kept):
        server = self.start(stage)
        self.assertEqual(read(server, kept).json["data"]["result"], {"echo": "kept"})
        with stage.watch() as db:
            self.assertEqual(db.execute("SELECT id FROM job").fetchall(), [(kept,)])
        self.assertEqual(server.stop(), 0)
        self.assert_intact(stage)

    def test_a_backup_put_in_place_while_it_runs(self):
        stage, backup, kept, server = self.with_backup()
        os.replace(backup, stage.database)
        wait_until(lambda: self.health(server)[2], NOTICED, "health says so", "failed")
        self.assertEqual(server.stop(), 0)
        self.assert_backup_is_used(stage, kept)

    def test_a_backup_put_in_place_after_a_kill(self):
        stage, backup, kept, server = self.with_backup()
        server.kill()
        os.replace(backup, stage.database)
        self.assert_backup_is_used(stage, kept)


class DamageTest(DiskCase):
    """Found at the start: refused, with what to do about it, unless asked to save what can be read."""

    def filled(self, jobs=60):
        """A stage with a database of many pages that nobody uses, and the ids in it."""
        stage = self.stage("steady")
        server = self.start(stage)
        bulk = "x" * 2 * PAGE
        ids = [self.accept(server, f"bulk-{n}", payload={"bulk": bulk}) for n in range(jobs)]
        for job_id in ids:
            finish(server, job_id)
        self.assertEqual(server.stop(), 0)
        return stage, ids

    def assert_refused(self, stage, *words):
        refusal = stage.refusal()
        self.assertEqual(refusal.returncode, EXIT_CONFIG, refusal.stderr[-2000:])
        for word in (str(stage.database), *words):
            self.assertIn(word, refusal.stderr)

    def assert_recovers_some(self, stage, ids, least):
        damaged = stage.database.read_bytes()
        server = self.start(stage, "--recover")
        answers = [read(server, job_id) for job_id in ids]
        readable = [a for a in answers if a.status == 200]
        self.assertGreaterEqual(len(readable), least)
        for answer in readable:
            self.assertIn(answer.json["status"], ("completed", "failed", "cancelled", "queued", "active"))
        finish(server, self.accept(server, "after"))
        self.assertEqual(server.stop(), 0)
        self.assert_intact(stage)
        [kept] = [file for file in stage.database.parent.glob(stage.database.name + ".damaged-*")
                  if not file.name.endswith(("-wal", "-shm"))]
        self.assertEqual(kept.read_bytes(), damaged, "the damaged file was changed")
        self.start(stage)  # without --recover: it is sound again

    def test_a_page_of_garbage(self):
        stage, ids = self.filled()
        content = bytearray(stage.database.read_bytes())
        leaves = [at for at in range(PAGE, len(content), PAGE) if content[at] == 0x0D]
        at = leaves[len(leaves) // 2]
        content[at:at + PAGE] = b"\xa5" * PAGE
        stage.database.write_bytes(content)
        self.assert_refused(stage, "damaged", "backup", "--recover")
        self.assert_recovers_some(stage, ids, least=len(ids) // 2)

    def test_a_truncated_file(self):
        stage, ids = self.filled()
        os.truncate(stage.database, stage.database.stat().st_size // PAGE // 2 * PAGE)
        self.assert_refused(stage, "damaged", "backup", "--recover")
        self.assert_recovers_some(stage, ids, least=1)

    def test_wrong_magic(self):
        stage, ids = self.filled(jobs=3)
        with open(stage.database, "r+b") as file:
            file.write(b"Not SQLite at all")
        self.assert_refused(stage, "damaged", "not a database", "--recover")
        self.assert_recovers_some(stage, ids, least=0)

    def logged(self):
        """A stage whose jobs are only in the log: the server was killed. The ids of all but the last job."""
        stage = self.stage("steady")
        server = self.start(stage)
        ids = [self.accept(server, f"early-{n}") for n in range(10)]
        for job_id in ids:
            finish(server, job_id)
        self.accept(server, "last")
        server.kill()
        self.assertGreater(stage.wal.stat().st_size, 10 * PAGE)
        return stage, ids

    def assert_all_there(self, stage, ids):
        server = self.start(stage)
        for job_id in ids:
            self.assertEqual(read(server, job_id).json["status"], "completed")
        self.assertEqual(server.stop(), 0)
        self.assert_intact(stage)

    def test_garbage_behind_the_log(self):
        stage, ids = self.logged()
        with open(stage.wal, "ab") as wal:
            wal.write(b"\xa5" * 3 * PAGE)
        self.assert_all_there(stage, ids)

    def test_the_log_breaks_off(self):
        stage, ids = self.logged()
        os.truncate(stage.wal, stage.wal.stat().st_size - 100)
        self.assert_all_there(stage, ids)


class RefusalTest(DiskCase):
    """Starts that would do harm."""

    def test_a_second_server_on_the_same_file(self):
        stage = self.stage("steady")
        server = self.start(stage)
        refusal = stage.refusal()
        self.assertEqual(refusal.returncode, EXIT_CONFIG)
        self.assertIn(f"in use by process {server.process.pid}", refusal.stderr)
        refusal = stage.refusal("--recover")
        self.assertEqual(refusal.returncode, EXIT_CONFIG)
        finish(server, self.accept(server, "still"))

    def test_a_second_server_on_the_same_file_by_another_name(self):
        stage = self.stage("steady")
        server = self.start(stage)
        for how, name in ((os.symlink, "soft.db"), (os.link, "hard.db")):
            other = self.folder / name
            how(stage.database, other)
            (self.folder / how.__name__).mkdir()
            second = Stage(self.folder / how.__name__, [], {"store": {"url": f"sqlite:{other}"}})
            refusal = second.refusal()
            self.assertEqual(refusal.returncode, EXIT_CONFIG)
            self.assertIn("in use by", refusal.stderr)
        finish(server, self.accept(server, "still"))

    def test_a_database_of_a_newer_version(self):
        stage = self.stage("steady")
        self.assertEqual(self.start(stage).stop(), 0)
        with contextlib.closing(sqlite3.connect(stage.database)) as db:
            db.execute("PRAGMA user_version = 99")
        before = stage.database.read_bytes()
        for options in ((), ("--recover",)):
            refusal = stage.refusal(*options)
            self.assertEqual(refusal.returncode, EXIT_CONFIG)
            self.assertIn("newer", refusal.stderr)
            self.assertIn("99", refusal.stderr)
        self.assertEqual(stage.database.read_bytes(), before)

    def test_a_database_of_another_program(self):
        stage = self.stage("steady")
        stage.database.parent.mkdir()
        with contextlib.closing(sqlite3.connect(stage.database)) as db:
            db.execute("CREATE TABLE theirs(a)")
        before = stage.database.read_bytes()
        for options in ((), ("--recover",)):
            refusal = stage.refusal(*options)
            self.assertEqual(refusal.returncode, EXIT_CONFIG)
            self.assertIn("another program", refusal.stderr)
        self.assertEqual(stage.database.read_bytes(), before, "somebody else's file was changed")

    # Permissions say nothing to root, so the folder is a file.
    def test_a_folder_that_cannot_be_written(self):
        stage = self.stage("steady")
        stage.database.parent.write_text("a file")
        refusal = stage.refusal()
        self.assertEqual(refusal.returncode, EXIT_CONFIG)
        self.assertIn(str(stage.database.parent), refusal.stderr)
        self.assertIn("store.url", refusal.stderr)


if __name__ == "__main__":
    unittest.main()
