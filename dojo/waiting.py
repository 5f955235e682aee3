"""What a thread that does not go on is waiting for, told from the line where it stands."""

from __future__ import annotations

from dojo.outcome import Thread

# (the standard library's file, the function in it) where the innermost frame stands → what that means
BY_FRAME = {
    ("socket.py", "readinto"): "recv",
    ("socket.py", "accept"): "accept",
    ("socket.py", "create_connection"): "connect",
    ("socket.py", "getaddrinfo"): "resolve",
    ("ssl.py", "read"): "recv",
    ("ssl.py", "recv"): "recv",
    ("ssl.py", "recv_into"): "recv",
    ("ssl.py", "do_handshake"): "handshake",
    ("ssl.py", "sendall"): "send",
    ("ssl.py", "send"): "send",
    ("selectors.py", "select"): "select",
    ("threading.py", "wait"): "event",
    ("threading.py", "_wait_for_tstate_lock"): "join",
    ("threading.py", "join"): "join",
    ("queue.py", "get"): "queue",
    ("locks.py", "acquire"): "lock",
    ("subprocess.py", "_try_wait"): "process",
}

# what stands in the student's own line when the innermost frame is there
BY_SOURCE = (
    (".recv", "recv"),
    (".accept(", "accept"),
    (".connect(", "connect"),
    (".sendall(", "send"),
    (".send(", "send"),
    (".readline(", "recv"),
    (".read(", "recv"),
    ("sleep(", "sleep"),
    ("input(", "keyboard"),
    (".acquire(", "lock"),
    (".join(", "join"),
    (".select(", "select"),
    ("with ", "lock"),
)


def waits_for(thread: Thread) -> str | None:
    """The key of words.py for what the thread waits for, or None when its place does not tell."""
    if not thread.frames:
        return None
    innermost = thread.frames[-1]
    if not innermost.own:
        name = innermost.file.replace("\\", "/").rpartition("/")[2]
        return BY_FRAME.get((name, innermost.function))
    source = innermost.source()
    return next((meaning for part, meaning in BY_SOURCE if part in source), None)
