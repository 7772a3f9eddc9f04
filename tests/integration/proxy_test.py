"""A plain nginx and a plain haproxy in front: neither marks what it forwards, and nginx rewrites the Host header."""
import os
import subprocess
import tempfile
import unittest
from pathlib import Path

from lib import STEPPER, Case, Connection, clean_environment, free_port, listens, run_stepper, wait_until

PROMPT = b'{"prompt": "x", "responseMode": "text"}'


def nginx(folder, port, upstream):
    paths = "".join(f"{p}_temp_path {folder}/{p}; " for p in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
    config = folder / "nginx.conf"
    config.write_text(f"daemon off; master_process off; pid {folder}/pid; error_log {folder}/errors; events {{}}\n"
                      f"http {{ access_log off; {paths}\n"
                      f"server {{ listen 127.0.0.1:{port}; location / {{ proxy_pass http://127.0.0.1:{upstream}; }} }} }}\n")
    return ["/usr/sbin/nginx", "-c", config, "-p", folder, "-e", folder / "errors"]


def haproxy(folder, port, upstream):
    config = folder / "haproxy.cfg"
    config.write_text("defaults\n  mode http\n  timeout connect 5s\n  timeout client 30s\n  timeout server 30s\n"
                      f"listen front\n  bind 127.0.0.1:{port}\n  server stepper 127.0.0.1:{upstream}\n")
    return ["/usr/sbin/haproxy", "-db", "-f", config]


class ProxyTest(Case):
    def behind(self, proxy, server):
        """The port of such a proxy in front of the server."""
        folder, port = Path(tempfile.mkdtemp(dir=self.folder)), free_port()
        command = proxy(folder, port, server.port)
        if not os.path.exists(command[0]):
            self.skipTest(f"needs {command[0]}")
        running = subprocess.Popen([str(c) for c in command], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self.addCleanup(running.wait, 10)
        self.addCleanup(running.terminate)
        wait_until(lambda: listens(port) or running.poll() is not None, what="the proxy")
        self.assertIsNone(running.poll(), "the proxy ended")
        return port

    def status(self, port, method, path, body=None, **headers):
        connection = Connection(port)
        self.addCleanup(connection.close)
        return connection.ask(method, path, body, {k.replace("_", "-"): v for k, v in headers.items()}).status

    def check(self, proxy):
        server = self.start_one()
        port = self.behind(proxy, server)
        self.assertEqual(self.status(port, "POST", "/v1/generate/immediate", PROMPT, Host="localhost"), 200)
        self.assertEqual(self.upstream_calls(), 1)
        for host in ("localhost", "127.0.0.1", f"127.0.0.1:{server.port}", "api.example"):
            for key in ("", "wrong"):
                self.assertEqual(self.status(port, "GET", "/admin/config", Host=host, x_api_key=key), 403, host)
        # The page of a site that has its name lead here.
        page = {"Host": f"evil.example:{port}", "Origin": f"http://evil.example:{port}"}
        for at in (port, server.port):
            self.assertEqual(self.status(at, "GET", "/v1/jobs", **page), 403)
            self.assertEqual(self.status(at, "POST", "/v1/generate/immediate", PROMPT, **page), 403)
        self.assertEqual(self.upstream_calls(), 1)
        for verb in (["reload"], ["plugin", "list"], ["jobs", "list"]):
            for at in (server.url, f"http://127.0.0.1:{port}"):
                told = run_stepper(*verb, "-c", self.folder / "stepper.yaml", "--server", at)
                self.assertEqual((told.returncode, told.stderr), (0, ""), verb)
        self.assertNotIn(self.admin_token(), self.log_text())

    def test_nginx(self):
        self.check(nginx)

    def test_haproxy(self):
        self.check(haproxy)


class CommandLineTest(Case):
    def setUp(self):
        super().setUp()
        self.server = self.start_one()
        self.config = self.folder / "stepper.yaml"

    def reload(self, *more, **options):
        return run_stepper("reload", "-c", self.config, "--server", self.server.url, *more, **options)

    def test_a_reload_tells_what_changed_and_what_is_wrong(self):
        self.assertEqual(self.reload().stdout, "unchanged\n")
        providers = self.folder / "providers.yaml"
        providers.write_text(providers.read_text().replace("m-1", "m-2"))
        self.assertRegex(self.reload().stdout, r"^(unchanged\n|applied\nprovider one changed: model\n)$")
        self.config.write_text("nonsense: 1\n")
        refused = run_stepper("reload", "--server", self.server.url, "--key", self.admin_token())
        self.assertEqual((refused.returncode, refused.stdout), (78, ""))
        self.assertIn("nonsense: unknown key", refused.stderr)

    def test_a_key_that_is_named_wins(self):
        wrong = self.reload("--key", "wrong")
        self.assertEqual(wrong.returncode, 1)
        self.assertIn("403: Forbidden: send the key from the file", wrong.stderr)

    def test_a_key_that_is_not_found_is_told_with_what_to_do(self):
        lost = run_stepper("reload", "--server", self.server.url, cwd=self.folder)
        self.assertEqual(lost.returncode, 1)
        self.assertIn(f"there is no admin key in {self.folder}/var/plugin-state/admin-token", lost.stderr)
        self.assertIn("--config", lost.stderr)

    @unittest.skipUnless(os.geteuid() == 0, "needs root, to become somebody else")
    def test_who_may_not_read_it_is_told_so(self):
        self.folder.chmod(0o755)
        somebody = ("setpriv", "--reuid=12345", "--regid=12345", "--clear-groups")
        command = [*somebody, STEPPER, "reload", "-c", self.config, "--server", self.server.url]
        told = subprocess.run([str(c) for c in command], env=clean_environment(), capture_output=True, text=True, timeout=60)
        self.assertEqual(told.returncode, 1)
        self.assertIn("cannot be read: Permission denied; do this as the user who runs the server", told.stderr)


if __name__ == "__main__":
    unittest.main()
