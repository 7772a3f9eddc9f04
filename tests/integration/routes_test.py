"""Which path leads where, and who is let in: with no key, the clients' and the admins', on whatever looks like a route."""
import re
import unittest

from lib import ROOT, Case, Connection, call

CLIENTS, ADMINS = "for-clients", "for-admins"
KEYS = ({}, {"x-api-key": CLIENTS}, {"Authorization": "Bearer " + ADMINS})
CLOSED = {"api_key": CLIENTS, "admin_key": ADMINS}
OF_ONE, OF_ALL = "GET, HEAD, OPTIONS", "GET, HEAD, DELETE, OPTIONS"

# Method, target, what it is answered without a key, with the clients' and with the admins', and the Allow of a 405 or a 204.
TABLE = [
    ("GET", "/", 200, 200, 200, None),
    ("HEAD", "/", 200, 200, 200, None),
    ("GET", "/?x=1", 200, 200, 200, None),
    ("POST", "/", 405, 405, 405, OF_ONE),
    ("OPTIONS", "/", 204, 204, 204, OF_ONE),
    ("GET", "/livez", 200, 200, 200, None),
    ("GET", "/livez/", 200, 200, 200, None),
    ("GET", "/live%7a", 200, 200, 200, None),
    ("GET", "/LIVEZ", 401, 404, 401, None),
    ("GET", "/livez//", 401, 404, 401, None),
    ("PUT", "/readyz", 405, 405, 405, OF_ONE),
    ("GET", "//", 401, 404, 401, None),
    ("GET", "/nowhere", 401, 404, 401, None),
    ("OPTIONS", "/nowhere", 401, 404, 401, None),
    ("GET", "/v1", 401, 404, 401, None),
    ("GET", "/v1/jobs", 401, 200, 401, None),
    ("GET", "/v1/jobs/", 401, 200, 401, None),
    ("HEAD", "/v1/jobs", 401, 200, 401, None),
    ("GET", "/v1%2Fjobs", 401, 404, 401, None),
    ("GET", "/%76%31/jobs", 401, 200, 401, None),
    ("GET", "/v1//jobs", 401, 404, 401, None),
    ("GET", "/livez/../v1/jobs", 401, 404, 401, None),
    ("OPTIONS", "/v1/jobs", 401, 204, 401, OF_ONE),
    ("GET", "/v1/jobs/none", 401, 404, 401, None),
    ("PATCH", "/v1/jobs/none", 401, 405, 401, OF_ALL),
    ("OPTIONS", "/v1/jobs/none/", 401, 204, 401, OF_ALL),
    ("DELETE", "/v1/jobs/retry", 401, 404, 401, None),
    ("PUT", "/v1/jobs/retry", 401, 405, 401, "POST, GET, HEAD, DELETE, OPTIONS"),
    ("POST", "/v1/jobs/none/events", 401, 405, 401, OF_ONE),
    ("GET", "/v1/jobs/none/retry", 401, 405, 401, "POST, OPTIONS"),
    ("GET", "/v1/reports", 401, 405, 401, "POST, DELETE, OPTIONS"),
    ("GET", "/v1/reports/immediate", 401, 404, 401, None),
    ("PUT", "/v1/reports/immediate", 401, 405, 401, "POST, GET, HEAD, OPTIONS"),
    ("GET", "/v1/generate", 401, 405, 401, "POST, OPTIONS"),
    ("POST", "/v1/generate", 401, 400, 401, None),
    ("GET", "/v1/generate/batch/1", 401, 404, 401, None),
    ("GET", "/v1/forecast", 401, 200, 401, None),
    ("GET", "/v1/plan", 401, 200, 401, None),
    ("GET", "/admin", 401, 404, 401, None),
    ("GET", "/admin/", 401, 404, 401, None),
    ("GET", "/admin/nothing", 401, 404, 401, None),
    ("GET", "/Admin/config", 401, 404, 401, None),
    ("GET", "/admin%2Fconfig", 401, 404, 401, None),
    ("GET", "/admin/config", 401, 401, 200, None),
    ("GET", "/admin/config/", 401, 401, 200, None),
    ("GET", "/%61dmin/config", 401, 401, 200, None),
    ("HEAD", "/admin/config", 401, 401, 200, None),
    ("POST", "/admin/config", 401, 401, 405, OF_ONE),
    ("OPTIONS", "/admin/config", 401, 401, 204, OF_ONE),
    ("DELETE", "/admin/plugins/quarantine/0", 401, 401, 404, None),
    ("GET", "/admin/plugins/quarantine/0", 401, 401, 405, "DELETE, OPTIONS"),
    ("GET", "/admin/plugins/quarantine", 401, 404, 401, None),
    ("GET", "/%zz", 400, 400, 400, None),
    ("GET", "/admin/config%00", 400, 400, 400, None),
]


class RoutesTest(Case):
    def ask(self, server, method, target, headers=None):
        """The target goes as it stands."""
        connection = Connection(server.port)
        self.addCleanup(connection.close)
        return connection.ask(method, target, headers={"Host": "localhost", **(headers or {})})

    def statuses(self, server, method, target, headers=None):
        return [self.ask(server, method, target, {**key, **(headers or {})}).status for key in KEYS]

    def test_who_is_let_in_where(self):
        server = self.start_one(settings={"security": CLOSED})
        for method, target, *expected, allow in TABLE:
            with self.subTest(method=method, target=target):
                answers = [self.ask(server, method, target, key) for key in KEYS]
                self.assertEqual([answer.status for answer in answers], expected)
                for answer in answers:
                    wants_key = "Bearer" if answer.status == 401 else None
                    self.assertEqual(answer.headers["WWW-Authenticate"], wants_key)
                    self.assertEqual(answer.headers["Allow"], allow if answer.status in (204, 405) else None)

    def test_monitors_may_need_a_key_too(self):
        server = self.start_one(settings={"security": {**CLOSED, "api_key_skip_health": False}})
        for target in ("/", "/health", "/livez", "/readyz", "/metrics"):
            self.assertEqual(self.statuses(server, "GET", target), [401, 200, 401], target)

    def test_without_keys_only_admin_is_closed(self):
        server = self.start_one()
        for target, *expected in (("/", 200, 200, 200), ("/v1/jobs", 200, 200, 200), ("/nowhere", 404, 404, 404),
                                  ("/admin/config", 403, 403, 403), ("/admin/nothing", 404, 404, 404)):
            self.assertEqual(self.statuses(server, "GET", target), expected, target)
        self.assertEqual(self.statuses(server, "POST", "/admin/config"), [403, 403, 403])
        for target in ("/", "/v1/jobs", "/nowhere", "/admin/config"):
            self.assertEqual(self.statuses(server, "GET", target, {"Origin": "http://evil.example"}), [403] * 3, target)

    def test_the_pages_name_every_endpoint(self):
        listed = call("GET", self.start_one().url + "/").json["endpoints"]
        migrate = (ROOT / "docs" / "migrate.md").read_text(encoding="utf-8")
        pages = (ROOT / "README.md").read_text(encoding="utf-8") + migrate
        for endpoint in listed:
            path = re.sub(r":\w+", "[:\\\\w]+", re.escape(endpoint.split()[1]))
            self.assertTrue(re.search(path + r"(?![\w/])", pages), endpoint)
        kept = re.findall(r"^\| `(\w+ /[^`?]*)[^|]*\| same", migrate, re.M)
        self.assertIn("GET /v1/jobs/:jobId", kept)
        self.assertLessEqual(set(kept) - {"GET /"}, set(listed))

    def test_a_forecast_has_two_names(self):
        server = self.start_one()
        forecast, plan = (call("GET", f"{server.url}/v1/{name}?jobs=5&job=1").json for name in ("forecast", "plan"))
        self.assertEqual({**forecast, "estimatedAt": 0}, {**plan, "estimatedAt": 0})
        self.assertEqual(forecast["jobs"], 5)

    def test_a_preflight_is_answered_anywhere(self):
        server = self.start_one(settings={"security": {**CLOSED, "cors": {"allowed_origins": ["http://a.example"]}}})
        page = {"Origin": "http://a.example", "Access-Control-Request-Method": "POST"}
        for target in ("/", "/v1/jobs", "/nowhere", "/admin/config"):
            self.assertEqual(self.statuses(server, "OPTIONS", target, page), [204] * 3, target)
            self.assertEqual(self.statuses(server, "OPTIONS", target, {**page, "Origin": "http://b.example"})[0],
                             204 if target == "/" else 401, target)


if __name__ == "__main__":
    unittest.main()
