"""The server dies without a word: what it acknowledged is there afterwards, and is done."""
import unittest

from lib import Case, run_stepper
from lib.storm import storm

HANGS = {"steps": [{"hang": "head"}], "then": "repeat"}


class Crash(Case):
    def test_acknowledged_jobs_are_done_after_all(self):
        server = self.start_one(HANGS, {"queue": {"workers": 4}})
        ids = {body["jobId"] for _, _, body in storm(server, "/v1/generate", [{"prompt": str(i)} for i in range(300)])}
        self.assertEqual(len(ids), 300)
        server.kill()
        server = self.start_one()
        for job_id in ids:
            self.assertEqual(self.finished(server, job_id)["status"], "completed")
        self.assertEqual(self.upstream_calls(), 300)

    def test_a_running_job_is_run_again(self):
        server = self.start_one(HANGS)
        single = self.queue(server, {"prompt": "x"})
        batch = self.queue(server, {"items": [{"id": "a", "request": {"prompt": "y"}}]}, "/v1/generate/batch")
        self.await_upstream(2)
        server.kill()
        server = self.start_one()
        self.assertEqual(self.finished(server, single, 5)["status"], "completed")
        self.assertEqual(self.finished(server, batch, 5)["data"]["completed"], 1)
        line = self.listed(server, single)
        self.assertEqual((line["crashes"], line["attempts"]), (1, 0))

    def test_a_store_has_one_server(self):
        server = self.start_one()
        result = run_stepper("serve", "--config", self.folder / "stepper.yaml", "--listen", "127.0.0.1:0")
        self.assertEqual((result.returncode, result.stdout), (78, ""))
        self.assertIn(f"process {server.process.pid}", result.stderr)


if __name__ == "__main__":
    unittest.main()
