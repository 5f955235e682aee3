"""The student's process: it loads the student's file, makes the calls that it is told, and tells the result."""

from __future__ import annotations

import _thread
import os
import signal
import socket
import sys
import threading
from types import CodeType, ModuleType
from typing import Any

from dojo.inside import channel, describe, listening, locks, plain, race

WARM = frozenset(
    """asyncio base64 collections concurrent.futures contextlib copy dataclasses datetime email email.generator
    email.header email.headerregistry email.message email.mime.base email.mime.image email.mime.multipart
    email.mime.text email.parser email.policy email.utils functools gzip hashlib hmac html html.parser http
    http.client http.cookiejar http.cookies io ipaddress json logging mimetypes pathlib poplib queue random re
    secrets select selectors shutil smtplib socket socketserver ssl string struct subprocess tempfile textwrap
    traceback typing unicodedata urllib urllib.error urllib.parse urllib.request urllib.response uuid""".split()
)
"""Modules worth loading before the fork, once the student's file has been seen to load them itself."""

compiled: dict[bytes, CodeType] = {}
"""The student's file by its bytes, where it has been compiled before the fork."""


def run(calls: socket.socket, watch: socket.socket, subject: str) -> None:
    """Serve until the judge says that the test is over, then end as a program ends. Never returns."""
    _thread.start_new_thread(_watch, (watch,))  # _thread, so that threading.enumerate() shows the student's alone
    threading.excepthook = describe.keep_thread_error
    # Where the dojo runs in the background of a shell, SIGINT came down to us ignored.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    module: ModuleType | None = None
    sending = _thread.allocate_lock()  # a server may begin to listen in any thread

    def tell(message: dict[str, Any]) -> None:
        with sending:
            channel.send(calls, message)

    while True:
        try:
            order = channel.receive(calls)
        except (channel.Closed, OSError):
            os._exit(0)  # the judge is gone: nobody is left to tell
        if order["do"] == "finish":
            _finish(calls, order["id"])
        answer: dict[str, Any]
        try:
            if order["do"] == "load":
                if order["server"]:
                    _prepare_server(tell, subject, order["race"], order["send_buffer"])
                if order["slow"]:
                    _slow_down(subject, order["slow"])
                before = set(sys.modules)
                module = _load(subject)
                answer = {"loaded": sorted(WARM & (set(sys.modules) - before))}
            else:
                assert module is not None
                answer = _call(module, order)
        except BaseException as error:  # whatever the student's code raises is an answer, SystemExit too
            answer = {"raised": describe.exception(error)}
        answer["id"] = order["id"]
        try:
            tell(answer)
        except channel.TooLarge as large:
            tell({"id": order["id"], "too_large": large.args[0]})


def _prepare_server(tell: listening.Tell, subject: str, pause: float, send_buffer: int) -> None:
    """For a test that meets a server of the student's: tell when it listens, know who holds which lock; race the
    threads and give the connections smaller buffers where the test asks for it."""
    listening.watch(lambda told: tell({"listening": told}), send_buffer)
    locks.trace()
    if pause:
        race.start(os.path.dirname(subject), pause)


def _slow_down(subject: str, pause: float) -> None:
    race.slow_down(os.path.dirname(subject), pause)


def _load(subject: str) -> ModuleType:
    folder, name = os.path.split(subject)
    sys.path.insert(0, folder)  # as in `python urlparse.py`: what lies beside the file can be imported
    sys.argv = [subject]
    with open(subject, "rb") as file:
        source = file.read()
    code = compiled.get(source) or compile(source, subject, "exec", dont_inherit=True)
    module = ModuleType(name.removesuffix(".py"))
    module.__file__ = subject
    sys.modules[module.__name__] = module
    exec(code, module.__dict__)
    return module


def _call(module: ModuleType, order: dict[str, Any]) -> dict[str, Any]:
    function = module.__dict__.get(order["name"])
    if not callable(function):
        names = [name for name, value in module.__dict__.items() if type(name) is str and callable(value)]
        return {"missing": order["name"], "present": names[:100]}
    arguments = [plain.decode(argument, plain.parsed) for argument in order["arguments"]]
    named = {name: plain.decode(argument, plain.parsed) for name, argument in order["named"].items()}
    result = function(*arguments, **named)
    try:
        return {"returned": plain.encode(result), "kind": type(result).__qualname__}
    except plain.NotPlain as refused:
        return {"not_plain": refused.kind, "inside": refused.inside}


def _finish(calls: socket.socket, ident: str) -> None:
    # What the interpreter does at its end, in its order: wait for the threads that are not daemons. A thread
    # that never ends keeps the judge waiting here, as it would keep the student's own program from ending.
    threading._shutdown()  # type: ignore[attr-defined]
    channel.send(calls, {"id": ident, "finished": True, "thread_errors": describe.thread_errors})
    os._exit(0)


def _watch(watch: socket.socket) -> None:
    """Answer the question where every thread stands, while the main thread is busy or hangs."""
    while True:
        try:
            channel.receive(watch)
            channel.send(watch, describe.threads(_thread.get_ident()))
        except (channel.Closed, OSError):
            return
