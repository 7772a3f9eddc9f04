"""What leaves the process: prompts without their secrets, logs without anybody's, and the keys that providers are to get."""
import json
import unittest

from lib import Case, provider, wait_until

NPM = "npm" + "_1234567890abcdefghijklmnopqrstuvwxyz"  # apart: no scanner is to take it for a leak
PROMPT = f"Review this: DB_PASS=hunter2Secret99\n+ token {NPM}\n+ postgres://me:s3cr/3tPw@db/x\n+ password = getPassword()\n"
SECRETS = ("hunter2Secret99", NPM, "s3cr/3tPw")
COMMIT = {"userId": "u-1", "commitSha": "c-1", "repo": "o/r", "message": f"Use {NPM}", "files": ["a.ts"],
          "components": ["app"], "diffSummary": "+DB_PASS=hunter2Secret99"}


class PromptsTest(Case):
    def sent(self):
        """What the provider was last told."""
        return self.simulator.log("one")[0]["body"]

    def test_secrets_stay_here_in_requests_jobs_and_reports(self):
        server = self.start_one()
        self.assertEqual(self.generate(server, {"prompt": PROMPT, "responseMode": "text"}).status, 200)
        sent = [self.sent()]
        job = self.queue(server, {"prompt": PROMPT + "?", "responseMode": "text"})
        wait_until(lambda: self.job(server, job).json["status"], wanted="completed")
        sent.append(self.sent())
        self.post(server, COMMIT, "/v1/reports/immediate")
        sent.append(self.sent())
        for body in sent:
            self.assertIn("[REDACTED:", body)
            for secret in SECRETS:
                self.assertNotIn(secret, body)
        self.assertIn("password = getPassword()", sent[0])

    def test_unless_the_owner_wants_them_sent(self):
        server = self.start_one(settings={"security": {"redact": False}})
        self.generate(server, {"prompt": PROMPT, "responseMode": "text"})
        self.assertIn("hunter2Secret99", self.sent())


class KeysTest(Case):
    """How a key may come: whatever is sent is the key, and whoever wrote it is told."""

    def start_with(self, written, environment):
        self.simulator.reset()
        self.simulator.behave("one", {"key": "sk-abc123"})
        env = {"K": environment}
        return self.start([provider(self.simulator, "one", api_key=written, retry={"attempts": 1})], env=env)

    def warnings(self):
        lines = [line for line in self.log_text().splitlines() if '"warning"' in line]
        return [json.loads(line)["warning"] for line in lines]

    def test_what_surrounds_a_key_is_taken_away(self):
        for written in ('"sk-abc123"', "'sk-abc123'", "Bearer sk-abc123", "sk-abc123\r\n", "\ufeffsk-abc123\u200b"):
            with self.subTest(written):
                server = self.start_with("${K:-}", written)
                self.assertEqual(self.generate(server, {"prompt": "x"}).status, 200)
                self.assertEqual(len(self.warnings()), 1, self.warnings())
                self.assertRegex(self.warnings()[0], r"providers\.yaml:\d+:\d+: provider one: its api_key ")
                self.assertNotIn("sk-abc123", self.log_text())
                server.stop()
                self.log_path.write_text("")

    def test_what_cannot_be_a_key_is_told(self):
        for written, environment, words in (("$K", "sk-abc123", "write ${K}"), ("${K:-}", "your-api-key-here", "placeholder"),
                                            ("${K:-}", "sk-abc\u2013123", "ASCII"), ("${K:-}", "A_KEY=sk-abc123", "NAME=value")):
            with self.subTest(words):
                server = self.start_with(written, environment)
                self.assertIn(words, self.warnings()[0])
                self.assertNotIn("sk-abc", self.log_text())
                shown = self.admin("GET", server, "/admin/config").raw.decode()
                self.assertNotIn("sk-abc", shown)
                server.stop()
                self.log_path.write_text("")


class LogsTest(Case):
    def test_no_line_holds_what_looks_like_a_secret(self):
        # The name of a file that is no plugin is logged with the reason.
        (self.folder / "plugins").mkdir()
        (self.folder / "plugins" / f"{NPM}.so").write_text("no plugin")
        self.start_one()
        wait_until(lambda: "REDACTED" in self.log_text())
        self.assertNotIn(NPM, self.log_text())


if __name__ == "__main__":
    unittest.main()
