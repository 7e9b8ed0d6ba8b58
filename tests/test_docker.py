"""The image: what its recipe promises, read as text; it is built by ``.ci/run`` where there is Docker."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[1]
KNOWN = {"FROM", "WORKDIR", "RUN", "ENV", "ARG", "COPY", "USER", "EXPOSE", "HEALTHCHECK", "ENTRYPOINT", "CMD"}


@pytest.fixture(scope="module")
def instructions() -> list[tuple[str, str]]:
    text = re.sub(r"\\\n", " ", (ROOT / "Dockerfile").read_text("utf-8"))
    lines = [line for line in text.splitlines() if line.strip() and not line.startswith("#")]
    return [(line.split(maxsplit=1)[0], line.split(maxsplit=1)[1]) for line in lines]


def test_the_recipe_is_well_formed(instructions: list[tuple[str, str]]) -> None:
    assert {name for name, _ in instructions} <= KNOWN
    assert instructions[0][0] == "FROM"
    bases = [rest.split()[0] for name, rest in instructions if name == "FROM"]
    assert all(re.fullmatch(r"[\w./-]+:[\w.-]+", base) and not base.endswith(":latest") for base in bases)
    assert len(set(bases)) == 1  # what is built with one Python runs on it
    for name, rest in instructions:
        if name in ("ENTRYPOINT", "CMD"):
            assert isinstance(json.loads(rest), list)
        if name == "RUN" and "pip install" in rest:
            assert "--no-cache-dir -c constraints.txt" in rest


def test_the_image_is_not_roots_and_says_how_it_is(instructions: list[tuple[str, str]]) -> None:
    last = dict(instructions)
    assert re.fullmatch(r"[1-9]\d*", last["USER"])
    assert [name for name, _ in instructions].index("USER") < [name for name, _ in instructions].index("CMD")
    test = last["HEALTHCHECK"].partition("CMD ")[2]
    compile(json.loads(test)[2], "health check", "exec")
    assert json.loads(last["ENTRYPOINT"]) == ["checker"]
    assert "--no-token" not in last["CMD"]  # whoever can reach it would need none


def test_what_is_copied_is_there_and_not_ignored(instructions: list[tuple[str, str]]) -> None:
    ignored = (ROOT / ".dockerignore").read_text("utf-8").split()
    assert ignored[0] == "*"
    copied = {
        source
        for name, rest in instructions
        if name == "COPY" and "--from" not in rest
        for source in rest.split()[:-1]
    }
    assert {"checker", "models", "pyproject.toml"} <= copied
    for source in copied:
        assert (ROOT / source).exists(), source
        assert f"!{source}" in ignored


def test_the_composition_gives_away_no_more_than_it_must() -> None:
    service = yaml.safe_load((ROOT / "compose.yaml").read_text("utf-8"))["services"]["checker"]
    assert all(port.startswith("127.0.0.1:") for port in service["ports"])
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert ":?" in service["environment"]["STATEMENT_CHECKER_TOKEN"]
    assert int(service["stop_grace_period"].removesuffix("s")) > 85  # it answers what it has begun
