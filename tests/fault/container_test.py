"""Where containers and careful administrators permit little: noexec folders, a read-only root, a user nobody knows,
no folder for temporary files, memory that may not hold code."""
import os
import subprocess
import unittest

from lib import PLUGINS, STEPPER, call, clean_environment, provider
from stage import Case, Stage, finish

UNKNOWN_USER = ("setpriv", "--reuid=12345", "--regid=0", "--clear-groups")


def permitted():
    """Root alone may mount, and not in every container."""
    try:
        return os.geteuid() == 0 and subprocess.run(
            ["unshare", "-m", "mount", "-t", "tmpfs", "-o", "noexec", "tmpfs", "/mnt"], capture_output=True).returncode == 0
    except OSError:
        return False


class Confined(Stage):
    """A stage whose servers start where `mounts`, a shell script, has been run, as `user`."""

    def __init__(self, folder, providers, settings=None, mounts="", user=()):
        super().__init__(folder, providers, settings)
        self.inside = ["unshare", "-m", "sh", "-ec", f'{mounts}\nexec "$@"', "sh", *user]
        self.folder.chmod(0o755)
        self.database.parent.mkdir()

    def command(self, *options):
        return [*self.inside, *super().command(*options)]


@unittest.skipUnless(permitted(), "needs root, and permission to mount (unshare -m)")
class ContainerTest(Case):
    def providers(self):
        for name in ("here", "apart"):
            self.simulator.behave(name, {})
        return [provider(self.simulator, "here"), provider(self.simulator, "apart", isolation="process")]

    def assert_works(self, mounts, user=(), settings=None, env=None):
        stage = Confined(self.folder, self.providers(), settings, mounts.format(jobs=self.folder / "jobs"), user)
        server = self.start(stage, env=env)
        health = call("GET", server.url + "/health").json
        self.assertEqual(health["status"], "healthy", health)
        for name, other in (("here", "apart"), ("apart", "here")):
            job = self.accept(server, name, excludeProviders=[other])
            self.assertEqual(finish(server, job)["data"]["result"], {"echo": name})
        return stage

    def test_a_state_folder_that_may_not_hold_code(self):
        stage = self.assert_works("mount -t tmpfs -o noexec tmpfs {jobs}")
        self.assertNotIn("will not be remembered", stage.said())

    def test_neither_may_the_folder_for_temporary_files(self):
        self.assert_works("mount -t tmpfs -o noexec tmpfs /mnt", settings={"store": {"url": "memory:"}},
                          env={"TMPDIR": "/mnt"})

    def test_a_root_that_cannot_be_written_to(self):
        stage = self.assert_works("mount -t tmpfs -o noexec tmpfs {jobs}\nmount -o remount,bind,ro /",
                                  settings={"plugins": {"state_dir": "/var/lib/stepper-absent"}})
        self.assertIn("will not be remembered", stage.said())
        self.assertIn("plugins.state_dir", stage.said())

    def test_a_user_without_a_name_or_a_home(self):
        self.assert_works("chgrp 0 {jobs}; chmod g=u {jobs}", UNKNOWN_USER, env={"HOME": ""})

    def test_folders_for_temporary_files_that_are_none(self):
        for name, value in {"empty": "", "absent": "/nonexistent", "a file": "/etc/hostname"}.items():
            with self.subTest(name):
                self.setUp()
                self.assert_works("", settings={"store": {"url": "memory:"}}, env={"TMPDIR": value})
                self.doCleanups()

    def test_all_of_it_at_once(self):
        self.assert_works("mount -t tmpfs -o noexec,mode=0775 tmpfs {jobs}\nmount -o remount,bind,ro /",
                          UNKNOWN_USER, env={"TMPDIR": "", "HOME": "/nonexistent"})


@unittest.skipUnless(permitted(), "needs root, and permission to mount (unshare -m)")
class MemoryThatMayNotHoldCodeTest(unittest.TestCase):
    """vm.memfd_noexec=2, which Linux has from 6.3 on, for one pid namespace each."""

    def list(self, mounts, temporary):
        script = f'echo 2 > /proc/sys/vm/memfd_noexec\n{mounts}\nexec "$@"'
        if not os.path.exists("/proc/sys/vm/memfd_noexec"):
            self.skipTest("this kernel has no vm.memfd_noexec")
        return subprocess.run(["unshare", "-m", "--pid", "--fork", "--mount-proc", "--kill-child", "sh", "-ec", script, "sh",
                               STEPPER, "plugin", "list", PLUGINS], capture_output=True, text=True, timeout=120,
                              env=clean_environment(TMPDIR=temporary))

    def test_files_do_instead(self):
        listed = self.list("", "/tmp")
        self.assertEqual(listed.returncode, 0, listed)
        self.assertIn("openai-compatible", listed.stdout)

    def test_a_shipped_file_is_taken_where_nobody_can_change_it(self):
        listed = self.list("mount -t tmpfs -o noexec tmpfs /mnt\nmount -o remount,bind,ro /", "/mnt")
        self.assertEqual(listed.returncode, 0, listed)
        self.assertIn("openai-compatible", listed.stdout)

    def test_else_the_reason_says_what_to_change(self):
        listed = self.list("mount -t tmpfs -o noexec tmpfs /mnt", "/mnt")
        self.assertNotEqual(listed.returncode, 0, listed)
        for word in ("openai-compatible.so: has no private copy to run", "/mnt/", "noexec", "plugins.state_dir"):
            self.assertIn(word, listed.stdout)


if __name__ == "__main__":
    unittest.main()
