"""One process that serves and runs no jobs, one that runs jobs and listens nowhere: of one store, one after the other."""
import json
import signal
import subprocess
import unittest

from lib import STEPPER, Case, call, clean_environment, run_stepper, wait_until

RUNS_NONE = {"queue": {"workers": 0}}


class Apart(Case):
    def worker_config(self):
        """That of the server, for one that runs jobs of the same store."""
        settings = json.loads((self.folder / "stepper.yaml").read_text())
        path = self.folder / "worker.yaml"
        path.write_text(json.dumps({**settings, "queue": {"workers": 4}, "server": {}}))
        return path

    def run_jobs(self):
        """`stepper serve --no-http`, once it says that it runs."""
        process = subprocess.Popen([STEPPER, "serve", "--no-http", "--config", self.worker_config()],
                                   env=clean_environment(), stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)
        self.addCleanup(process.stdout.close)
        self.assertEqual(process.stdout.readline(), "stepper: running jobs, without HTTP\n")
        return process

    def test_one_accepts_and_the_next_runs(self):
        server = self.start_one(settings=RUNS_NONE)
        jobs = call("GET", f"{server.url}/health").json["jobs"]
        self.assertEqual((jobs["workers"], jobs["reason"][:21]), (0, "queue.workers is 0: j"))
        batch = self.queue(server, {"items": [{"id": "a", "request": {"prompt": "b"}}]}, "/v1/generate/batch")
        job_id = self.queue(server, {"prompt": "a"})
        self.assertEqual(self.generate(server, {"prompt": "at once"}).status, 200)
        self.assertEqual(call("GET", f"{server.url}/v1/jobs/{job_id}?wait=1").json["status"], "queued")
        server.stop()
        worker = self.run_jobs()
        wait_until(self.upstream_calls, wanted=3)
        worker.send_signal(signal.SIGTERM)
        self.assertEqual(worker.wait(20), 0)
        server = self.start_one()
        self.assertEqual(self.finished(server, job_id)["status"], "completed")
        self.assertEqual(self.finished(server, batch)["data"]["completed"], 1)
        self.assertEqual(self.upstream_calls(), 0)
        self.assertEqual(call("GET", f"{server.url}/health").json["jobs"], {"workers": 64})

    def test_a_store_has_one_owner_at_a_time(self):
        server = self.start_one(settings=RUNS_NONE)
        second = run_stepper("serve", "--no-http", "--config", self.worker_config())
        self.assertEqual((second.returncode, second.stdout), (78, ""))
        self.assertIn(f"is in use by process {server.process.pid}", second.stderr)

    def test_what_makes_no_sense_is_refused(self):
        path = self.write_config([], RUNS_NONE)
        nothing = run_stepper("serve", "--no-http", "--config", path)
        self.assertEqual(nothing.returncode, 78)
        self.assertIn("queue.workers is 0", nothing.stderr)
        both = run_stepper("serve", "--no-http", "--listen", "127.0.0.1:0", "--config", path)
        self.assertEqual(both.returncode, 64)


if __name__ == "__main__":
    unittest.main()
