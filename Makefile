# make app: the workbench on localhost. make test: everything but the deep tests. Each makes .venv first.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PORT ?= 8501

.PHONY: app test deep lint clean

app: $(VENV)/app.done
	$(BIN)/streamlit run app.py --server.port $(PORT)

test: $(VENV)/test.done
	OMP_NUM_THREADS=1 $(BIN)/pytest -m "not deep" --durations=10 --numprocesses=2 --dist=loadfile

deep: $(VENV)/test.done
	$(BIN)/pytest -m deep --durations=10

lint: $(VENV)/test.done
	$(BIN)/ruff check . && $(BIN)/ruff format --check . && $(BIN)/mypy

$(VENV)/app.done: requirements.txt pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --requirement requirements.txt
	$(BIN)/pip install --quiet --no-deps --editable .
	touch $@

$(VENV)/test.done: requirements-test.txt $(VENV)/app.done
	$(BIN)/pip install --quiet --requirement requirements-test.txt
	touch $@

clean:
	rm -rf $(VENV)
