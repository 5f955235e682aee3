"""The words of the screen, in English and in Chinese."""

from __future__ import annotations

import os

LANGUAGES = ("en", "zh")

WORDS = {
    # labels of a failure's rows
    "": ("", ""),
    "called": ("called", "调用"),
    "expected": ("expected", "应得到"),
    "returned": ("returned", "实际返回"),
    "raised": ("raised", "抛出异常"),
    "got": ("got", "实际是"),
    "received": ("the server received", "服务器收到"),
    "what": ("judged", "检查的是"),
    "seen": ("seen", "看到"),
    "cause": ("caused by", "起因"),
    "bytes_in_all": ("{number} bytes in all", "共 {number} 个字节"),
    "characters_in_all": ("{number} characters in all", "共 {number} 个字符"),
    "at_character": ("character {number}", "第 {number} 个字符"),
    "at_byte": ("byte {number}", "第 {number} 个字节"),
    "ends_here": ("it ends here", "到这里就结束了"),
    "should_end": ("it should end here", "应当在这里结束"),
    # sentences
    "an_error": ("the error {names}", "异常 {names}"),
    "or": (" or ", " 或 "),
    "the_wire": ("the wire", "网络上传输的内容"),
    "you_printed": ("your code printed", "你的代码打印了"),
    "thread_died": ('Your thread "{name}" had died: {error}', "你的线程“{name}”已经因异常结束：{error}"),
    "more": ("more: {command}", "提示：{command}"),
    "of": ("{passed} of {total}", "{total} 项中通过 {passed} 项"),
    "next": ("next: {file} · the page: {page}", "下一步：{file} · 说明：{page}"),
    "done": ("Done: {kata} is solved.", "完成：{kata} 全部通过。"),
    "then": ("next: make test KATA={kata} · the page: {page}", "下一个：make test KATA={kata} · 说明：{page}"),
    "all_done": ("Every kata is solved.", "所有练习都已完成。"),
    "compare": ("compare with: {file}", "可以对照参考答案：{file}"),
    "start_here": (
        "A fresh stub: these failures are the start, not a broken installation. Write the first step, run this again.",
        "这是还没动过的练习：失败是起点，不是安装有问题。先写第一步，再运行一次。",
    ),
    "another_hint": ("another hint: {command}", "再看一条提示：{command}"),
    "repeat": ("the same data again: {command}", "用同样的数据再跑一次：{command}"),
    "see_all": ("each failure in full: {command}", "完整显示每个失败：{command}"),
    "infrastructure": (
        "The dojo itself failed here, not your code. Please report this text:",
        "这里是 dojo 自身出错，不是你的代码。请把下面的文字报告给我们：",
    ),
    "interrupted": ("Stopped. Nothing is left running.", "已停止，没有留下任何进程。"),
    # servers and their peers
    "heard_wanted": ("should hear", "应听到"),
    "heard": ("heard", "听到"),
    "heard_nothing": ("nothing for {seconds} s", "{seconds} 秒内什么也没有"),
    "heard_end": ("the end of the connection", "连接结束"),
    "heard_reset": ("a reset of the connection", "连接被重置"),
    "a_line": ("a line, with its LF", "一行（以 LF 结尾）"),
    "the_end": ("the end of the connection, and nothing before it", "连接结束，之前没有别的"),
    "sent_unread": ("{name} could not send: nobody reads", "{name} 发不出去：没有人在读"),
    "ended": ("had ended", "已经结束"),
    "returned_early": ("it returned", "它返回了"),
    "call_ends": ("{call} comes to its end", "{call} 自己结束"),
    "on_screen": ("on the screen", "屏幕上应有"),
    "not_on_screen": ("not on the screen", "屏幕上不应有"),
    "thread_stands": ("{name} stands at {place}, {doing}.", "{name} 停在 {place}，{doing}。"),
    "lock_held": (
        "waiting for the lock that {holder} has held since {since}",
        "正在等一把锁，这把锁从 {since} 起被 {holder} 占着",
    ),
    # where a program stands
    "recv": ("waiting for bytes from the other side", "正在等对方发来字节"),
    "accept": ("waiting for a client to connect", "正在等客户端连接"),
    "connect": ("waiting for a connection to be made", "正在等连接建立"),
    "resolve": ("looking up a host name", "正在查询主机名"),
    "handshake": ("in the TLS handshake", "正在进行 TLS 握手"),
    "send": ("waiting for the other side to read", "正在等对方读取数据"),
    "select": ("waiting for any of its sockets", "正在等任意一个套接字就绪"),
    "event": ("waiting for a signal from another thread", "正在等另一个线程的信号"),
    "join": ("waiting for another thread to end", "正在等另一个线程结束"),
    "queue": ("waiting for something in a queue", "正在等队列里出现数据"),
    "process": ("waiting for another process", "正在等另一个进程"),
    "sleep": ("asleep", "正在睡眠"),
    "keyboard": ("waiting for the keyboard", "正在等键盘输入"),
    "lock": ("waiting for a lock", "正在等一把锁"),
    "busy": ("computing all the time: a loop that never ends?", "一直在计算：是不是死循环？"),
    "idle": ("waiting", "正在等待"),
    "deaf": ("inside a call that lets nothing else run", "停在一个不让其他代码运行的调用里"),
    "unknown_place": ("a place that it could not tell", "某个无法得知的位置"),
}


def language() -> str:
    """The language asked for by DOJO_LANG or else by the locale: "zh" or "en"."""
    for name in ("DOJO_LANG", "LC_ALL", "LC_MESSAGES", "LANG"):
        value = os.environ.get(name)
        if value:
            return "zh" if value.lower().startswith("zh") else "en"
    return "en"


def word(key: str, **values: str) -> str:
    """The words for this key in the language asked for, with their braces filled."""
    text = WORDS[key][LANGUAGES.index(language())]
    return text.format(**values) if values else text
