"""From a model's text to what the client gets of it: digits, repairs, and what of a schema is not enforced."""
import unittest

from lib import Case, call

NUMBERS = b'{"wei":123456789012345678901,"id":18446744073709551616,"cent":18.50,"whole":1.0,"zero":-0,"huge":1e400}'


class Answer(Case):
    def test_numbers_keep_their_digits_on_every_way(self):
        server = self.start_one({"answer": NUMBERS.decode()})
        self.assertIn(NUMBERS, self.generate(server, {"prompt": "at once"}).raw)
        job = self.queue(server, {"prompt": "as a job"})
        self.assertEqual(self.finished(server, job)["status"], "completed")
        self.assertIn(NUMBERS, self.job(server, job).raw)
        again = self.post(server, {"prompt": "as a job"})
        self.assertEqual(again.headers["X-Cache"], "HIT")
        self.assertIn(NUMBERS, again.raw)

    def test_a_repair_is_told_and_counted(self):
        server = self.start_one({"answer": "Here:\n```json\n{'text': 'a\nb', \"n\": 1,} // done\n```"})
        answer = self.generate(server, {"prompt": "x"})
        self.assertEqual(answer.json["data"], {"text": "a\nb", "n": 1})
        self.assertIs(answer.json["metadata"]["validated"], True)
        self.assertIs(answer.json["metadata"]["repaired"], True)
        metrics = call("GET", server.url + "/metrics").raw.decode()
        self.assertRegex(metrics, r'(?m)^stepper_repaired_answers_total\{[^}]*provider="one"[^}]*\} 1$')

    def test_what_is_no_answer_is_not_made_one(self):
        server = self.start_one({"answer": "According to [1] nothing is known. Errors: []. See main() {}."},
                                {"fallback": {"enabled": False}})
        self.assertEqual(self.generate(server, {"prompt": "x"}).json["errorCode"], "INVALID_RESPONSE")

    def test_a_pattern_that_cannot_be_held_is_no_reason_to_refuse(self):
        server = self.start_one({"answer": '{"v":"12.50"}'}, {"fallback": {"enabled": False}})
        for pattern in (r"^(?!^[-+.]*$)[+-]?0*\d*\.?\d*$", "^.{1,2000}$"):
            schema = {"type": "object", "properties": {"v": {"type": "string", "pattern": pattern}}, "required": ["v"]}
            with self.subTest(pattern):
                answer = self.generate(server, {"prompt": "x", "outputSchema": {"kind": "json-schema", "schema": schema}})
                self.assertEqual(answer.json["data"], {"v": "12.50"})
                self.assertIn("/properties/v/pattern is not enforced", answer.json["metadata"]["warnings"][0])


if __name__ == "__main__":
    unittest.main()
