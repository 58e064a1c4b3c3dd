# The commands of this repository. `make` alone lists them.
PYTHON ?= $(firstword $(foreach name,python3 python3.15 python3.14 python3.13 python3.12 python3.11,\
	$(shell $(name) -c 'import sys; sys.version_info >= (3, 11) and print("$(name)")' 2>/dev/null)))
PORT ?= 8000
ARGS ?=
# Recipes get both unchanged, through the environment: make and the shell don't interpret them.
override PORT := $(value PORT)
override ARGS := $(value ARGS)
override APP := $(value APP)
override FLASK_APP := $(value FLASK_APP)
override DIR := $(value DIR)
override FROM := $(value FROM)
override STACK := $(value STACK)
override CMD := $(value CMD)
override EVENT := $(value EVENT)
override PERCENT := $(value PERCENT)
override MINUTES := $(value MINUTES)
override URL := $(value URL)
override REQUESTS := $(value REQUESTS)
override MS := $(value MS)
override COLD := $(value COLD)
export ARGS STACK
VENV := .venv
# Named here: otherwise a folder with its own configuration, such as an application's, would be checked by that one.
RUFF_CONFIG := --config pyproject.toml
RUN := $(VENV)/bin/python
LOCK := $(VENV)/bin/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --no-annotate

# Runs a module with the words after its name and those of ARGS, split as a shell splits them. Nothing in them is a command, a variable or a pattern.
define RUN_MODULE
import os, shlex, sys
del os.environ["RUN_MODULE"]
args = os.environ.pop("ARGS")
try:
    words = shlex.split(args)
except ValueError:
    sys.exit(f"ARGS is {args!r}, but a quote or backslash in it is not completed: complete it, or quote it.")
os.execv(sys.executable, [sys.executable, "-m", *sys.argv[1:], *words])
endef
export RUN_MODULE
OPERATE = exec $(RUN) -Ic "$$RUN_MODULE" operations $@ $(if $(value STACK),--stack "$$STACK")

# Fails while a sandbox holds its folder's lock.
define TAKE_LOCK
import fcntl
fcntl.flock(open('.sandbox/lock'), fcntl.LOCK_EX | fcntl.LOCK_NB)
endef
export TAKE_LOCK

# Installs the first prerequisite, a lock, into an environment, and says which package it has come to.
define INSTALL
@echo "Installing $< into $(1) (once, about a minute) ..."
@$(1)/bin/python -m pip install --disable-pip-version-check --no-deps --require-hashes -r $< > $(1)/$(2).log 2>&1 & pip=$$!; \
	while kill -0 $$pip 2>/dev/null; do \
		sleep 1; tail -n 1 $(1)/$(2).log | grep -oE '^ *(Installing collected packages|(Collecting|Downloading|Using cached) [^ (]+)'; \
	done | uniq; \
	wait $$pip || { tail -n 5 $(1)/$(2).log >&2; echo "The installation failed; $(1)/$(2).log has all of its output: check that a package registry can be reached, and run make again." >&2; exit 1; }
@touch $@
endef

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help sandbox logs invoke manage smoke release rollback versions restart explain cost doctor test interruptions check mutants check-app new upgrade lint format audit locks bench-runtime clean

help: ## list the targets
	@grep -E '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## (.*)/  make \1\t\2/' | expand -t 24

sandbox: override export PORT := $(PORT)
sandbox: $(VENV)/sandbox.installed ## run the whole deployment on this machine, no account needed: PORT=8000, ARGS="--request 'GET /hello'"
	@exec $(RUN) -Ic "$$RUN_MODULE" sandbox

logs: $(VENV)/sandbox.installed ## print the logs of a deployment: ARGS="--follow --since 1h --filter ERROR", "--request ID"; STACK=dev
	@$(OPERATE)

invoke: override export EVENT := $(EVENT)
invoke: $(VENV)/sandbox.installed ## give the deployed function an event: EVENT=event.json
	@$(OPERATE) "$${EVENT:--}"

manage: override export CMD := $(CMD)
manage: $(VENV)/sandbox.installed ## run a management command in the deployed function: CMD="db upgrade"
	@$(OPERATE) --command "$$CMD"

smoke: $(VENV)/sandbox.installed ## check that a deployment answers, is the one that was deployed, and how fast it is: ARGS="--path /health"
	@$(OPERATE)

release: override export PERCENT := $(PERCENT)
release: override export MINUTES := $(MINUTES)
release: $(VENV)/sandbox.installed ## give the newest version a share of the requests, then promote it or roll back: PERCENT=10 MINUTES=10
	@$(OPERATE) $(if $(value PERCENT),--percent "$$PERCENT") $(if $(value MINUTES),--minutes "$$MINUTES")

rollback: $(VENV)/sandbox.installed ## serve an earlier version again: ARGS="--version 3", or the one before
	@$(OPERATE)

versions: $(VENV)/sandbox.installed ## list the versions of the function, and which of them get requests
	@$(OPERATE)

restart: $(VENV)/sandbox.installed ## start every environment of the function anew
	@$(OPERATE)

explain: override export URL := $(URL)
explain: $(VENV)/sandbox.installed ## say which hop of a request refuses it, from DNS to the image: URL=https://api.example.com/hello
	@$(OPERATE) $(if $(value URL),"$$URL")

cost: override export REQUESTS := $(REQUESTS)
cost: override export MS := $(MS)
cost: override export COLD := $(COLD)
cost: $(VENV)/sandbox.installed ## add up what a month costs, and when a server is cheaper: REQUESTS=1e6 MS=80 COLD=1; ARGS="--plot cost.svg"
	@$(OPERATE) $(if $(value REQUESTS),--requests "$$REQUESTS") $(if $(value MS),--ms "$$MS") $(if $(value COLD),--cold "$$COLD")

doctor: ## check this machine and the AWS account, and say what to do about what is wrong
	@exec $(if $(wildcard $(RUN)),$(RUN),$(or $(PYTHON),python3)) -Ic "$$RUN_MODULE" operations doctor $(if $(value STACK),--stack "$$STACK")

test: $(VENV)/tests.installed ## run the tests that are not slow, one file on each processor at a time; or some: ARGS="tests/test_http_api.py -k domain"
	@exec $(RUN) -Ic "$$RUN_MODULE" pytest $(if $(value ARGS),,--numprocesses auto --dist loadfile -m 'not slow')

interruptions: $(VENV)/tests.installed ## let each operation of a deployment go wrong in seven ways, an hour: ARGS="--stage update --kind throttled"
	@exec $(RUN) -Ic "$$RUN_MODULE" tests.interruptions

check-app: override export APP := $(APP)
check-app: override export FLASK_APP := $(FLASK_APP)
check-app: $(VENV)/sandbox.installed ## list what in an application doesn't work on Lambda: APP=shop FLASK_APP=shop:app, or the dev stack's settings
	@exec $(RUN) -Ic "$$RUN_MODULE" check_app $(if $(value APP),--app "$$APP") $(if $(value FLASK_APP),--flask-app "$$FLASK_APP")

new: override export APP := $(APP)
new: override export DIR := $(DIR)
new: override export FLASK_APP := $(FLASK_APP)
new: ## create a repository that deploys an application: DIR=../shop-deploy APP=~/code/shop [FLASK_APP=shop:app]
	@$(or $(PYTHON),python3) -m scaffold new --dir "$$DIR" --app "$$APP" --flask-app "$$FLASK_APP"

upgrade: override export FROM := $(FROM)
upgrade: ## upgrade a repository that `make new` created to a newer dualmode: FROM=../dualmode [REPLACE=1]
	@$(or $(PYTHON),python3) -m scaffold upgrade --from "$$FROM" $(if $(value REPLACE),--replace)

mutants: $(VENV)/tests.installed ## make each mistake of tests/mutants/mutants.toml in a copy, and say which ones no test notices: ARGS="infra/zone.py"
	@exec $(RUN) -Ic "$$RUN_MODULE" tests.mutants

lint: $(VENV)/tests.installed ## check style, types and which part may import which
	@$(VENV)/bin/ruff check $(RUFF_CONFIG)
	@$(VENV)/bin/ruff format --check $(RUFF_CONFIG)
	@$(VENV)/bin/mypy
	@$(VENV)/bin/lint-imports

format: $(VENV)/tests.installed ## rewrite the code in the project's style
	@$(VENV)/bin/ruff check --fix $(RUFF_CONFIG)
	@$(VENV)/bin/ruff format $(RUFF_CONFIG)

check: $(VENV)/tests.installed ## run everything that continuous integration runs, the slow tests, too
	@.ci/check

audit: $(VENV)/sandbox.installed $(VENV)/audit/installed $(VENV)/checkov/installed ## check for vulnerabilities, licences and policies, and list the image's packages: ARGS="licences sbom"; STACK=dev
	@exec $(RUN) -Ic "$$RUN_MODULE" audit $(if $(value STACK),--stack "$$STACK")

bench-runtime: $(VENV)/benchmarks.installed ## measure start and request times against the alternatives, side by side
	@exec $(RUN) -Ic "$$RUN_MODULE" benchmarks.runtime

locks: $(VENV)/tests.installed ## update the versions in every requirements.txt, from the groups in pyproject.toml
	@$(LOCK) --upgrade --group tests --group benchmarks -o $(VENV)/all.txt
	@$(LOCK) --group program -c $(VENV)/all.txt -o requirements.txt
	@$(LOCK) --group runtime -c $(VENV)/all.txt -o dualmode/requirements.txt
	@$(LOCK) --group sandbox -c $(VENV)/all.txt -o sandbox/requirements.txt
	@$(LOCK) --group tests -c $(VENV)/all.txt -o tests/requirements.txt
	@$(LOCK) --group benchmarks -c $(VENV)/all.txt -o benchmarks/requirements.txt
	@$(LOCK) --upgrade --group audit -o audit/requirements.txt
	@$(LOCK) --upgrade --group checkov -o audit/checkov/requirements.txt

clean: ## remove the environments and the sandbox's state
	@if [ -f .sandbox/lock ] && [ -n "$(PYTHON)" ] && ! $(PYTHON) -c "$$TAKE_LOCK" 2>/dev/null; then \
		echo "A sandbox runs in .sandbox (process $$(cat .sandbox/lock)): stop it with Ctrl-C first, then run make clean again." >&2; exit 1; fi
	@rm -rf $(VENV) .venv-pulumi .sandbox sbom.json

$(VENV)/bin/python:
	@test -n "$(PYTHON)" || { echo "Python 3.11 or newer is needed, but none is on the PATH: install one, or run make PYTHON=/path/to/python3." >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { echo "$(PYTHON) lacks the venv module: install it (on Debian and Ubuntu: apt-get install python3-venv) and run make again." >&2; exit 1; }
	@$(PYTHON) -m venv $(VENV)

$(VENV)/%.installed: %/requirements.txt $(VENV)/bin/python
	$(call INSTALL,$(VENV),$*)

# The audit's tools pin other versions than the program does, so each has an environment of its own.
$(VENV)/%/bin/python: $(VENV)/bin/python
	@$(RUN) -m venv $(VENV)/$*

$(VENV)/audit/installed: audit/requirements.txt $(VENV)/audit/bin/python
	$(call INSTALL,$(VENV)/audit,audit)

$(VENV)/checkov/installed: audit/checkov/requirements.txt $(VENV)/checkov/bin/python
	$(call INSTALL,$(VENV)/checkov,checkov)
