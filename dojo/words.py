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
    "the_parts": ("the parts", "邮件结构"),
    "cause": ("caused by", "起因"),
    "bytes_in_all": ("{number} bytes in all", "共 {number} 个字节"),
    "characters_in_all": ("{number} characters in all", "共 {number} 个字符"),
    "at_character": ("character {number}", "第 {number} 个字符"),
    "at_byte": ("byte {number}", "第 {number} 个字节"),
    "ends_here": ("it ends here", "到这里就结束了"),
    "should_end": ("it should end here", "应当在这里结束"),
    # sentences
    "played": (
        "{step}: a server on this machine has taken the letter, {size} bytes.\nthe page: {file}",
        "{step}：本机的服务器已经收下这封信，共 {size} 字节。\n页面：{file}",
    ),
    "an_error": ("the error {names}", "异常 {names}"),
    "or": (" or ", " 或 "),
    "the_wire": ("the wire", "网络上传输的内容"),
    "you_printed": ("your code printed", "你的代码打印了"),
    "thread_died": ('Your thread "{name}" had died: {error}', "你的线程“{name}”已经因异常结束：{error}"),
    "more": ("more: {command}", "提示：{command}"),
    "of": ("{passed} of {total}", "{total} 项中通过 {passed} 项"),
    "next": ("next: {file} · the page: {page}", "下一步：{file} · 说明：{page}"),
    "done": ("Done: {kata} is solved.", "完成：{kata} 全部通过。"),
    "one_done": ("Passed. All tests of {kata}: {command}", "通过。{kata} 的全部测试：{command}"),
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
    # what happens beside the bytes on the wire
    "client_connected": ("client connected", "client 已连接"),
    "client_connected_again": ("client connected again (connection {number})", "client 再次连接（第 {number} 个连接）"),
    "client_closed_side": ("client closed its side", "client 关闭了自己这一端"),
    "client_gone": (
        "client is gone: what was sent last did not reach it",
        "client 已经不在：最后发出的内容没有送到",
    ),
    "client_reset": ("client reset the connection", "client 重置了连接"),
    "closed_side": ("{name} closed its side", "{name} 关闭了自己这一端"),
    "reset_connection": ("{name} reset the connection", "{name} 重置了连接"),
    "gave_up": ("{name} gave up: nothing moved for {seconds} s", "{name} 放弃了：{seconds} 秒内毫无动静"),
    "tls_failed": ("the TLS handshake failed: {reason}", "TLS 握手失败：{reason}"),
    "tls_broke": ("the TLS connection broke: {reason}", "TLS 连接中断：{reason}"),
    "byte_by_byte": (
        "{name} sends the next {number} bytes one by one, {pause} ms apart",
        "{name} 把接下来的 {number} 个字节逐个发出，间隔 {pause} 毫秒",
    ),
    "handler_failed": ("the handler in the {name} failed: {error}", "{name} 中的处理函数出错：{error}"),
    "plain_not_tls": (
        "{name} speaks plain HTTP, but the client began a TLS handshake",
        "{name} 说的是明文 HTTP，客户端却开始了 TLS 握手",
    ),
    "bad_chunks": ("{name} cannot read the chunks of the body: {error}", "{name} 读不懂正文的分块：{error}"),
    "short_body": (
        "{name} got {number} of the {size} bytes of body that Content-Length promised",
        "{name} 只收到正文的 {number} 个字节，而 Content-Length 说有 {size} 个",
    ),
    "waits": ("{name} waits {seconds} s", "{name} 等待 {seconds} 秒"),
    "dropped": ("{name} dropped the connection", "{name} 断开了连接"),
    "login_right": ("login as {user}, password {password}: right", "以 {user} 登录，密码 {password}：正确"),
    "login_wrong": ("login as {user}, password {password}: wrong", "以 {user} 登录，密码 {password}：错误"),
    "has_echoed": (
        "{name} has received {received} bytes and sent back {sent}",
        "{name} 收到 {received} 个字节，发回 {sent} 个",
    ),
    "early_bytes": (
        "{name} threw away {number} bytes that came before TLS",
        "{name} 丢弃了 TLS 之前到达的 {number} 个字节",
    ),
    "could_not_send": ("{name} could not send: {error}", "{name} 发送失败：{error}"),
    "half_closes": ("{name} will send no more (half-close)", "{name} 不再发送（半关闭）"),
    "peer_closes": ("{name} closes the connection", "{name} 关闭连接"),
    "peer_resets": ("{name} resets the connection", "{name} 重置连接"),
    "peer_was_reset": ("the connection of {name} was reset", "{name} 的连接被重置"),
    "server_ends": ("server ends the connection of {name}", "server 结束了 {name} 的连接"),
    "nobody_listens": ("{name} is told that nobody listens", "{name} 得知没有人在监听"),
    "peer_connects": ("{name} connects", "{name} 连接"),
    "keyboard_types": ("the keyboard types {line}", "键盘输入 {line}"),
    "keyboard_ends": ("the keyboard ends (Ctrl-D)", "键盘输入结束（Ctrl-D）"),
    # why there is no TLS
    "tls_unknown_ca": ("the client does not trust this certificate", "客户端不信任这个证书"),
    "tls_bad_certificate": (
        "the client refused this certificate: it is not for this host name",
        "客户端拒绝了这个证书：它不是给这个主机名的",
    ),
    "tls_expired": ("the client refused this certificate: it has expired", "客户端拒绝了这个证书：它已过期"),
    "tls_refused": ("the client refused this certificate", "客户端拒绝了这个证书"),
    "tls_http": ("the client spoke plain HTTP to a TLS port", "客户端对 TLS 端口说了明文 HTTP"),
    "tls_not": ("the client did not speak TLS", "客户端说的不是 TLS"),
    "tls_old": ("the client wants a version of TLS that is too old", "客户端要用的 TLS 版本太旧"),
    "tls_cipher": ("client and server have no cipher in common", "客户端与服务器没有共同的加密套件"),
    "tls_silence": ("the client said nothing for {seconds} s", "客户端 {seconds} 秒内什么也没说"),
    "tls_left": ("the client left in the middle of it", "客户端中途离开"),
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
