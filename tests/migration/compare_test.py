"""What counts as a difference, and what a rule takes for the one it knows."""
import json
import unittest

from compare import Difference, Seen, differences
from expected import Rule, matches


def answer(body, status=200, **headers):
    raw = body if isinstance(body, str) else json.dumps(body)
    kind = "text/plain" if isinstance(body, str) else "application/json"
    return Seen(status, {"content-type": kind, **{k.replace("_", "-"): v for k, v in headers.items()}}, raw.encode())


class Compare(unittest.TestCase):
    def check(self, package, stepper, *expected):
        self.assertEqual([tuple(d) for d in differences(package, stepper)], list(expected))

    def test_the_same_is_the_same(self):
        self.check(answer({"a": [1, {"b": None}]}), answer({"a": [1, {"b": None}]}))

    def test_values_types_and_names(self):
        self.check(answer({"a": 1, "b": "x", "c": True}), answer({"a": 1.5, "b": None, "d": "y"}),
                   ("body.a", "1", "1.5"), ("body.b", '"x"', "null"), ("body.c", "true", "-"), ("body.d", "-", "string"))

    def test_true_is_no_number(self):
        self.check(answer({"a": 1}), answer({"a": True}), ("body.a", "1", "true"))

    def test_an_empty_list_is_something(self):
        self.check(answer({"a": []}), answer({}), ("body.a", "[]", "-"), ("body", "-", "{}"))

    def test_what_passes_is_compared_by_kind(self):
        self.check(answer({"jobId": "1", "timings": {"totalMs": 3}}), answer({"jobId": "2", "timings": {"totalMs": "3"}}),
                   ("body.timings.totalMs", "number", "string"))

    def test_headers(self):
        self.check(answer({}, date="now", vary="Origin", x_request_id="1"),
                   answer({}, date="then", x_request_id="2", allow="GET"),
                   ("header.vary", "Origin", "-"), ("header.allow", "-", "GET"))

    def test_bodies_of_different_statuses_share_the_error_only(self):
        self.check(answer({"status": "queued"}, 202), answer({"error": "no", "requestId": "7"}, 400),
                   ("status", "202", "400"), ("body.error", "-", "string"))

    def test_pages_and_texts(self):
        self.check(answer("<html>"), answer("text"), ("body", "a page", '"text"'))

    def test_series(self):
        ours = '# HELP\na_total{y="2",x="1"} 4\nb_bucket{le="1"} 7\nstepper_c 1\nd 1\n'
        self.check(answer('# HELP\na_total{x="1",y="2"} 3\nb_bucket{le="1"} 5\n'), answer(ours),
                   ('metric.a_total{x="1",y="2"}', "3.0", "4.0"), ("metric.d{}", "-", "1.0"))


class Rules(unittest.TestCase):
    difference = Difference("body.error", '"a"', "-")

    def test_a_rule_knows_all_four_sides(self):
        self.assertTrue(matches(Rule("D1", r"body\.error", '"a"', "-", "open/.*"), "open/x", self.difference))
        for other in (Rule("D1", "body"), Rule("D1", r"body\.error", '"b"'), Rule("D1", r"body\.error", ".*", '"a"'),
                      Rule("D1", r"body\.error", on="locked/.*")):
            self.assertFalse(matches(other, "open/x", self.difference), other)


if __name__ == "__main__":
    unittest.main()
