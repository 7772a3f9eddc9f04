"""Who comes first when there is more work than workers."""
import re
import threading
import time
import unittest

from lib import Case, Connection, call, wait_until

ONE_WORKER = {"queue": {"workers": 1}, "batch": {"max_running": 1, "max_concurrency": 1}}


def report_of(user, mark):
    """A commit report that is asked for without a tenant."""
    commit = {"userId": user, "commitSha": mark, "repo": "a/b", "message": f"#{mark}#", "files": ["a.ts"], "components": [],
              "diffSummary": "+1 -1"}
    return {"prompt": {"preset": "commit-report", "payload": commit}}


class Fairness(Case):
    def occupy(self, server):
        """Its only worker is busy until release(); later requests are answered."""
        self.simulator.behave("one", {"steps": [{"hang": "head"}], "then": "ok"})
        self.first = self.queue(server, {"prompt": "x"})
        self.await_upstream(1)

    def release(self, server, ids):
        """Returns when these jobs are finished, too."""
        call("DELETE", f"{server.url}/v1/jobs/{self.first}")
        for job_id in ids:
            self.finished(server, job_id)

    def queue_marked(self, server, mark, **more):
        return self.queue(server, {"prompt": f"#{mark}#", **more})

    def order(self):
        """The marks of the prompts in the order they came upstream."""
        return re.findall(r"#(\w+)#", str(self.simulator.log("one")))

    def start_with_refresh(self):
        """The only worker is busy, and the first to wait for it is a refresh."""
        server = self.start_one({}, {**ONE_WORKER, "cache": {"fresh_for": "200ms", "ttl": "60s"}})
        self.finished(server, self.queue_marked(server, "stale"))
        time.sleep(0.25)
        self.occupy(server)
        self.assertEqual(self.post(server, {"prompt": "#stale#"}).headers["X-Cache"], "STALE")
        return server

    def test_tenants_take_turns(self):
        server = self.start_one({}, ONE_WORKER)
        self.occupy(server)
        ids = [self.queue_marked(server, f"a{i}", tenantId="a") for i in range(30)]
        ids += [self.queue_marked(server, f"b{i}", tenantId="b") for i in range(3)]
        self.release(server, ids)
        order = self.order()
        self.assertEqual(len(order), 33)
        self.assertLess(order.index("b2"), 8, order)
        for tenant in "ab":
            own = [mark for mark in order if mark[0] == tenant]
            self.assertEqual(own, [f"{tenant}{i}" for i in range(len(own))])

    def test_users_of_reports_take_turns(self):
        server = self.start_one({}, ONE_WORKER)
        self.occupy(server)
        ids = [self.queue(server, report_of(mark[0], mark)) for mark in ("a0", "a1", "a2", "a3", "a4", "b0")]
        self.assertEqual(self.listed(server, ids[0])["tenantId"], "a")
        self.release(server, ids)
        self.assertLess(self.order().index("b0"), 3, self.order())

    def test_refreshes_yield_to_those_who_wait(self):
        server = self.start_with_refresh()
        self.release(server, [self.queue_marked(server, f"n{i}") for i in range(5)])
        # A call is counted before it is logged.
        wait_until(lambda: len(self.order()), wanted=7)
        self.assertEqual(self.order(), ["stale", "n0", "n1", "n2", "n3", "n4", "stale"])

    def test_a_refresh_somebody_waits_for_is_no_longer_last(self):
        server = self.start_with_refresh()
        ids = [self.queue_marked(server, "n0"), self.queue_marked(server, "stale", cacheControl="refresh"),
               self.queue_marked(server, "n1")]
        self.release(server, ids)
        self.assertEqual(self.order(), ["stale", "stale", "n0", "n1"])

    def test_users_of_reports_who_wait_take_turns(self):
        server = self.start_one({"steps": [{"hang": "head"}], "then": "ok"}, concurrency=1)
        first = Connection(server.port)
        first.send("POST", "/v1/generate/immediate", {"prompt": "x"})
        self.await_upstream(1)
        clients = []
        for mark in ("a0", "a1", "a2", "a3", "a4", "b0"):
            clients.append(threading.Thread(target=self.generate, args=(server, report_of(mark[0], mark))))
            clients[-1].start()
            waiting = f"stepper_http_in_flight {len(clients) + 2}"
            wait_until(lambda waiting=waiting: waiting in call("GET", server.url + "/metrics").raw.decode().splitlines())
        first.close()
        for client in clients:
            client.join()
        self.assertLess(self.order().index("b0"), 3, self.order())


if __name__ == "__main__":
    unittest.main()
