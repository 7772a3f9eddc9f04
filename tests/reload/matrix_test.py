"""Plugins that must not be taken: each is refused or taken back with its reason, and requests keep flowing."""
import hashlib
import os
import socket
import unittest

from lib import VARIANTS, call, link_plugins, run_stepper, wait_until
from stage import BAD, PROMPT, Load, ReloadCase

# What is dropped over a good plugin that is in use, and what /admin/plugins says of it.
REFUSED = {
    BAD / "bad-crash.so": "crashed while being probed",
    BAD / "bad-abort.so": "crashed while being probed",
    BAD / "bad-hang.so": "hung while being probed",
    BAD / "bad-major.so": "built for ABI major 2",
    BAD / "bad-newer.so": "needs a host of ABI 1.1",
    BAD / "bad-null.so": "returned nothing",
    BAD / "bad-kind.so": "its kind is not",
    BAD / "bad-no-step.so": "function of its description is missing",
    BAD / "bad-schema.so": "config schema is not JSON",
    BAD / "bad-init.so": "its init refused",
    BAD / "bad-length.so": "its version is missing",
    BAD / "bad-short.so": "shorter than ABI 1.0",
    BAD / "bad-entry.so": "exports no function stepper_plugin_entry_v1",
    VARIANTS / "variant-AbortsInStep.so": "crashed while being probed (signal 6)",
    VARIANTS / "variant-HangsInStep.so": "hung while being probed",
    VARIANTS / "variant-ThrowsInStep.so": "threw an exception across the C boundary",
    VARIANTS / "variant-WrongLength.so": "wrong length",
    VARIANTS / "variant-NeverEnds.so": "in a dry run",
    VARIANTS / "variant-LeaksThread.so": "left a thread running",
    VARIANTS / "variant-RefusesConfig.so": "this build takes no configuration",
}
# Refused by their ELF headers alone; built where the compiler can.
BY_HEADERS = {"bad-exports.so": "symbols besides", "bad-unique.so": "unique", "bad-tls.so": "static TLS",
              "bad-stack.so": "executable stack"}


class Matrix(ReloadCase):
    def setUp(self):
        super().setUp()
        self.variant("a")

    def refusal(self, server, name="variant.so"):
        """Looks at the folder now; why that file is refused."""
        self.reload(server)
        rejected = [p for p in self.listed(server, state="rejected") if p["file"].endswith("/" + name)]
        return rejected[0]["reason"] if rejected else "taken"

    def test_each_is_refused_with_its_reason_while_requests_flow(self):
        server = self.serve()
        with Load(server, clients=2) as load:
            for file, reason in REFUSED.items():
                with self.subTest(file.name):
                    self.put(file)
                    self.assertIn(reason, self.refusal(server))
            for name, reason in BY_HEADERS.items():
                with self.subTest(name):
                    self.put(BAD / name)
                    self.assertIn(reason, self.refusal(server))
            self.variant("b")
            self.await_answer(server, "B")
        self.assertEqual(load.failures, [])
        self.assertEqual(self.listed(server, state="rejected"), [])

    def test_files_that_are_no_plugins_for_this_machine(self):
        server = self.serve()
        whole = (VARIANTS / "variant-b.so").read_bytes()
        path = self.plugins / "variant.so"
        other_machine = bytearray(whole)
        other_machine[18:20] = (40).to_bytes(2, "little")  # e_machine: ARM
        with Load(server, clients=2) as load:
            for size in range(0, len(whole), max(1, len(whole) // 60)):
                path.write_bytes(whole[:size])
                self.assertNotEqual(self.refusal(server), "taken", size)
            for content, reason in ((bytes(other_machine), "another processor"), (b"#!/bin/sh\n", "not an ELF file")):
                path.write_bytes(content)
                self.assertIn(reason, self.refusal(server))
            path.write_bytes(whole)
            path.chmod(0o666)
            self.assertIn("writable by everybody", self.refusal(server))
            path.unlink()
            path.mkdir()
            self.assertIn("not a regular file", self.refusal(server))
            path.rmdir()
            os.mkfifo(path)
            self.assertIn("not a regular file", self.refusal(server))
            path.unlink()
            path.symlink_to("nowhere")
            self.assertIn("No such file", self.refusal(server))
            path.unlink()
            self.plugins.chmod(0o777)
            self.variant("b")
            self.assertIn("everybody may write", self.refusal(server, "plugins"))
            self.plugins.chmod(0o755)
            self.await_answer(server, "B")
        self.assertEqual(load.failures, [])

    def test_one_that_breaks_the_abi_when_used_is_taken_back(self):
        for flaw, reason in (("BreaksWhenUsed", "failed by the plugin's own fault"), ("SlowWhenUsed", "more than 100 ms in one step")):
            with self.subTest(flaw):
                server = self.serve()
                self.assertEqual(self.answer(server), "A")
                self.variant(flaw)
                self.await_listed(server, state="probation")
                for _ in range(6):
                    self.ask(server)
                quarantined = self.await_listed(server, state="quarantined")
                self.assertIn(reason, quarantined["reason"])
                self.await_answer(server, "A")
                # It stays out, also of the next process.
                self.check_stopped(server)
                server = self.serve()
                self.assertEqual(self.answer(server), "A")
                self.assertEqual(len(self.listed(server, state="quarantined")), 1)
                released = self.admin("DELETE", server, f"/admin/plugins/quarantine/{quarantined['sha256']}")
                self.assertEqual(released.status, 200, released.raw)
                self.await_listed(server, version="9.0.0", state="probation")
                self.assertEqual(self.admin("DELETE", server, "/admin/plugins/quarantine/" + "0" * 64).status, 404)
                self.check_stopped(server)
                (self.folder / "plugin-state" / "plugins.json").unlink()
                self.variant("a")

    def test_one_that_hangs_when_used_is_taken_back_and_does_not_keep_the_server(self):
        server = self.serve()
        self.assertEqual(self.answer(server), "A")
        self.variant("HangsWhenUsed")
        self.await_listed(server, state="probation")
        with self.assertRaises(OSError):
            self.generate(server, PROMPT, timeout=0.5)
        self.await_listed(server, 40, version="1.0.0", state="live", providers=["one"])
        self.assertEqual(self.answer(server), "A")
        self.assertIn("a step of it hangs", self.listed(server, state="quarantined")[0]["reason"])
        server.process.terminate()
        self.assertEqual(server.process.wait(40), 0)

    def test_a_new_kind_that_fails_leaves_the_chain_to_others(self):
        link_plugins(self.plugins, "openai-compatible")
        (self.plugins / "variant.so").unlink()
        server = self.serve([self.spec(), self.spec("other", plugin="openai-compatible")])
        with Load(server, clients=2) as load:
            self.variant("BreaksWhenUsed")
            self.await_listed(server, state="quarantined")
        self.assertEqual(load.failures, [])
        self.assertNotIn("X", load.answers)
        wait_until(lambda: "quarantined" in call("GET", server.url + "/v1/providers").json["providers"][0].get("reason", ""))

    def test_a_host_that_died_during_probation_starts_on_the_previous_version(self):
        self.ends_with = (0, -6)
        server = self.serve()
        self.assertEqual(self.answer(server), "A")
        self.variant("AbortsWhenUsed")
        self.await_listed(server, state="probation")
        with self.assertRaises(OSError):
            self.ask(server)
        self.assertEqual(server.process.wait(), -6)
        server.process.stdout.close()
        server = self.serve()
        self.assertEqual(self.answer(server), "A")
        quarantined = self.listed(server, state="quarantined")[0]
        self.assertIn("died", quarantined["reason"])
        self.assertIn("died in a call of it while it was on probation", self.log_text())
        self.variant("b")
        self.await_answer(server, "B")

    def test_a_start_that_fails_for_another_reason_condemns_nobody(self):
        self.check_stopped(self.serve())
        self.variant("b")
        with socket.create_server(("127.0.0.1", 0)) as taken:
            refused = run_stepper("serve", "--config", self.folder / "stepper.yaml", "--listen", f"127.0.0.1:{taken.getsockname()[1]}")
        self.assertEqual(refused.returncode, 78, refused.stderr)
        server = self.serve()
        self.assertEqual(self.answer(server), "B")
        self.assertEqual(self.listed(server, state="quarantined"), [])

    def test_probation_ends_well(self):
        server = self.serve()
        self.variant("b")
        self.await_listed(server, version="2.0.0", state="probation")
        for _ in range(20):
            self.assertEqual(self.answer(server), "B")
        self.await_listed(server, version="2.0.0", state="live")
        server.kill()
        self.assertEqual(self.answer(self.serve()), "B")

    def test_a_broken_file_at_the_start_gives_way_to_the_last_good_one(self):
        server = self.serve()
        self.assertEqual(self.answer(server), "A")
        self.check_stopped(server)
        (self.plugins / "variant.so").write_bytes(b"half a file")
        server = self.serve()
        self.assertEqual(self.answer(server), "A")
        self.assertIn("not an ELF file", self.listed(server, state="rejected")[0]["reason"])

    def test_a_transcript_beside_it_must_hold(self):
        server = self.serve()
        transcript = ("config {\"base_url\":\"https://api.example\"}\ncase it answers\nbegin generate {\"messages\":[]}\n"
                      "expect send POST https://api.example/chat/completions\nhead 200\nbody x\nexpect text \"%s\"\nexpect done\n")
        (self.plugins / "variant.transcript").write_text(transcript % "not B", encoding="utf-8")
        self.variant("b")
        self.assertIn("its own transcript fails: variant.transcript:7", self.refusal(server))
        self.assertEqual(self.answer(server), "A")
        (self.plugins / "variant.transcript").write_text(transcript % "B", encoding="utf-8")
        self.await_answer(server, "B")

    def test_hashes_that_must_match(self):
        sha = {name: hashlib.sha256((VARIANTS / f"variant-{name}.so").read_bytes()).hexdigest() for name in "ab"}
        server = self.serve(settings={"plugins": {"require_sha256": True, "sha256": {"variant": sha["a"]}}})
        self.assertEqual(self.answer(server), "A")
        self.variant("b")
        self.assertIn("does not name", self.refusal(server))
        self.variant("b", "unnamed.so")
        self.assertIn("no hash is configured", self.refusal(server, "unnamed.so"))
        self.assertEqual(self.answer(server), "A")
        self.write_config([self.spec()], {"plugins_dir": str(self.plugins),
                                          "plugins": {"require_sha256": True, "sha256": {"variant": [sha["a"], sha["b"]]}}})
        self.await_answer(server, "B")

    def test_two_servers_do_not_share_what_they_remember(self):
        first = self.serve(settings={"store": {"url": "memory:"}, "plugins": {"state_dir": str(self.folder / "shared")}})
        second = self.serve(settings={"store": {"url": "memory:"}, "plugins": {"state_dir": str(self.folder / "shared")}})
        self.assertEqual((self.answer(first), self.answer(second)), ("A", "A"))
        self.assertIn("another process uses this folder", self.log_text())

    def test_a_broken_ledger_is_set_aside(self):
        server = self.serve()
        self.check_stopped(server)
        (self.folder / "plugin-state" / "plugins.json").write_text("{ half", encoding="utf-8")
        server = self.serve()
        self.assertEqual(self.answer(server), "A")
        self.assertTrue((self.folder / "plugin-state" / "plugins.json.damaged").exists())


if __name__ == "__main__":
    unittest.main()
