"""Mails are fetched in one session and deleted in the next, by their unique ids."""
import contextlib, email, email.policy, os, poplib, re, ssl

POLICY = email.policy.default


def join_lines(lines):
    return b"".join(line + b"\r\n" for line in lines)


def _clean(s):
    return s.encode("utf-8", "surrogateescape").decode("utf-8", "replace")


def _get(msg, name):
    try:
        return msg[name]
    except Exception:
        return None


def _people(h):
    if h is None:
        return []
    try:
        return [(_clean(a.display_name or ""), _clean(a.addr_spec)) for a in h.addresses if a.addr_spec not in ("", "<>")]
    except Exception:
        return []


def read_headers(raw):
    msg = email.message_from_bytes(raw, policy=POLICY)
    s = _get(msg, "Subject")
    people = _people(_get(msg, "From"))
    date = getattr(_get(msg, "Date"), "datetime", None)
    return {"subject": " ".join(_clean(str(s)).splitlines()) if s is not None else "", "from": people[0] if people else ("", ""),
            "to": _people(_get(msg, "To")), "date": date.isoformat() if date else None}


def _text(part):
    if part is None:
        return None
    data = part.get_payload(decode=True) or b""
    try:
        return data.decode(part.get_content_charset() or "utf-8", "replace")
    except (LookupError, ValueError):
        return data.decode("utf-8", "replace")


def _leaves(part):
    if part.get_content_maintype() == "multipart" and part.is_multipart():
        if part.get_content_disposition() != "attachment":
            for p in part.get_payload():
                yield from _leaves(p)
            return
        for p in part.get_payload():
            yield from _leaves(p)
        return
    yield part


def read_bodies(raw):
    msg = email.message_from_bytes(raw, policy=POLICY)
    found = {"text/plain": None, "text/html": None}
    for p in _leaves(msg):
        t = p.get_content_type()
        if t in found and found[t] is None and p.get_content_disposition() != "attachment":
            found[t] = p
    return {"text": _text(found["text/plain"]), "html": _text(found["text/html"])}


DEVICES = {"CON", "PRN", "AUX", "NUL"} | {f"{d}{i}" for d in ("COM", "LPT") for i in range(1, 10)}


def _safe(name, folder, default):
    name = _clean(name or "")
    name = re.split(r"[/\\]", name)[-1]
    name = re.sub(r'[\x00-\x1f\x7f-\x9f\u2028\u2029:*?"<>|]', "_", name).strip(" .")
    if not name:
        name = default
    if name.split(".")[0].strip().upper() in DEVICES:
        name = "_" + name
    stem, ext = os.path.splitext(name)
    if len(ext.encode()) > 20:
        stem, ext = name, ""
    there = {x.casefold() for x in os.listdir(folder)}
    n = 1
    while True:
        tail = (f"-{n}" if n > 1 else "") + ext
        room = 250 - len(tail.encode())
        result = (stem.encode()[:room].decode("utf-8", "ignore").rstrip(" .") + tail).rstrip(" .")
        if result.casefold() not in there:
            return result
        n += 1


def _write(name, folder, default, data):
    mine = _safe(name, folder, default)
    with open(os.path.join(folder, mine), "xb") as f:
        f.write(data)
    return mine


def save_attachments(raw, folder):
    msg = email.message_from_bytes(raw, policy=POLICY)
    out = []
    for part in _leaves(msg):
        name = part.get_filename()
        if not (part.get_content_disposition() == "attachment" or name is not None or part.get_content_maintype() != "text"):
            continue
        if part.is_multipart():
            subs = part.get_payload()
            data = b"\r\n".join(s.as_bytes(policy=POLICY.clone(refold_source="none", linesep="\r\n")) for s in subs)
        else:
            data = part.get_payload(decode=True) or b""
        out.append((name, _write(name, folder, "file", data)))
    return out


class _Pop(poplib.POP3_SSL):
    def _getline(self):
        line = self.file.readline(1_000_001)
        if not line or len(line) > 1_000_000:
            raise poplib.error_proto("-ERR EOF or line too long")
        octets = len(line)
        if line[-2:] == b"\r\n":
            return line[:-2], octets
        return line[:-1], octets


@contextlib.contextmanager
def _session(host, port, user, password, timeout):
    pop = _Pop(host, port, timeout=timeout, context=ssl.create_default_context())
    try:
        pop.user(user)
        pop.pass_(password)
        yield pop
        pop.quit()
    except (ValueError, IndexError, KeyError) as e:
        raise poplib.error_proto("strange answer") from e
    finally:
        pop.close()


def count_mails(host, port, user, password, timeout=10.0):
    with _session(host, port, user, password, timeout) as pop:
        return pop.stat()


def _sizes(pop):
    return {int(l.split()[0]): int(l.split()[1]) for l in pop.list()[1]}


def _ids(pop):
    return {int(l.split()[0]): l.split()[1].decode("utf-8", "replace") for l in pop.uidl()[1]}


def list_mails(host, port, user, password, timeout=10.0):
    with _session(host, port, user, password, timeout) as pop:
        ids = _ids(pop)
        return [(n, size, ids[n]) for n, size in sorted(_sizes(pop).items())]


def fetch_mail(host, port, user, password, number, timeout=10.0):
    with _session(host, port, user, password, timeout) as pop:
        return join_lines(pop.retr(number)[1])


def list_headers(host, port, user, password, timeout=10.0):
    with _session(host, port, user, password, timeout) as pop:
        return [read_headers(join_lines(pop.top(n, 0)[1])) for n in sorted(_sizes(pop))]


def new_mails(host, port, user, password, known, timeout=10.0):
    with _session(host, port, user, password, timeout) as pop:
        return [(i, join_lines(pop.retr(n)[1])) for n, i in sorted(_ids(pop).items()) if i not in set(known)]


def move_mails(host, port, user, password, folder, timeout=10.0):
    saved = {}
    with _session(host, port, user, password, timeout) as pop:
        for n, i in sorted(_ids(pop).items()):
            saved[i] = _write("mail.eml", folder, "mail.eml", join_lines(pop.retr(n)[1]))
    with _session(host, port, user, password, timeout) as pop:
        for n, i in sorted(_ids(pop).items()):
            if i in saved:
                pop.dele(n)
    return list(saved.values())
