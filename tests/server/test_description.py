"""What is written down about the server is what the server is."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

from jsonschema import Draft202012Validator

from anonrun.server.app import OPERATIONS
from anonrun.server.openapi import description
from anonrun.server.problems import CODES
from anonrun.server.reference import reference
from anonrun.server.settings import Settings, settings_from, settings_help
from support.script import run_command
from support.site import Site

_ROOT = Path(__file__).parent.parent.parent


def test_the_description_in_the_docs_is_current() -> None:
    written = json.loads((_ROOT / "docs" / "openapi.json").read_text())
    assert written == description(OPERATIONS), "run: python -m anonrun.server.openapi > docs/openapi.json"


def test_the_reference_in_the_docs_is_current() -> None:
    written = (_ROOT / "docs" / "api.md").read_text()
    assert written == reference(description(OPERATIONS)), "run: python -m anonrun.server.reference > docs/api.md"
    assert all(f"`{operation.name}`" in written for operation in OPERATIONS if operation.listed)


def test_every_message_and_refusal_has_an_example_that_is_one() -> None:
    described = description(OPERATIONS)
    schemas = described["components"]["schemas"]
    for name, schema in schemas.items():
        (example,) = schema["examples"]
        resolver = {"$schema": "https://json-schema.org/draft/2020-12/schema", "components": {"schemas": schemas}}
        Draft202012Validator(resolver | {"$ref": f"#/components/schemas/{name}"}).validate(example)
    for path in described["paths"].values():
        for operation in path.values():
            for status, answer in operation["responses"].items():
                for code, example in (
                    answer.get("content", {}).get("application/problem+json", {}).get("examples", {}).items()
                ):
                    assert (example["value"]["code"], str(example["value"]["status"])) == (code, status)


def test_the_server_describes_itself(site: Site) -> None:
    assert site.api.get("/openapi.json").json() == json.loads(json.dumps(description(OPERATIONS)))


def test_every_operation_has_its_own_id_a_summary_and_what_it_may_answer() -> None:
    described = description(OPERATIONS)
    operations = [operation for path in described["paths"].values() for operation in path.values()]
    assert len({operation["operationId"] for operation in operations}) == len(operations)
    for operation in operations:
        assert operation["summary"].endswith(".")
        assert operation["responses"]


def test_every_reference_in_the_description_leads_somewhere() -> None:
    described = description(OPERATIONS)
    text = json.dumps(described)
    names = {part.partition('"')[0] for part in text.split("#/components/schemas/")[1:]}
    assert names <= described["components"]["schemas"].keys()


def test_every_operation_stands_in_the_protocol() -> None:
    protocol = (_ROOT / "docs" / "protocol.md").read_text()
    for operation in OPERATIONS:
        path = operation.path.removeprefix("/api/v1").split("/{")[0]
        assert path in protocol, operation.path


def test_every_code_that_an_operation_gives_is_known() -> None:
    assert {code for operation in OPERATIONS for code in operation.codes} <= CODES.keys()


def test_every_setting_is_in_the_help(tmp_path: Path) -> None:
    shown = run_command("server", "--help", data_dir=tmp_path).stdout
    for name, _, about in settings_help():
        assert name in shown
        assert about.split()[0] in shown
    fields = {f.name for f in dataclasses.fields(Settings)} - {"limits"}
    assert {name for name, _, _ in settings_help()} == {f"ANONRUN_{field.upper()}" for field in fields}


def test_flags_come_before_the_environment_and_that_before_defaults(tmp_path: Path) -> None:
    environment = {"ANONRUN_PORT": "1234", "ANONRUN_SIGN_UP": "no", "ANONRUN_DATA_DIR": str(tmp_path / "env"), "X": "y"}
    chosen = settings_from(environment, default_data_dir=tmp_path, port=99, host=None)
    assert (chosen.port, chosen.sign_up, chosen.host, chosen.data_dir) == (99, False, "127.0.0.1", tmp_path / "env")
