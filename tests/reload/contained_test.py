"""What a misbehaving plugin, a dead file system or a signal does to a whole server; each misdeed alone is in
tests/unit/plugin/misfit_test.cpp."""
import os
import signal
import time
import unittest

from lib import BUILD, call, link_plugins, wait_until
from lib.processes import children, stat_of
from stage import ReloadCase

MISFIT = BUILD / "tests" / "unit" / "plugin" / "plugins" / "misfit.so"


class Contained(ReloadCase):
    def setUp(self):
        super().setUp()
        link_plugins(self.plugins, "openai-compatible")
        self.put(MISFIT, "misfit.so")

    def misfit(self, **more):
        return self.spec("misfit", plugin="misfit", **more)

    def good(self):
        return self.spec("good", plugin="openai-compatible")

    def misbehave(self, server, misdeed):
        return self.ask(server, preferredProviders=["misfit"], prompt=f"misdeed={misdeed};")

    def streams_of(self, server):
        try:
            return [os.readlink(f"/proc/{server.process.pid}/fd/{fd}") for fd in range(3)]
        except FileNotFoundError:
            return []

    def await_end(self, server, seconds=20):
        status = server.process.wait(seconds)
        server.process.stdout.close()
        return status

    def test_closed_standard_streams_are_put_back_and_cost_the_plugin_its_place(self):
        server = self.serve([self.misfit(), self.good()])
        streams = self.streams_of(server)
        self.misbehave(server, "closes the standard streams")
        reason = self.await_listed(server, state="quarantined")["reason"]
        self.assertIn("it closed descriptor 2", reason)
        # Ending what it had begun may close them once more, for a moment.
        wait_until(lambda: self.streams_of(server), wanted=streams)
        self.assertIn("plugin taken back", self.log_text())
        wait_until(lambda: self.ask(server).json["metadata"]["provider"] == "good")

    def test_a_plugin_that_leaves_with_status_0_is_named_and_is_no_orderly_end(self):
        self.ends_with = (0, 1)
        for misdeed, words in (("calls _exit", "called _exit(0)"), ("calls exit", "called exit(0)")):
            with self.subTest(misdeed):
                server = self.serve([self.misfit(), self.good()])
                with self.assertRaises(OSError):
                    self.misbehave(server, misdeed)
                self.assertEqual(self.await_end(server), 1)
                self.assertIn(words, self.log_text())
                self.assertIn("misfit-", self.log_text())

    def test_what_an_isolated_plugin_starts_ends_with_its_process(self):
        server = self.serve([self.misfit(isolation="process"), self.good()])
        for misdeed in ("leaves a process", "leaves a daemon", "leaves a command"):
            self.misbehave(server, misdeed)
        host = wait_until(lambda: children(server.process.pid))[0]
        started = wait_until(lambda: children(host))
        self.assertGreaterEqual(len(started), 3)
        os.kill(host, signal.SIGKILL)
        self.ask(server, preferredProviders=["misfit"])
        wait_until(lambda: not any(stat_of(p) for p in started))
        self.misbehave(server, "leaves a daemon")
        started = wait_until(lambda: children(children(server.process.pid)[0]))
        server.process.kill()
        self.await_end(server)
        wait_until(lambda: not any(stat_of(p) for p in started))

    def test_what_a_plugin_starts_in_the_server_is_told_and_ended(self):
        server = self.serve([self.misfit(), self.good()])
        self.misbehave(server, "leaves a daemon")
        wait_until(lambda: self.reload(server) and "processes of plugins ended" in self.log_text())
        wait_until(lambda: not children(server.process.pid))

    def test_a_death_while_no_call_ran_says_nothing_of_a_new_version(self):
        self.variant("a")
        server = self.serve([self.spec()])
        self.variant("b")
        self.await_answer(server, "B")
        self.await_listed(server, kind="variant", state="probation")
        server.process.kill()
        self.await_end(server)
        server = self.serve([self.spec()])
        self.assertEqual(self.answer(server), "B")
        self.assertEqual(self.listed(server, state="quarantined"), [])

    def test_signals_that_nobody_means_end_nothing(self):
        server = self.serve([self.good()])
        for number in (signal.SIGUSR1, signal.SIGUSR2, signal.SIGALRM, signal.SIGVTALRM, signal.SIGPROF, signal.SIGIO,
                       signal.SIGPWR, signal.SIGPIPE, signal.SIGXFSZ, signal.SIGRTMIN, signal.SIGRTMAX):
            for _ in range(3):
                os.kill(server.process.pid, number)
        wait_until(lambda: f'"signal":{int(signal.SIGRTMAX)}' in self.log_text())
        self.assertEqual(self.log_text().count(f'"signal":{int(signal.SIGUSR1)},'), 1, "told once")
        self.assertIsNotNone(self.answer(server))

    def test_a_plugin_that_hangs_when_it_starts_costs_nobody_a_reload_or_the_end(self):
        server = self.serve([self.good()])
        self.write_config([self.misfit(options={"do": "misdeed=hangs in the server;"}), self.good()],
                          {"plugins_dir": str(self.plugins), "server": {"drain_timeout": "2s"}})
        began = time.monotonic()
        answer = self.reload(server)
        self.assertLess(time.monotonic() - began, 20)
        self.assertEqual(answer.status, 422)
        self.assertIn("creating a provider of plugin misfit 1.0.0 has not ended within 10s", answer.json["problems"][0])
        self.assertIn("has not ended within 10s", call("GET", server.url + "/health").raw.decode())
        self.assertEqual(self.ask(server).json["metadata"]["provider"], "good")
        began = time.monotonic()
        server.process.terminate()
        self.assertEqual(self.await_end(server), 0)
        self.assertLess(time.monotonic() - began, 10)

    def test_files_that_are_none_are_told_and_the_end_comes_in_time(self):
        server = self.serve([self.good()])
        providers = self.folder / "providers.yaml"
        whole = providers.read_text()
        providers.unlink()
        os.mkfifo(providers)
        answer = self.reload(server)
        self.assertEqual(answer.status, 422)
        self.assertIn("it is a named pipe, not a regular file", answer.raw.decode())
        self.assertIn("named pipe", call("GET", server.url + "/health").raw.decode())
        providers.unlink()
        providers.write_text(whole)
        wait_until(lambda: self.reload(server).status, wanted=200)
        providers.unlink()
        os.mkfifo(providers)
        server.process.terminate()
        self.assertEqual(self.await_end(server), 0)

    @unittest.skipIf(os.geteuid() == 0, "root may read everything")
    def test_a_folder_that_may_not_be_read_is_said_to_be(self):
        server = self.serve([self.good()])
        self.plugins.chmod(0)
        self.addCleanup(self.plugins.chmod, 0o755)
        self.assertEqual(self.reload(server).status, 422)
        told = "the plugins folder cannot be read: Permission denied"
        for where in (call("GET", server.url + "/health").raw.decode(), call("GET", server.url + "/admin/plugins").raw.decode(),
                      self.log_text()):
            self.assertIn(told, where)
        self.assertEqual(self.ask(server).json["metadata"]["provider"], "good")
        self.plugins.chmod(0o755)
        wait_until(lambda: self.reload(server).status, wanted=200)


if __name__ == "__main__":
    unittest.main()
