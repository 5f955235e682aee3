"""Messages as trees: what is read, what is drawn, what is refused."""

from __future__ import annotations

from email.message import EmailMessage

import pytest

from dojo.tree import Tree, Unreadable, beside


def whole() -> EmailMessage:
    message = EmailMessage()
    message.set_content("你好\n")
    message.add_alternative('<img src="cid:x@example.com">', subtype="html")
    message.get_payload()[1].add_related(b"picture", "image", "png", cid="<x@example.com>")  # type: ignore[union-attr, index]
    message.add_attachment(b"data", "application", "pdf", filename="价目\u202e表.pdf")
    return message


def test_the_tree_is_read_and_drawn() -> None:
    tree = Tree(whole().as_bytes())
    assert tree.lines() == [
        "multipart/mixed",
        "  multipart/alternative",
        "    text/plain",
        "    multipart/related",
        "      text/html  (cid:x@example.com)",
        "      image/png  inline  <x@example.com>",
        '  application/pdf  attachment  "价目\\u202e表.pdf"',
    ]
    assert tree.body("text/plain") == "你好\n"
    assert [part.data() for part in tree.files()] == [b"picture", b"data"]
    plain, page = tree.bodies("text/plain")[0], tree.bodies("text/html")[0]
    assert tree.common(plain, page).type == "multipart/alternative"
    assert tree.inside(tree.files()[0]) == "multipart/related"
    assert [part.path for part in tree.around(page, "multipart/alternative")] == [(0,)]


@pytest.mark.parametrize(
    "data",
    [
        b"Content-Type: multipart/mixed; boundary=a\n\n" + b"--a\n\nx\n" * 200 + b"--a--\n",
        b"".join(b"Content-Type: multipart/mixed; boundary=%d\n\n--%d\n" % (n, n) for n in range(2000)),
    ],
    ids=["many parts", "deep"],
)
def test_what_nobody_writes_by_accident_is_unreadable(data: bytes) -> None:
    with pytest.raises(Unreadable):
        Tree(data)


@pytest.mark.parametrize("data", [b"", b"\xff\xfe\x00", b"Content-Type: ;;;\nContent-ID: <\n\n", b"From: (((\n" * 50])
def test_rubbish_is_a_message_of_one_part(data: bytes) -> None:
    assert len(Tree(data).lines()) == 1


@pytest.mark.parametrize("cid", [f"<{'x' * 80}@example.com>", "<日出.png@example.com>"], ids=["long", "Chinese"])
def test_an_id_that_is_no_id_is_known_by_its_encoding(cid: str) -> None:
    message = EmailMessage()
    message.set_content(b"picture", "image", "png", cid=cid)
    (part,) = Tree(message.as_bytes()).parts
    assert part.encoded_id
    assert part.content_id == cid


def test_two_trees_stand_beside_each_other_where_there_is_room(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DOJO_LANG", "en")
    assert beside(["a", "  b"], ["c"], 60) == ["expected   returned", "a          c", "  b"]
    assert beside(["a"], ["c" * 80], 60)[1] == f"a          {'c' * 48}…"
    assert beside(["a", "  b"], ["c"], 40) == ["expected:", "a", "  b", "returned:", "c"]
