"""The words of the page and of the terminal's table, in English and in Chinese. Files for programs (CSV, JSON, XML)
keep the English ones, whatever the language is."""

from __future__ import annotations

from dojo.words import LANGUAGES, language

WORDS = {
    "grades": ("Grades", "成绩"),
    "submissions": ("submissions", "份作业"),
    "median": ("median", "中位数"),
    "mean": ("mean", "平均"),
    "spread": ("how the marks are spread, 0 to 100 %", "成绩分布，0 到 100 %"),
    "class": ("The class", "全班"),
    "submission": ("submission", "作业"),
    "total": ("total", "总分"),
    "of": ("of {points}", "满分 {points}"),
    "items": ("Which test the class fails", "全班在哪些测试上失败"),
    "test": ("test", "测试"),
    "passed": ("passed", "通过"),
    "time": ("mean time", "平均用时"),
    "why": ("most often, because", "最常见的原因"),
    "hidden": ("hidden", "隐藏测试"),
    "each": ("Each submission", "每份作业"),
    "pass": ("pass", "通过"),
    "fail": ("fail", "失败"),
    "other": ("timeout, crash, limit", "超时、崩溃、超出限制"),
    "not_run": ("not run", "未运行"),
    "untrusted": (
        "Isolation “{level}” keeps no program from tests and other submissions: trust marks as you trust the class.",
        "隔离级别“{level}”不能阻止学生的程序读取测试或别人的作业：对这个班有多信任，就对成绩有多信任。",
    ),
    "elsewhere": (
        "The page is full; this transcript is in grades.json.",
        "页面已满；这里的详细记录见 grades.json。",
    ),
    "made": ("made {made}, judged since {started}", "生成于 {made}，批改开始于 {started}"),
    "hashes": ("hashes of the tests (SHA-256)", "测试文件的哈希（SHA-256）"),
    "files": ("file judged", "批改的文件"),
    "judged": ("judged", "已批改"),
    "missing": ("missing", "缺少"),
    "not started": ("not started", "没有开始"),
    "unreadable": ("unreadable", "无法读取"),
    "no submission": ("no submission", "没有交"),
    "needs a person": ("needs a person", "需要人工处理"),
    "flaky": ("not the same each time", "结果不稳定"),
    # on the terminal
    "more_rows": ("… and {number} more, in the files", "……还有 {number} 份，见各文件"),
    "in_numbers": (
        "{number} submissions ({counts}); median {median} %, mean {mean} %",
        "共 {number} 份作业（{counts}）；中位数 {median} %，平均 {mean} %",
    ),
    "status": ("status", "状态"),
    "written": (
        "in {folder}: {names}, and the journal that they can be made from again",
        "在 {folder} 里：{names}，以及可以重新生成它们的日志",
    ),
    "goes_on": ("The same command goes on from here.", "同一条命令会从这里继续。"),
    "alike": ("much in common (similar.csv): {number}", "相似之处很多（similar.csv）：{number}"),
    "nothing": ("nothing", "没有"),
}


def word(name: str, **values: str) -> str:
    """The word in the language asked for, with its values."""
    text = WORDS[name][LANGUAGES.index(language())]
    for key, value in values.items():  # not str.format: a value may hold braces itself
        text = text.replace("{" + key + "}", value)
    return text
