"""What actions ordinarily hold: texts by which the rare literals of rules are told from the common ones.

Written for this purpose, and only ever used to choose what is looked for first: it changes no result.
"""

from hashlib import md5
from uuid import UUID

_CALLS = (
    'exec:shell|git status && git diff --stat|bash|{"command": "git status && git '
    'diff --stat", "timeout": 120}',
    'exec:shell|npm run build|bash|{"command": "cd /workspace/app && npm run build 2>&1 | tail -20"}',
    'exec:shell|pytest tests -q|bash|{"command": "pytest tests/unit -q", "description": "Run the tests"}',
    'exec:shell|ls -la src|terminal|{"cmd": "ls -la src", "cwd": "/home/user/project"}',
    'exec:shell|docker compose up -d|bash|{"command": "docker compose up -d --build api"}',
    'exec:python|import pandas as pd|python|{"code": "import pandas as '
    "pd\\nprint(pd.read_csv('data.csv').head())\"}",
    'read:file|/workspace/src/main.py|read_file|{"path": "/workspace/src/main.py", '
    '"limit": 200, "encoding": "utf-8"}',
    'read:file|/home/user/project/README.md|Read|{"file_path": "/home/user/project/README.md", "offset": 0}',
    'write:file|/workspace/src/api/users.py|write_file|{"path": "src/api/users.py", '
    '"content": "def get_user(id):\\n"}',
    'edit:file|config/settings.json|edit|{"file_path": "config/settings.json", '
    '"old_string": "a", "new_string": "b"}',
    'list:file|/workspace|list_directory|{"path": "/workspace", "recursive": false}',
    'read:http|https://example.com/docs/index.html|fetch|{"url": "https://example.com/docs/index.html"}',
    'call:http|https://api.example.com/v1/orders?limit=50|http|{"method": "GET", '
    '"url": "https://api.example.com/v1"}',
    'search:web|how to parse dates in python|search|{"query": "how to parse dates in '
    'python", "max_results": 5}',
    'call:tool|send_email|send_email|{"to": "team@example.com", "subject": "Weekly '
    'report", "body": "Hello all, attached"}',
    'call:tool|create_event|calendar|{"title": "Review", "start": '
    '"2026-01-05T10:00:00Z", "attendees": ["a@example.com"]}',
    'call:tool|get_balance|bank|{"account_id": "12345", "currency": "USD"}',
    'call:tool|query|postgres|{"sql": "SELECT id, name FROM users WHERE active = '
    'true ORDER BY name LIMIT 10"}',
    'call:tool|create_issue|github|{"repo": "org/app", "title": "Fix login", "body": '
    '"Steps to reproduce", "labels": ["bug"]}',
    'call:tool|post_message|slack|{"channel": "#general", "text": "The build is done", "user": "U123"}',
    'delegate:agent|researcher|task|{"task": "Find three sources about the topic and summarize them"}',
    'chat:model|gpt||{"temperature": 0.2}',
)
_TEXTS = (
    "Please read the file and tell me what the function does. Then fix the bug in "
    "the test, and run it again.",
    "You are a helpful assistant. Use the tools that you have to complete the task for the user.",
    "total 48\ndrwxr-xr-x 5 user user 4096 Jan 5 12:00 src\n-rw-r--r-- 1 user user "
    "1024 Jan 5 11:58 package.json\n",
    '{"status": "ok", "data": [{"id": 1, "name": "Alice", "email": '
    '"alice@example.com"}], "count": 1, "error": null}',
    "def main(args):\n    for path in args.files:\n        with open(path) as file:\n   "
    "         print(file.read())\n",
    "<html><head><title>Welcome</title></head><body><p>Contact us at info@example.com</p></body></html>",
    "3 passed, 1 failed in 2.41s\nFAILED tests/test_api.py::test_login - "
    "AssertionError: expected 200, got 401",
    "Dear Bob, thank you for your message. The invoice is due at the end of the month. Best regards, Ann",
)


def _body(number: int, text: str) -> bytes:
    """A record's bytes around a text, with what stands in every record: ids, numbers, a salt."""
    identity = UUID(bytes=md5(text.encode(), usedforsecurity=False).digest())
    session = identity.hex[::-1]
    head = f"H{identity}\x08acme\x0eagent-{number}\x02@{session}\x00\x00"
    tail = f"\x02\x0eclaude-model-x\x00\x00\x00\x02$producer-{number}\x00\x00\x00"
    return f"{head}{text.replace('|', chr(16))}{tail}".encode() + identity.bytes


TYPICAL = tuple(_body(number, text) for number, text in enumerate((*_CALLS, *_TEXTS)))
