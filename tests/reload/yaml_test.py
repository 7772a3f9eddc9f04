"""Both YAML files are edited under a server that is in use: what is valid is in force within a second, what is not is told."""
import json
import os
import random
import signal
import time
import unittest

from lib import call, link_plugins, replace, wait_until
from stage import Load, ReloadCase

EDITS = 1000
PACE = 0.03  # seconds between edits
BROKEN = ["providers: [", "providers: 7\n", "{}", "providers:\n  - name: one\n    plugn: variant\n", "\x00", "a: &a [*a]\n", ""]


class Yaml(ReloadCase):
    def setUp(self):
        super().setUp()
        self.variant("a", "variant.so")

    def write(self, providers, how="rename"):
        text = providers if isinstance(providers, str) else json.dumps({"providers": providers})
        path = self.folder / "providers.yaml"
        if how == "rename":
            replace(path, text)
        else:
            path.write_text(text, encoding="utf-8")

    def health(self, server):
        return call("GET", server.url + "/health").json

    def names(self, server):
        return [p["name"] for p in self.health(server)["providers"]]

    def within_a_second(self, condition):
        began = time.monotonic()
        wait_until(condition, 5)
        self.assertLess(time.monotonic() - began, 1.0)

    def test_a_thousand_edits_cost_nobody_anything(self):
        chance = random.Random(5)
        server = self.serve()
        good = [[self.spec(concurrency=n)] + [self.spec(f"extra-{i}") for i in range(k)] for n, k in ((8, 0), (16, 2), (32, 1))]
        with Load(server, clients=2) as load:
            for i in range(EDITS):
                kind = chance.choice(["valid", "valid", "broken", "half", "swap"])
                if kind == "valid":
                    self.write(chance.choice(good), "in place")
                elif kind == "swap":
                    self.write(chance.choice(good))
                elif kind == "half":
                    text = json.dumps({"providers": chance.choice(good)})
                    self.write(text[:chance.randrange(1, len(text))], "in place")
                else:
                    self.write(chance.choice(BROKEN))
                time.sleep(PACE)  # the pace of the edits is what is tried
            self.write([self.spec(), self.spec("last")])
            self.within_a_second(lambda: self.names(server) == ["one", "last"])
        self.assertEqual(load.failures, [])
        self.assertEqual(set(load.answers), {"A"})
        self.assertEqual(self.health(server)["config"]["status"], "ok")
        self.assertGreater(self.health(server)["config"]["generation"], 10)

    def test_an_error_is_told_within_a_second_and_gone_when_it_is_mended(self):
        server = self.serve()
        self.write([self.spec(limits={"rpm": "many"})])
        self.within_a_second(lambda: self.health(server)["config"]["status"] == "refused")
        health = self.health(server)
        self.assertEqual(health["status"], "degraded")
        self.assertRegex(health["config"]["problems"][0], r"providers\.yaml:1:\d+: .*limits\.rpm: .*not \"many\"")
        self.assertIn("reload refused", self.log_text())
        self.assertIn("stepper_last_reload_successful 0", call("GET", server.url + "/metrics").raw.decode())
        self.assertEqual(self.answer(server), "A")
        answer = self.reload(server)
        self.assertEqual((answer.status, answer.json["status"]), (422, "refused"))
        self.assertIn("limits.rpm", answer.json["error"])
        self.write([self.spec(limits={"rpm": 1000})])
        self.within_a_second(lambda: self.health(server)["config"]["status"] == "ok")
        self.assertIn("stepper_last_reload_successful 1", call("GET", server.url + "/metrics").raw.decode())

    def test_what_a_plugin_refuses_keeps_all_of_the_old(self):
        link_plugins(self.plugins, "http-template")
        server = self.serve()
        self.write([self.spec(limits={"rpm": 3}), self.spec("bad", plugin="http-template", options={"no": "such option"})])
        self.within_a_second(lambda: self.health(server)["config"]["status"] == "refused")
        self.assertRegex(self.health(server)["config"]["problems"][0], r"providers\.yaml:1:\d+: provider bad: .*http-template")
        self.assertEqual(self.names(server), ["one"])
        self.assertEqual(self.health(server)["providers"][0]["quotas"], [])

    def test_adding_removing_reordering_disabling(self):
        server = self.serve([self.spec("one"), self.spec("two")])
        for names in (["two", "one"], ["one", "three"], ["three", "two", "one"]):
            self.write([self.spec(n) for n in names])
            self.within_a_second(lambda: self.names(server) == names)
            self.assertEqual(self.ask(server).json["metadata"]["provider"], names[0])
        self.write([self.spec("three", enabled=False), self.spec("two")])
        self.within_a_second(lambda: self.ask(server).json["metadata"]["provider"] == "two")
        changes = self.admin("GET", server, "/admin/config").json
        self.assertEqual([p["name"] for p in changes["config"]["providers"]], ["three", "two"])
        for line in ("provider one removed", "the order of the providers changed"):  # told once they are in force
            self.within_a_second(lambda line=line: line in self.log_text())

    def test_state_stays_with_the_name(self):
        server = self.serve([self.spec(limits={"rpm": 3}), self.spec("two")])
        self.simulator.reset()
        for _ in range(2):
            self.assertEqual(self.ask(server).json["metadata"]["provider"], "one")
        # Another model and another limit: what was used remains used, and the order round trip loses nothing.
        self.write([self.spec("two"), self.spec(limits={"rpm": 4}, model="m-2")])
        self.within_a_second(lambda: self.names(server) == ["two", "one"])
        self.write([self.spec("two")])
        self.within_a_second(lambda: self.names(server) == ["two"])
        self.write([self.spec(limits={"rpm": 4}, model="m-2"), self.spec("two")])
        self.within_a_second(lambda: self.names(server) == ["one", "two"])
        self.assertEqual([self.ask(server).json["metadata"]["provider"] for _ in range(4)], ["one", "one", "two", "two"])
        self.assertIn('provider="one"', call("GET", server.url + "/metrics").raw.decode())

    def test_an_open_circuit_stays_open(self):
        server = self.serve([self.spec(breaker={"consecutive": 2, "open_for": "1h", "max_open_for": "1h"}), self.spec("two")])
        self.simulator.behave("one", {"steps": [{"status": 500}], "then": "repeat"})
        wait_until(lambda: self.ask(server) and self.health(server)["providers"][0]["circuitOpen"])
        self.write([self.spec("zero"), self.spec(breaker={"consecutive": 2, "open_for": "1h", "max_open_for": "1h"})])
        self.within_a_second(lambda: self.names(server) == ["zero", "one"])
        self.assertTrue(self.health(server)["providers"][1]["circuitOpen"])

    def test_a_refused_key_is_tried_again_when_it_is_replaced(self):
        server = self.serve([self.spec()])
        self.simulator.behave("one", {"key": "k-right"})
        self.ask(server)
        self.assertEqual(self.health(server)["providers"][0]["state"], "disabled")
        self.write([self.spec(api_key="k-right", plugin="variant")])
        self.within_a_second(lambda: self.health(server)["providers"][0]["state"] != "disabled")
        self.assertNotIn("k-right", self.log_text() + self.admin("GET", server, "/admin/config").raw.decode())

    def test_what_needs_a_restart_is_told_and_the_rest_is_done(self):
        server = self.serve()
        path = self.folder / "stepper.yaml"
        config = json.loads(path.read_text())
        config["store"]["url"] = "sqlite:elsewhere.db"
        config["queue"] = {"workers": 3, "max_attempts": 2}
        config["server"]["max_connections"] = 17
        path.write_text(json.dumps(config))
        answer = self.reload(server).json
        self.assertEqual(answer["waitForRestart"], ["server.max_connections", "store.url", "queue.workers"])
        effective = self.admin("GET", server, "/admin/config").json["config"]
        self.assertEqual((effective["queue"]["max_attempts"], effective["queue"]["workers"]), (2, 64))

    def test_queued_jobs_are_done_by_who_is_there_then(self):
        server = self.serve([self.spec(enabled=False), self.spec("slow", limits={"windows": [{"requests": 1, "per": "1h"}]})])
        jobs = [self.queue(server, {**self.job_body(), "prompt": f"in earnest {i}"}) for i in range(5)]
        wait_until(lambda: [self.job(server, j).json["status"] for j in jobs].count("completed") == 1)
        self.write([self.spec(), self.spec("slow", limits={"windows": [{"requests": 1, "per": "1h"}]})])
        for job in jobs:
            self.assertEqual(self.finished(server, job)["status"], "completed")

    def job_body(self):
        return {"prompt": "in earnest", "responseMode": "text"}

    def test_sighup_and_another_providers_file(self):
        server = self.serve()
        (self.folder / "other.yaml").write_text(json.dumps({"providers": [self.spec("from-another")]}))
        path = self.folder / "stepper.yaml"
        path.write_text(path.read_text().replace("providers.yaml", "other.yaml"))
        os.kill(server.process.pid, signal.SIGHUP)
        self.within_a_second(lambda: self.names(server) == ["from-another"])
        (self.folder / "other.yaml").write_text(json.dumps({"providers": [self.spec("again")]}))
        self.within_a_second(lambda: self.names(server) == ["again"])
        # A file that is named and missing is waited for.
        path.write_text(path.read_text().replace("other.yaml", "third.yaml"))
        self.within_a_second(lambda: self.health(server)["config"]["status"] == "refused")
        self.assertEqual(self.answer(server), "A")
        (self.folder / "third.yaml").write_text(json.dumps({"providers": [self.spec("third")]}))
        self.within_a_second(lambda: self.names(server) == ["third"])

    def test_client_keys_and_log_level_change_live(self):
        server = self.serve()
        path = self.folder / "stepper.yaml"
        config = json.loads(path.read_text())
        config["security"] = {"api_key": "let-me-in"}
        config["log"] = {"level": "error", "format": "json"}
        path.write_text(json.dumps(config))
        self.within_a_second(lambda: self.ask(server).status == 401)
        quiet = len(self.log_text())
        self.assertEqual(self.generate(server, {"prompt": "in earnest"}, headers={"x-api-key": "let-me-in"}).status, 200)
        self.assertEqual(len(self.log_text()), quiet)

    def test_a_configmap_is_swapped(self):
        for version, name in (("1", "first"), ("2", "second")):
            folder = self.folder / f"..{version}"
            folder.mkdir()
            (folder / "providers.yaml").write_text(json.dumps({"providers": [self.spec(name)]}))
        server_config = self.write_config([], {"plugins_dir": str(self.plugins)})
        (self.folder / "providers.yaml").unlink()
        (self.folder / "..data").symlink_to("..1")
        (self.folder / "providers.yaml").symlink_to("..data/providers.yaml")
        self.write_config = lambda *_: server_config
        server = self.start(None)
        self.assertEqual(self.names(server), ["first"])
        (self.folder / "..new").symlink_to("..2")
        os.rename(self.folder / "..new", self.folder / "..data")
        self.within_a_second(lambda: self.names(server) == ["second"])


if __name__ == "__main__":
    unittest.main()
