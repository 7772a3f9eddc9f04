"""`stepper jobs` and `stepper generate --async`: the command line of a running server."""
import json
import unittest

from lib import Case, call, run_stepper

ANSWER = {"product": "Coffee beans", "price": 18}
HANGS = {"steps": [{"hang": "head"}], "then": "repeat"}
NOWHERE = "http://127.0.0.1:1"


class JobsVerb(Case):
    def jobs(self, server, *words):
        return run_stepper("jobs", *words, "--server", server.url, cwd=self.folder)

    def said(self, server, *words):
        result = self.jobs(server, *words)
        self.assertEqual((result.returncode, result.stderr), (0, ""))
        return result.stdout

    def refused(self, server, *words):
        result = self.jobs(server, *words)
        self.assertNotIn(result.returncode, (0, -6, -11))
        self.assertEqual(result.stdout, "")
        return result.stderr

    def made(self, server, count):
        ids = [self.queue(server, {"prompt": str(i), "tenantId": "acme"}) for i in range(count)]
        for job_id in ids:
            self.finished(server, job_id)
        return ids

    def test_list_and_show(self):
        server = self.start_one()
        ids = self.made(server, 2)
        lines = self.said(server, "list").splitlines()
        self.assertEqual([line.split()[:4] for line in lines], [[i, "completed", "100%", "generate"] for i in reversed(ids)])
        self.assertTrue(all(line.endswith("acme") for line in lines))
        self.assertEqual(self.said(server, "list", "failed"), "")
        self.assertEqual(len(json.loads(self.said(server, "list", "completed", "--json"))["jobs"]), 2)
        self.assertEqual(json.loads(self.said(server, "show", ids[0])), self.job(server, ids[0]).json)
        self.assertEqual(self.refused(server, "show", "nope"), "job nope: the server answered 404: Job not found\n")
        self.assertIn("expected queued, active, completed, fallback, failed or cancelled", self.refused(server, "list", "dead"))

    def test_cancel_and_retry(self):
        server = self.start_one(HANGS)
        job_id = self.queue(server, {"prompt": "x"})
        self.await_upstream(1)
        self.assertIn("not finished", self.refused(server, "purge", job_id))
        self.assertEqual(self.said(server, "cancel", job_id).split(), [job_id, "cancelled"])
        self.await_upstream(0)
        self.assertIn("is cancelled already", self.refused(server, "cancel", job_id))
        self.simulator.behave("one", {})
        again = self.said(server, "retry", job_id).strip()
        self.assertEqual(self.finished(server, again)["data"]["result"], ANSWER)

    def test_purge(self):
        server = self.start_one()
        ids = self.made(server, 4)
        self.assertEqual(self.said(server, "purge", *ids[:2]), "".join(f"{i}  deleted\n" for i in ids[:2]))
        self.assertEqual(len(self.said(server, "purge", "completed").splitlines()), 2)
        self.assertEqual(call("GET", server.url + "/v1/jobs").json, {"jobs": []})

    def test_purge_takes_jobs_that_several_clients_asked_for(self):
        server = self.start_one({"latency_ms": 100})
        ids = {self.queue(server, {"prompt": "x"}) for _ in range(3)}
        self.assertEqual(len(ids), 1)
        self.finished(server, *ids)
        self.assertIn("deleted", self.said(server, "purge", "completed"))
        self.assertEqual(self.said(server, "list"), "")

    def test_the_key_comes_from_the_configuration(self):
        server = self.start_one(settings={"security": {"api_key": "sesame"}})
        result = run_stepper("jobs", "list", "--server", server.url, "--config", self.folder / "stepper.yaml")
        self.assertEqual((result.returncode, result.stderr), (0, ""))
        self.assertIn("401", self.refused(server, "list"))

    def test_several_jobs_are_told_apart(self):
        server = self.start_one(HANGS)
        job_id = self.queue(server, {"prompt": "x"})
        self.assertIn("job nope: ", self.refused(server, "cancel", job_id, "nope"))
        self.assertEqual(self.said(server, "cancel", job_id).split(), [job_id, "cancelled"])

    def test_a_broken_providers_file_is_no_obstacle(self):
        server = self.start_one()
        ids = self.made(server, 1)
        (self.folder / "providers.yaml").write_text("providers: [")
        config = ["--server", server.url, "--config", self.folder / "stepper.yaml"]
        jobs, plugins = (run_stepper(*words, *config) for words in (["jobs", "list"], ["plugin", "list"]))
        self.assertEqual((jobs.returncode, jobs.stderr, jobs.stdout.split()[0]), (0, "", ids[0]))
        self.assertEqual((plugins.returncode, plugins.stderr), (0, ""))
        reload = run_stepper("reload", *config)
        self.assertEqual(reload.returncode, 78)
        self.assertIn("providers.yaml:1:1: not valid YAML", reload.stderr)

    def test_generate_async_prints_the_job(self):
        server = self.start_one()
        result = run_stepper("generate", "--async", "--json", "hello", "--server", server.url)
        self.assertEqual((result.returncode, result.stderr), (0, ""))
        self.assertEqual(self.finished(server, result.stdout.strip())["data"]["result"], ANSWER)
        again = run_stepper("generate", "--async", "--json", "hello", "--server", server.url)
        self.assertEqual(json.loads(again.stdout)["data"], ANSWER)

    def test_retries_those_that_failed(self):
        server = self.start_one({"steps": [{"status": 400}] * 3}, {"fallback": {"jobs": "fail"}})
        ids = self.made(server, 3)
        self.simulator.behave("one", {})
        self.assertEqual(self.said(server, "retry", "--failed", "--tenant", "other"), "")
        again = dict(line.split() for line in self.said(server, "retry", "--failed", "--since", "2h").splitlines())
        self.assertEqual(set(again), set(ids))
        for new in again.values():
            self.assertEqual(self.finished(server, new)["status"], "completed")
        self.assertEqual(self.said(server, "retry", "--failed"), "")
        self.assertIn("Invalid since", self.refused(server, "retry", "--failed", "--since", "soon"))
        several = self.jobs(server, "retry", ids[0], "nope")
        self.assertEqual((several.returncode, several.stdout.split()), (1, [ids[0], again[ids[0]]]))
        self.assertIn("job nope: Job not found", several.stderr)

    def test_a_long_list_is_whole(self):
        server = self.start_one(HANGS, {"queue": {"workers": 1}, "store": {"durability": "normal"}})
        for n in range(1011):
            self.queue(server, {"prompt": str(n)})
        self.assertEqual(len(self.said(server, "list").splitlines()), 1011)
        self.assertEqual(len(json.loads(self.said(server, "list", "--json"))["jobs"]), 1011)

    def test_nobody_listens(self):
        for words in (("jobs", "list"), ("jobs", "show", "x"), ("generate", "--async", "hello")):
            with self.subTest(words):
                result = run_stepper(*words, "--server", NOWHERE)
                self.assertEqual((result.returncode, result.stdout), (1, ""))
                self.assertIn(f"no answer from {NOWHERE}", result.stderr)
                self.assertIn("is `stepper serve` running there?", result.stderr)

    def test_words_it_does_not_know(self):
        for words in ((), ("lst",), ("show",), ("show", "a", "b"), ("cancel",), ("purge",), ("purge", "failed", "a"), ("retry",), ("retry", "a", "--failed"), ("retry", "a", "--since", "2h"), ("retry", "--since", "2h"),
                      ("retry", "--failed", "--since", ""),
                      ("list", "faild"), ("list", "--jsno"), ("show", "a", "--async")):
            with self.subTest(words):
                result = run_stepper("jobs", *words, "--server", NOWHERE)
                self.assertEqual((result.returncode, result.stdout), (64, ""))
                self.assertTrue(result.stderr)
        self.assertIn("did you mean list?", run_stepper("jobs", "lst").stderr)

    def test_a_server_on_any_port_has_to_be_named(self):
        settings = self.folder / "stepper.yaml"
        self.write_config([], {"server": {"listen": "127.0.0.1:0"}})
        result = run_stepper("jobs", "list", "-c", settings)
        self.assertEqual(result.returncode, 78)
        self.assertIn("--server", result.stderr)


if __name__ == "__main__":
    unittest.main()
