# A thin front of `python -m dojo`, with GNU make 3.81 (macOS) and later. `make help` says what there is.

PYTHON ?= python3
BIN := $(if $(filter Windows_NT,$(OS)),.venv/Scripts,.venv/bin)

# The options reach the program through the environment, never through a shell's line. `value` keeps make as
# well from expanding them, so a name such as $(rm x) or a;b is a name that no kata has, and no command.
OPTIONS := KATA SUBJECT ALL DEBUG SEED TEST NO_OPEN \
	SUBMISSIONS OUT JOBS ROSTER SCHEME FORCE LEVEL ALLOW REPEAT SHARD REPORTS ONE EXECUTOR SIMILAR
$(foreach option,$(OPTIONS),$(eval override $(option) := $$(value $(option))))
export $(OPTIONS)

help:
	$(info $(HELP))@:

test hint play bench bench-grade grade: .venv/.complete
	@$(BIN)/python -m dojo $@

check: .venv/.complete-dev
	@$(BIN)/python -m dojo check

check-real: .venv/.complete-dev
	@$(BIN)/python -m tests.real

clean:
	@rm -rf .venv .venv-setup.log .dojo .mypy_cache .ruff_cache
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +
	@echo "Gone: .venv and all caches. The next \`make test\` sets up anew; your katas are as they were."

# make looks at times alone, so a run after the first pays nothing for the set-up. Where the interpreter of
# the .venv is gone (Python was upgraded), its link leads nowhere and `realpath` is empty.
GONE := $(if $(realpath $(wildcard $(BIN)/python $(BIN)/python.exe)),,always)

.venv/.complete: pyproject.toml constraints.txt $(GONE)
	$(call bootstrap,)

.venv/.complete-dev: pyproject.toml constraints.txt $(GONE)
	$(call bootstrap,--dev)

define bootstrap
@$(PYTHON) -c "" 2>/dev/null || { echo "Cannot start $(PYTHON); install Python 3.11 or newer" \
	"(https://www.python.org/downloads/), or name yours: make test PYTHON=python3.12" >&2; exit 1; }
@$(PYTHON) dojo/bootstrap.py $(1)
endef

define HELP
The dojo: katas for network programming in Python.

  make test                    all katas, one line each, and what to do next
  make test KATA=urlparse      one kata: what passes, and the first failure in full
  make hint KATA=urlparse      a hint for that failure; again for the next one
  make play KATA=html_mail     your letter as its reader would see it, in a browser

with make test
  TEST=3                       one test of the kata, by its number
  ALL=1                        every failure in full
  DEBUG=1                      one test with the terminal attached, for breakpoint()
  SEED=7                       the data of an earlier run again
  SUBJECT=reference            the solution in reference/ instead of your file

for teachers
  make grade SUBMISSIONS=folder  a whole class: a folder or zip for each student; marks and reports in grades/
  OUT=folder JOBS=2 KATA="qs chat" ROSTER=class.csv SCHEME=points.toml SEED=7 FORCE=1 REPEAT=3
                               .venv/bin/python -m dojo grade --help explains each

for those who work on the dojo
  make check                   the project's own tests, lint and types
  make check-real              the fakes and the references against postfix, dovecot, nginx, curl and others
  make bench                   what a run costs
  make bench-grade             what grading costs: each kata, and beside other graders (the first run installs them)
  make clean                   remove .venv and caches, never a kata

PYTHON=python3.12 names the Python that the first run makes .venv with.
Katas: $(sort $(notdir $(patsubst %/README.md,%,$(wildcard katas/*/README.md))))
Without make: $(BIN)/python -m dojo --help
endef

always:
.PHONY: help test hint play bench bench-grade grade check check-real clean always
