"""Files in the plugins folder are replaced, overwritten, moved and deleted under a server that is in use."""
import os
import shutil
import time
import unittest

from lib import VARIANTS, wait_until
from lib.processes import descriptors, mib_of, threads
from stage import Load, ReloadCase

REPLACEMENTS = 100
SETTLED = 20  # replacements after which nothing more may grow


class Swap(ReloadCase):
    def test_a_hundred_replacements_cost_nobody_anything(self):
        self.variant("a")
        server = self.serve(env=self.frugal())
        with Load(server, clients=8, per_second=200) as load:
            for i in range(REPLACEMENTS):
                wanted = "ba"[i % 2]
                self.variant(wanted)
                self.await_answer(server, wanted.upper(), 20)
                if i + 1 == SETTLED:
                    before = self.held(server)
            after = self.held(server)
        self.assertEqual(load.failures, [])
        self.assertEqual(set(load.answers), {"A", "B"})
        self.assertGreater(min(load.answers.values()), REPLACEMENTS)
        self.assertLess(after[0] - before[0], 16, "MiB more than after the first replacements")
        # A connection or two more than at the first look may be open at the second.
        self.assertLessEqual(after[1], before[1] + 10)
        self.assertLessEqual(after[2], before[2] + 10)
        self.assertEqual(len(self.listed(server)), 2)

    def held(self, server):
        """Resident MiB, descriptors and threads."""
        pid = server.process.pid
        return mib_of(pid), len(descriptors(pid)), threads(pid)

    def frugal(self):
        """Freed memory is given back in a sanitized build, too."""
        return {"ASAN_OPTIONS": os.environ.get("ASAN_OPTIONS", "") + ":quarantine_size_mb=1"}

    def test_requests_under_way_end_with_the_build_they_began_with(self):
        self.variant("a")
        server = self.serve([self.spec(concurrency=64)])
        self.simulator.behave("one", {"latency_ms": 1500})
        with Load(server, clients=8) as load:
            self.await_upstream(8)
            self.variant("b")
            # It is listed as retired a moment before the last provider has left it.
            listed = self.await_listed(server, version="1.0.0", state="retired", providers=[])
            self.assertEqual(listed["retiredReferences"], 1)
            wait_until(lambda: load.answers["A"], wanted=8)
        self.assertEqual(load.failures, [])
        wait_until(lambda: self.listed(server, state="retired")[0]["retiredReferences"], wanted=0)

    def test_overwriting_in_place(self):
        self.variant("a")
        server = self.serve()
        self.assertEqual(self.answer(server), "A")
        with Load(server) as load:
            shutil.copyfile(VARIANTS / "variant-b.so", self.plugins / "variant.so")
            self.await_answer(server, "B")
            # An installer that is slow and leaves it half-written for a while.
            whole = (VARIANTS / "variant-a.so").read_bytes()
            with open(self.plugins / "variant.so", "wb", buffering=0) as file:
                file.write(whole[:len(whole) // 2])
                self.reload(server)
                self.assertIn("incomplete", self.listed(server, state="rejected")[0]["reason"])
                file.write(whole[len(whole) // 2:])
            self.await_answer(server, "A")
        self.assertEqual(load.failures, [])
        self.assertEqual(self.listed(server, state="rejected"), [])

    def test_moving_over_and_deleting(self):
        self.variant("a")
        server = self.serve()
        with Load(server) as load:
            self.variant("b")
            self.await_answer(server, "B")
            (self.plugins / "variant.so").unlink()
            gone = wait_until(lambda: [p for p in self.listed(server, state="live") if "gone" in p.get("reason", "")])
            self.assertEqual(gone[0]["kind"], "variant")
            self.assertEqual(self.answer(server), "B")
            self.variant("a")
            self.await_answer(server, "A")
        self.assertEqual(load.failures, [])

    def test_the_folder_is_removed_and_made_again(self):
        self.variant("a")
        server = self.serve()
        with Load(server) as load:
            shutil.rmtree(self.plugins)
            wait_until(lambda: "the plugins folder cannot be read" in self.reload(server).raw.decode() or
                          self.listed(server, state="live")[0].get("reason"))
            self.plugins.mkdir()
            self.variant("b")
            self.await_answer(server, "B")
        self.assertEqual(load.failures, [])

    def test_a_symlink_is_swapped_as_kubernetes_does(self):
        for version in ("a", "b"):
            folder = self.plugins / f"..{version}"
            folder.mkdir()
            shutil.copyfile(VARIANTS / f"variant-{version}.so", folder / "variant.so")
        (self.plugins / "..data").symlink_to("..a")
        (self.plugins / "variant.so").symlink_to("..data/variant.so")
        server = self.serve()
        self.assertEqual(self.answer(server), "A")
        with Load(server) as load:
            (self.plugins / "..new").symlink_to("..b")
            os.rename(self.plugins / "..new", self.plugins / "..data")
            self.await_answer(server, "B")
        self.assertEqual(load.failures, [])

    def test_the_same_bytes_again_change_nothing(self):
        self.variant("a")
        server = self.serve()
        generation = self.listed(server)[0]["generation"]
        os.utime(self.plugins / "variant.so")
        self.variant("a")
        answer = self.reload(server)
        self.assertEqual((answer.status, answer.json["status"], answer.json["changes"]), (200, "unchanged", []))
        self.assertEqual(self.listed(server)[0]["generation"], generation)

    def test_a_plugin_that_arrives_later_brings_its_provider(self):
        server = self.serve([self.spec(), self.spec("later", plugin="variant")])
        self.assertIsNone(self.answer(server))
        began = time.monotonic()
        self.variant("a")
        self.await_answer(server, "A")
        self.assertLess(time.monotonic() - began, 5)
        self.assertEqual(self.await_listed(server, kind="variant")["providers"], ["one", "later"])

    def test_two_files_of_one_kind(self):
        self.variant("a", "a.so")
        server = self.serve()
        self.variant("b", "0-before-it.so")
        seen = self.reload(server)
        self.assertEqual(seen.status, 200)
        self.assertEqual(self.answer(server), "A")
        self.assertIn("already provided", self.listed(server, state="rejected")[0]["reason"])
        (self.plugins / "a.so").unlink()
        self.await_answer(server, "B")


if __name__ == "__main__":
    unittest.main()
