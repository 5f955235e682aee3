"""What the grader says of a submission, in English and in Chinese. The journal keeps the name of a sentence and its
values, so that a report can be made again in the other language."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from dojo.words import LANGUAGES, language

SENTENCES = {
    # a submission as a whole
    "not_a_submission": (
        "{name} is neither a folder nor a zip or tar.gz file.",
        "{name} 既不是文件夹，也不是 zip 或 tar.gz 文件。",
    ),
    "link": ("{name} is a link, and links are not followed.", "{name} 是一个链接，不会沿着链接去读。"),
    "hard_link": (
        "{name} is a hard link: the same file has another name elsewhere. A copy is needed.",
        "{name} 是硬链接：同一个文件在别处还有一个名字。请交一份副本。",
    ),
    "not_a_file": ("{name} is no ordinary file but {kind}.", "{name} 不是普通文件，而是 {kind}。"),
    "no_permission": ("{name} cannot be read: {why}.", "无法读取 {name}：{why}。"),
    "archive_too_large": (
        "{name} has {size}; archives of up to {limit} are opened.",
        "{name} 有 {size}；只打开不超过 {limit} 的压缩包。",
    ),
    "archive_too_many": (
        "{name} has too many names in it: at most {limit} are looked at.",
        "{name} 里的条目太多：最多只看 {limit} 个。",
    ),
    "archive_bomb": (
        "{name} unpacks to more than {limit}, and was left packed.",
        "{name} 解压后超过 {limit}，没有解压。",
    ),
    "archive_outside": (
        "{name} holds a name that leads out of it: {inside}. It was left packed.",
        "{name} 里有一个指向外部的名字：{inside}。没有解压。",
    ),
    "archive_twice": (
        "{name} holds two files of one name: {inside}. Which one is meant, nobody can tell.",
        "{name} 里有两个同名文件：{inside}。无法判断要用哪一个。",
    ),
    "archive_damaged": ("{name} cannot be unpacked: {why}.", "无法解压 {name}：{why}。"),
    "bare_clone": (
        "{name} is a bare git repository: it has commits but no files. Clone it, and grade the clone.",
        "{name} 是一个裸的 git 仓库：只有提交，没有文件。请先克隆，再批改克隆出来的文件夹。",
    ),
    "no_submission": ("On the roster, but nothing was handed in.", "在名单上，但没有交作业。"),
    "intake_broke": (
        "The grader itself stumbled over this submission: {why}.",
        "批改程序在读取这份作业时自己出错了：{why}。",
    ),
    "twin": ("Handed in more than once: {names}.", "交了不止一份：{names}。"),
    "roster_twice": (
        "Nobody can tell which line of the roster this is: {names}.",
        "无法判断对应名单上的哪一行：{names}。",
    ),
    # one kata of a submission
    "missing": ("There is no {file}.", "没有 {file}。"),
    "misnamed": (
        "There is no {file}, but there is {found}: was it renamed?",
        "没有 {file}，但有 {found}：是不是改了名字？",
    ),
    "empty": ("{name} is empty.", "{name} 是空文件。"),
    "not_started": ("{name} is the stub as it was handed out: not started.", "{name} 还是发下来的样子：没有开始做。"),
    "not_utf8": (
        "{name} is not UTF-8 text (line {line}). Save it as UTF-8.",
        "{name} 不是 UTF-8 文本（第 {line} 行）。请另存为 UTF-8。",
    ),
    "utf16": ("{name} is UTF-16 text. Save it as UTF-8.", "{name} 是 UTF-16 文本。请另存为 UTF-8。"),
    "unknown_encoding": (
        "{name} names an encoding that there is not: {encoding}.",
        "{name} 声明的编码不存在：{encoding}。",
    ),
    "too_large": ("{name} has more than {limit}: too much for a kata.", "{name} 超过 {limit}：对一个练习来说太大了。"),
    "two_files": (
        "There are two files for one kata, {names}, and they differ. Keep one.",
        "同一个练习有两个不同的文件：{names}。请只保留一个。",
    ),
    "infrastructure": (
        "Nothing is known: the machine or the dojo failed, not the submission. {why}",
        "没有结果：是机器或 dojo 出了问题，不是作业的问题。{why}",
    ),
    # notes
    "stub_beside": (
        "{stub} is the stub as it was handed out; {name} was judged.",
        "{stub} 还是发下来的样子；批改的是 {name}。",
    ),
    "same_twice": ("{names} are the same file.", "{names} 是同一个文件。"),
    "left_out": ("{names} was not taken along: it is no part of a solution.", "没有采用 {names}：它不是解答的一部分。"),
    "helper_left_out": ("{name} was not taken along: {why}", "没有采用 {name}：{why}"),
    "too_many_helpers": (
        "Only {limit} files beside the solution are taken along.",
        "解答旁边的文件最多只采用 {limit} 个。",
    ),
    "flaky": (
        "Not the same each time ({tests}): the worst of {times} runs counts.",
        "每次结果不一样（{tests}）：{times} 次运行中取最差的一次。",
    ),
    "said": ("{what}", "{what}"),
}


@dataclass(frozen=True)
class Sentence:
    """A sentence by its name, and the values in it. The values may be a student's text: escape what comes out."""

    name: str
    values: Mapping[str, str] = field(default_factory=dict)

    def __str__(self) -> str:
        """The sentence in the language asked for."""
        text = SENTENCES[self.name][LANGUAGES.index(language())]
        for name, value in self.values.items():  # not str.format: a value may hold braces itself
            text = text.replace("{" + name + "}", value)
        return text

    def as_data(self) -> list[Any]:
        """Plain data for JSON."""
        return [self.name, dict(self.values)]

    @classmethod
    def from_data(cls, data: list[Any]) -> Sentence:
        """The sentence again."""
        return cls(data[0], data[1])


def say(name: str, /, **values: str) -> Sentence:
    """`say("empty", name="qs.py")`."""
    return Sentence(name, values)


class Refused(Exception):
    """Something that is not read; the sentence says why."""

    def __init__(self, sentence: Sentence) -> None:
        super().__init__(sentence.name)
        self.sentence = sentence
