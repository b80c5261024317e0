"""Output of a progress bar without a terminal: log lines, or JSON lines for programs."""

import json
import os
import re
import subprocess
import sys

import pytest

from cifar10 import progress
from cifar10.stage_run import StageRun

STEPS, PAUSE = 40, 0.05  # seconds; two in all
WATCHED = f"""
import time
from cifar10 import progress

with progress.bar(desc="model_0 seed 1", unit=" steps", total={2 * STEPS}, initial={STEPS}) as bar:
    for step in range({STEPS}):
        bar.set_description("model_0 seed 1: epoch 2/2", refresh=False)
        bar.set_postfix(loss=f"{{1 / (step + 1):.4f}}", accuracy="0.5000", refresh=False)
        bar.update()
        time.sleep({PAUSE})
    progress.log("model_0 seed 1: epoch 2/2: done")
"""


def lines(**environment):
    """Run the bar; return its lines on standard error."""
    inherited = {name: value for name, value in os.environ.items() if name != "CIFAR10_PROGRESS"}
    command = [sys.executable, "-c", WATCHED]
    done = subprocess.run(command, env=inherited | environment, capture_output=True, text=True, check=True)
    assert done.stdout == ""
    return done.stderr.splitlines()


@pytest.fixture(scope="module")
def printed():
    return lines(CIFAR10_PROGRESS="json")


def test_without_a_terminal_a_short_bar_writes_nothing():
    assert lines() == lines(CIFAR10_PROGRESS="") == ["model_0 seed 1: epoch 2/2: done"]


def test_json_is_a_line_for_an_update_at_most_twice_a_second(printed):
    *progress, log = printed
    first, *updates = [json.loads(line)["progress"] for line in progress]
    assert log == "model_0 seed 1: epoch 2/2: done"
    assert (first["desc"], first["n"], first["total"], first["rate"]) == (
        "model_0 seed 1",
        STEPS,
        2 * STEPS,
        None,
    )
    assert 2 <= len(updates) <= STEPS * PAUSE / 0.5 + 1
    for before, after in zip([first, *updates], updates, strict=False):
        assert after["elapsed"] - before["elapsed"] > 0.4
        assert after["desc"] == "model_0 seed 1: epoch 2/2"
        assert after["loss"] == pytest.approx(1 / (after["n"] - STEPS), abs=1e-4)
        assert after["accuracy"] == 0.5
        assert 0 < after["rate"] < 1.5 / PAUSE
    assert updates[-1]["n"] > STEPS


def test_who_watches_draws_the_json_and_keeps_the_other_lines(printed):
    training = StageRun("train@model_0-1")
    training.follow(
        f"{line}\n" for line in ["Running stage 'train@model_0-1':", "", *printed, "[1]", '{"n": 1}']
    )
    assert training.lines == [
        "Running stage 'train@model_0-1':",
        "model_0 seed 1: epoch 2/2: done",
        "[1]",
        '{"n": 1}',
    ]
    assert training.line.startswith("model_0 seed 1: epoch 2/2: ")
    assert ", loss=0.0" in training.line
    assert "accuracy=0.5000" in training.line
    assert training.messages == ["model_0 seed 1: epoch 2/2: done"]


def test_who_hears_a_stage_gets_its_messages_and_its_progress_now_and_then(printed, monkeypatch):
    heard = []
    StageRun("train@model_0-1").follow(printed, heard.append)
    assert heard == ["model_0 seed 1: epoch 2/2: done"]  # two seconds are no time to say more
    monkeypatch.setattr(progress, "LOG_EVERY", -1.0)
    StageRun("train@model_0-1").follow(printed, heard.append)
    assert len(heard) == 1 + len(printed)
    assert re.fullmatch(r"model_0 seed 1: epoch 2/2: \d+ of 80, [\d.]+ steps/s, 00:0\d left", heard[-2])


def test_a_drawn_line_has_steps_and_the_time_left():
    state = {
        "desc": "model_0 seed 1: epoch 3/4",
        "n": 50,
        "total": 200,
        "elapsed": 10.0,
        "rate": 5.0,
        "loss": 1.23456,
    }
    drawn = progress.drawn(progress.read(json.dumps({"progress": state})))
    assert drawn.startswith("model_0 seed 1: epoch 3/4:  25%|")
    assert drawn.endswith("| 50/200 [00:10<00:30,  5.00 steps/s, loss=1.2346]")
    assert len(drawn) <= progress.COLUMNS
