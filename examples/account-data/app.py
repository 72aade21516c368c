"""An application that keeps rows for its users, and deletes them when a user is gone.

    EVENTS_URL=http://127.0.0.1:9000/events cargo run -p local
    python3 examples/account-data/app.py notes.db 9000

On AWS, a rule on the bus with {"source": ["login-with-otp"], "detail": {"kind": ["removed"]}} and an
API destination posts the same body (docs/events.md). Let nobody else reach this path.
"""

import http.server
import json
import sqlite3
import sys


class Notes:
    """Rows of users, by the user_id that their tokens name."""

    def __init__(self, file):
        self.rows = sqlite3.connect(file)
        self.rows.execute("CREATE TABLE IF NOT EXISTS note (user_id TEXT NOT NULL, text TEXT NOT NULL)")
        self.rows.execute("CREATE INDEX IF NOT EXISTS of_user ON note (user_id)")

    def add(self, user_id, text):
        with self.rows:
            self.rows.execute("INSERT INTO note VALUES (?, ?)", (user_id, text))

    def of(self, user_id):
        return [text for (text,) in self.rows.execute("SELECT text FROM note WHERE user_id = ?", (user_id,))]

    def learn(self, event):
        """Takes an event. A removed user never comes back, so order and repeats do not matter."""
        if event["source"] == "login-with-otp" and event["detail"]["kind"] == "removed":
            with self.rows:
                self.rows.execute("DELETE FROM note WHERE user_id = ?", (event["detail"]["user_id"],))


def server(file, port):
    notes = Notes(file)  # One thread has it: sqlite3 demands that.

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self):
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            known = self.path == "/events"
            if known:
                notes.learn(json.loads(body))
            # Only after the rows are gone: an event that gets no 2xx comes again.
            self.send_response(204 if known else 404)
            self.end_headers()

        def log_message(self, *_):
            pass

    return http.server.HTTPServer(("127.0.0.1", port), Handler)


if __name__ == "__main__":
    server(sys.argv[1], int(sys.argv[2])).serve_forever()
