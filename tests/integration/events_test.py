"""The event stream of a job."""
import json
import threading
import unittest

from lib import Case, Connection, call, wait_until

ANSWER = {"product": "Coffee beans", "price": 18}
HANGS = {"steps": [{"hang": "head"}], "then": "repeat"}


class Events(Case):
    def follow(self, server, job_id, last_id=None, timeout=20, whole_path=False):
        """The response of an open stream; closing it closes its connection."""
        client = Connection(server.port, timeout)
        headers = {"Connection": "close", **({} if last_id is None else {"Last-Event-ID": last_id})}
        client.send("GET", f"/v1/jobs/{job_id}" + ("" if whole_path else "/events"), headers=headers)
        stream = client.response()
        self.addCleanup(stream.close)
        return stream

    def next_event(self, stream):
        """(name, id, data) of the next event; None at the end."""
        fields = {}
        while line := stream.readline().decode():
            if line == "\n" and "data" in fields:
                return fields["event"], fields.get("id"), json.loads(fields["data"])
            name, _, value = line.rstrip("\n").partition(": ")
            fields[name] = value
        return None

    def rest(self, stream):
        return list(iter(lambda: self.next_event(stream), None))

    def test_the_life_of_a_job(self):
        server = self.start_one(HANGS, {"queue": {"workers": 1}})
        first = self.queue(server, {"prompt": "first"})
        self.await_upstream(1)
        job_id = self.queue(server, {"prompt": "second"})
        stream = self.follow(server, job_id)
        self.assertEqual((stream.status, stream.headers.get_content_type()), (200, "text/event-stream"))
        self.assertEqual(stream.headers["Cache-Control"], "no-store")
        self.assertEqual(self.next_event(stream)[::2], ("state", {"id": job_id, "status": "queued"}))
        self.assertEqual(self.next_event(stream)[::2], ("progress", {"progress": 0}))
        self.simulator.behave("one", {"latency_ms": 500})
        call("DELETE", f"{server.url}/v1/jobs/{first}")
        self.assertEqual(self.next_event(stream)[::2], ("state", {"id": job_id, "status": "active"}))
        *told, result = self.rest(stream)
        self.assertIn(("state", {"id": job_id, "status": "completed"}), [event[::2] for event in told])
        self.assertIn(("progress", {"progress": 100}), [event[::2] for event in told])
        self.assertEqual((result[0], result[2]), ("result", self.job(server, job_id).json))
        self.assertEqual(result[2]["data"]["result"], ANSWER)

    def test_a_batch_tells_of_every_item(self):
        server = self.start_one({"latency_ms": 250})
        items = [{"id": str(i), "request": {"prompt": str(i)}} for i in range(3)]
        job_id = self.queue(server, {"items": items, "concurrency": 1}, "/v1/generate/batch")
        events = self.rest(self.follow(server, job_id))
        done = [data["progress"]["done"] for name, _, data in events if name == "progress"]
        self.assertEqual(done, sorted(set(done)))
        self.assertEqual(done[-2:], [2, 3])
        self.assertEqual([name for name, _, _ in events].count("result"), 1)
        self.assertEqual(events[-1][2]["data"]["completed"], 3)

    def test_a_broken_stream_goes_on_where_it_broke(self):
        server = self.start_one({"steps": [{}, {"hang": "head"}]})
        items = [{"id": str(i), "request": {"prompt": str(i)}} for i in range(2)]
        job_id = self.queue(server, {"items": items, "concurrency": 1}, "/v1/generate/batch")
        stream = self.follow(server, job_id)
        while True:
            name, last_id, data = self.next_event(stream)
            if name == "progress" and data["progress"]["done"] == 1:
                break
        stream.close()
        stream = self.follow(server, job_id, last_id)
        call("DELETE", f"{server.url}/v1/jobs/{job_id}")
        events = self.rest(stream)
        self.assertTrue(all(int(event_id) > int(last_id) for _, event_id, _ in events), events)
        self.assertEqual([name for name, _, _ in events], ["state", "progress", "result"])
        self.assertEqual(events[0][2]["status"], "cancelled")

    def receive(self, server, job_id, until):
        """The events that came whole before the line breaks in the middle of the first one of that name."""
        stream = self.follow(server, job_id)
        whole = []
        while True:
            line = stream.readline().decode()
            if line == f"event: {until}\n":
                stream.close()
                return whole
            fields = {}
            while line != "\n":
                name, _, value = line.rstrip("\n").partition(": ")
                fields[name] = value
                line = stream.readline().decode()
            whole.append((fields["event"], fields["id"]))

    def test_a_line_that_breaks_within_the_result_loses_nothing(self):
        # NVIDIA-AI-Blueprints/aiq#272, modelcontextprotocol/typescript-sdk#2499
        server = self.start_one({"answer": {"a": "x" * 500_000}})
        job_id = self.queue(server, {"prompt": "x"})
        self.finished(server, job_id)
        whole = self.receive(server, job_id, "result")
        self.assertEqual([name for name, _ in whole], ["state", "progress"])
        for place, (_, last_id) in enumerate(whole):
            events = self.rest(self.follow(server, job_id, last_id))
            self.assertEqual([name for name, _, _ in events], ["state", "progress", "result"][place + 1:])
            self.assertEqual(events[-1][2], self.job(server, job_id).json)
        self.assertEqual(self.follow(server, job_id, events[-1][1]).status, 204)

    def test_no_two_events_share_an_id_and_ids_grow(self):
        server = self.start_one({"latency_ms": 100})
        items = [{"id": str(i), "request": {"prompt": str(i)}} for i in range(4)]
        job_id = self.queue(server, {"items": items, "concurrency": 2}, "/v1/generate/batch")
        ids = [int(event_id) for _, event_id, _ in self.rest(self.follow(server, job_id))]
        self.assertEqual(ids, sorted(set(ids)))
        for last in ids[:-1]:
            again = [int(event_id) for _, event_id, _ in self.rest(self.follow(server, job_id, str(last)))]
            self.assertTrue(again and min(again) > last and again[-1] == ids[-1], (last, again))

    def test_an_id_of_another_stream_gets_everything(self):
        server = self.start_one()
        job_id = self.queue(server, {"prompt": "x"})
        self.finished(server, job_id)
        for foreign in ("4611686018427387904", "99999999999999999999", "-3", "12abc", "urn:uuid:1"):
            events = self.rest(self.follow(server, job_id, foreign))
            self.assertEqual([name for name, _, _ in events], ["state", "progress", "result"], foreign)

    def test_clients_that_cannot_send_headers_resume_by_the_query(self):
        # Yaffle/EventSource#162: polyfills put it there; the header is the newer of the two.
        server = self.start_one()
        job_id = self.queue(server, {"prompt": "x"})
        self.finished(server, job_id)
        first = self.rest(self.follow(server, job_id))
        for name in ("lastEventId", "lastEventID", "Last-Event-ID"):
            events = self.rest(self.follow(server, f"{job_id}/events?{name}={first[1][1]}", whole_path=True))
            self.assertEqual([event[0] for event in events], ["result"])
        late = self.follow(server, f"{job_id}/events?lastEventId={first[0][1]}", first[2][1], whole_path=True)
        self.assertEqual(late.status, 204)

    def test_after_the_result_there_is_nothing_more(self):
        server = self.start_one()
        job_id = self.queue(server, {"prompt": "x"})
        self.finished(server, job_id)
        events = self.rest(self.follow(server, job_id))
        self.assertEqual([name for name, _, _ in events], ["state", "progress", "result"])
        self.assertEqual(self.follow(server, job_id, events[-1][1]).status, 204)
        self.assertEqual(self.follow(server, job_id, "nonsense").status, 200)

    def test_many_follow_one_job(self):
        server = self.start_one(HANGS)
        job_id = self.queue(server, {"prompt": "x"})
        results = []
        streams = [self.follow(server, job_id) for _ in range(50)]
        clients = [threading.Thread(target=lambda s=s: results.append(self.rest(s)[-1][2]["status"])) for s in streams]
        for client in clients:
            client.start()
        call("DELETE", f"{server.url}/v1/jobs/{job_id}")
        for client in clients:
            client.join()
        self.assertEqual(results, ["cancelled"] * 50)

    def test_a_client_that_leaves_frees_its_connection(self):
        settings = {"server": {"drain_timeout": "100ms", "max_connections": 4}}
        server = self.start_one(HANGS, settings)
        job_id = self.queue(server, {"prompt": "x"})
        streams = [self.follow(server, job_id) for _ in range(4)]
        self.assertEqual(call("GET", server.url + "/livez").status, 503)
        for stream in streams:
            stream.close()
        wait_until(lambda: call("GET", server.url + "/livez").status, 2, wanted=200)

    def test_the_end_of_the_server_ends_the_streams(self):
        server = self.start_one(HANGS, {"server": {"drain_timeout": "10s"}}, first_byte_timeout="500ms")
        job_id = self.queue(server, {"prompt": "x"})
        self.await_upstream(1)
        stream = self.follow(server, job_id)
        server.process.terminate()
        self.assertNotIn("result", [name for name, _, _ in self.rest(stream)])
        self.assertEqual(server.process.wait(10), 0)


if __name__ == "__main__":
    unittest.main()
