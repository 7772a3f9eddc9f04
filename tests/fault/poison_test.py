"""A plugin that takes the process down on one prompt: that job fails in the end, all others complete."""
import signal
import unittest

from lib import FAULTS, call, echo, provider, wait_until
from stage import LOST, Case, Stage, finish, post, read

DEADLY = {"prompt": "POISON " + echo("poison"), "preferredProviders": ["quick"], "excludeProviders": ["slow"]}
MOST_DEATHS = 8


def harmless(token):
    return {"prompt": echo(token), "preferredProviders": ["slow"]}


class PoisonTest(Case):
    def setUp(self):
        super().setUp()
        # The deadly answer comes while the others are being made.
        self.simulator.behave("quick", {"latency_ms": 300})
        self.simulator.behave("slow", {"latency_ms": 1500})
        providers = [provider(self.simulator, name, plugin="poison", concurrency=128) for name in ("quick", "slow")]
        for spec in providers:
            spec["base_url"] = f"{self.simulator.url}/p/{spec['name']}"
        self.lived_on = Stage(self.folder, providers, plugins=FAULTS / "plugins")

    def accept_all(self, server, bodies):
        """Ids; those that a dying server did not confirm are none."""
        ids = []
        for body in bodies:
            try:
                ids.append(post(server, body).json["jobId"])
            except LOST:
                break
        return ids

    def outlive(self, server, job_id, more):
        """Starts one server after the other until the job has ended. The last one, and how many died."""
        for deaths in range(MOST_DEATHS):
            try:
                wait_until(lambda: read(server, job_id, wait=1).json["status"] in ("completed", "failed"), 30, "it ends")
                return server, deaths
            except LOST:
                self.assertEqual(server.process.wait(10), -signal.SIGABRT, self.lived_on.said()[-2000:])
            server = self.serve()
            more(server, deaths)
        self.fail(f"the server died {MOST_DEATHS} times")

    def serve(self):
        return self.start(self.lived_on, ends=(0, -signal.SIGABRT))

    def test_one_deadly_job_does_not_take_others_along(self):
        server = self.serve()
        ids = self.accept_all(server, [harmless(f"before-{n}") for n in range(10)])
        deadly = post(server, DEADLY).json["jobId"]
        ids += self.accept_all(server, [harmless(f"beside-{n}") for n in range(10)])

        def keep_busy(again, deaths):
            ids.extend(self.accept_all(again, [harmless(f"later-{deaths}-{n}") for n in range(3)]))

        server, deaths = self.outlive(server, deadly, keep_busy)
        self.assertEqual(deaths, 5, "deaths of the server")
        job = read(server, deadly).json
        self.assertEqual(job["status"], "failed")
        self.assertIn("ended 5 times", job["failure"]["message"])
        self.assertFalse(job["failure"]["retryable"])
        self.assertEqual(job["error"], job["failure"]["message"])
        self.assertGreaterEqual(len(ids), 25)
        for job_id in ids:
            job = finish(server, job_id, 120)
            self.assertEqual(job["status"], "completed", job)
            self.assertFalse(job["data"]["fallback"])
        self.assertLessEqual(self.calls("poison"), 5)
        self.assert_intact(self.lived_on)

    def test_one_deadly_item_does_not_take_its_batch_along(self):
        server = self.serve()
        requests = [harmless(f"item-{n}") for n in range(12)]
        requests[5] = DEADLY
        batch = {"items": [{"id": f"i{n}", "request": r} for n, r in enumerate(requests)], "concurrency": 5}
        job_id = call("POST", server.url + "/v1/generate/batch", batch).json["jobId"]
        server, _ = self.outlive(server, job_id, lambda *_: None)
        data = read(server, job_id).json["data"]
        self.assertEqual([item["id"] for item in data["items"]], [f"i{n}" for n in range(12)])
        self.assertEqual((data["total"], data["completed"], data["failed"]), (12, 11, 1))
        self.assertEqual([n for n, item in enumerate(data["items"]) if item["status"] != "completed"], [5])
        self.assertIn("ended 5 times", data["items"][5]["failure"]["message"])
        self.assertLessEqual(self.calls("poison"), 5)


if __name__ == "__main__":
    unittest.main()
