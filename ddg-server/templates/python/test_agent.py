"""Tests of the agent without the platform: python3 -m unittest"""
import tempfile
import unittest
from pathlib import Path

import agent


def message(question, files):
    data = [{"type": "text", "file_plain": name, "file_extracted": name, "prompt": None} for name in files]
    return {"number": 1, "agent": "mine", "riddle": {"question": question}, "data": data, "solution": [], "colour": "blue"}


class AgentTest(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        agent.SHARED = Path(folder.name)
        (agent.SHARED / "x.txt").write_text("x = 10")
        (agent.SHARED / "y.txt").write_text("y = 15")

    def test_it_solves_a_question_in_letters(self):
        response = agent.handle(message("x * y =", ["x.txt", "y.txt"]))
        self.assertEqual([s["solution"] for s in response["solution"]], ["150"])
        self.assertNotIn("decision", response)

    def test_it_stops_while_a_value_is_missing(self):
        self.assertEqual(agent.handle(message("x * y =", ["x.txt"]))["decision"], "stop")

    def test_unknown_fields_are_kept(self):
        self.assertEqual(agent.handle(message("1 + 1", []))["colour"], "blue")


if __name__ == "__main__":
    unittest.main()
