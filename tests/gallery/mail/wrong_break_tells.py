"""The error says what the connection was for.

fails: test_login_refused: password_in_error
fails: test_certificates: password_in_error
fails: test_no_answer: password_in_error
fails: test_send_starttls: password_in_error
fails: test_starttls_refused: password_in_error
fails: test_send_many: password_in_error
"""

import base64
import email.policy
import email.utils
import re
import socket
import ssl
import time
from email.header import Header
from email.message import EmailMessage, Message


class NotSent(Exception):
    pass


class LoginRefused(NotSent):
    pass


def write_mail(sender, to, subject, text):
    if re.search(r"[\r\n]", sender + subject + "".join(to)):
        raise ValueError("line break")
    message = EmailMessage()
    message.set_content(text)
    message["Subject"] = subject
    message["From"] = sender
    message["To"] = ", ".join(to)
    message["Date"] = email.utils.formatdate(time.time(), usegmt=True)
    domain = message["From"].addresses[0].domain
    message["Message-ID"] = email.utils.make_msgid("dojo", domain)
    return message


def mailbox(name, address):
    if re.search(r"[\r\n]", name + address):
        raise ValueError("line break")
    if not name.isascii():
        return f"{Header(name, 'utf-8').encode(maxlinelen=0)} <{address}>"
    escaped = re.sub(r'(["\\])', r"\\\1", name)
    return f'"{escaped}" <{address}>' if name else address


def recipients(message):
    fields = [value for name in ("to", "cc", "bcc") for value in message.get_all(name, [])]
    return sorted({address for _, address in email.utils.getaddresses(fields)})


class Dialogue:
    def __init__(self, host, port, timeout, starttls):
        self.host = host
        self.socket = socket.create_connection((host, port), timeout=timeout)
        try:
            if not starttls:
                self.secure()
            self.file = self.socket.makefile("rb")
            self.reply(220)
            if starttls:
                try:
                    if "STARTTLS" not in self.say("EHLO [127.0.0.1]", 250):
                        raise NotSent("no STARTTLS")
                    self.say("STARTTLS", 220)
                except NotSent:
                    self.end()
                    raise
                self.secure()
                self.file = self.socket.makefile("rb")
            self.say("EHLO [127.0.0.1]", 250)
        except BaseException:
            self.socket.close()
            raise

    def secure(self):
        self.socket = ssl.create_default_context().wrap_socket(self.socket, server_hostname=self.host)

    def code(self):
        lines = []
        while True:
            line = self.file.readline(2000).decode("utf-8", "replace")
            if not line:
                raise ConnectionError("the server is gone")
            lines.append(line[4:].strip())
            if line[3:4] != "-":
                return int(line[:3]), "\n".join(lines)

    def reply(self, *wanted):
        code, text = self.code()
        if code not in wanted:
            raise NotSent(f"{code} {text}")
        return text

    def ask(self, line):
        self.socket.sendall(line.encode("ascii") + b"\r\n")
        return self.code()

    def say(self, line, *wanted):
        self.socket.sendall(line.encode("ascii") + b"\r\n")
        return self.reply(*wanted)

    def login(self, user, password):
        def token(text):
            return base64.b64encode(text.encode()).decode()

        self.say("AUTH LOGIN", 334)
        self.say(token(user), 334)
        code, text = self.ask(token(password))
        if code == 535:
            raise LoginRefused("refused")
        if code != 235:
            raise NotSent(text)

    def deliver(self, message):
        content = message.as_bytes(policy=email.policy.SMTP)
        public = email.message_from_bytes(content, policy=email.policy.SMTP)
        del public["Bcc"]
        data = re.sub(rb"(?m)^\.", b"..", public.as_bytes(policy=email.policy.SMTP))
        refused = {}
        try:
            sender = email.utils.parseaddr(message["From"])[1]
            self.say(f"MAIL FROM:<{sender}>", 250)
            to = recipients(message)
            for address in to:
                code, _ = self.ask(f"RCPT TO:<{address}>")
                if code // 100 != 2:
                    refused[address] = code
            if len(refused) == len(to):
                raise NotSent("no recipient is left")
            self.say("DATA", 354)
            self.socket.sendall(data + b".\r\n")
            self.reply(250)
        except NotSent:
            self.say("RSET", 250)
            raise
        return refused

    def end(self):
        try:
            self.say("QUIT", 221)
        except (OSError, NotSent):
            pass
        self.socket.close()


def session(host, port, user, password, messages, timeout, starttls=False):
    results = []
    try:
        dialogue = Dialogue(host, port, timeout, starttls)
        try:
            dialogue.login(user, password)
            for message in messages:
                try:
                    results.append(dialogue.deliver(message))
                except (NotSent, OSError) as error:
                    results.append(error)
        finally:
            dialogue.end()
    except OSError as error:
        raise NotSent(f"{user}:{password}@{host}: {error}")
    return results


def only(results):
    (result,) = results
    if isinstance(result, Exception):
        raise NotSent(str(result))
    return result


def send(host, port, user, password, message, timeout=10.0):
    return only(session(host, port, user, password, [message], timeout))


def send_starttls(host, port, user, password, message, timeout=10.0):
    return only(session(host, port, user, password, [message], timeout, starttls=True))


def send_many(host, port, user, password, messages, timeout=10.0):
    results = session(host, port, user, password, messages, timeout)
    return [None if isinstance(result, Exception) else result for result in results]
