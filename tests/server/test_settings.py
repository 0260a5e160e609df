"""Where a setting comes from, and what is said about one that cannot be used."""

from __future__ import annotations

import dataclasses
import json
import re
from pathlib import Path

import pytest

from anonrun.errors import UsageError
from anonrun.server.settings import _OTHERS, Settings, explain, settings_and_sources, settings_from, settings_help
from support.script import run_command, run_script

_ROOT = Path(__file__).parent.parent.parent


def test_flags_come_before_the_environment_that_before_the_file_and_that_before_defaults(tmp_path: Path) -> None:
    file = tmp_path / "anonrun.toml"
    file.write_text(
        'port = 1\nhost = "file"\nsign_up = false\nretention_days = 14\ntrusted_proxies = ["10.0.0.1", "10.1.0.0/16"]\n'
    )
    environment = {"ANONRUN_CONFIG": str(file), "ANONRUN_PORT": "2", "ANONRUN_HOST": "environment"}
    settings, sources = settings_and_sources(environment, default_data_dir=tmp_path, port=3)
    assert (settings.port, settings.host, settings.sign_up, settings.workers) == (3, "environment", False, 1)
    assert (settings.retention_days, settings.trusted_proxies) == (14, "10.0.0.1,10.1.0.0/16")
    said = {row.name: (row.text, row.source) for row in explain(settings, sources)}
    assert said["port"] == ("3", "--port")
    assert said["host"] == ("environment", "ANONRUN_HOST")
    assert said["sign_up"] == ("false", str(file))
    assert said["workers"] == ("1", "default")
    assert said.keys() == {f.name for f in dataclasses.fields(Settings)} - {"limits"}
    other = tmp_path / "other.toml"
    other.write_text("port = 4")
    assert settings_from(environment, default_data_dir=tmp_path, config=other, port=None).port == 2
    assert settings_from({"ANONRUN_CONFIG": str(file)}, default_data_dir=tmp_path, config=other).port == 4


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("retention_day = 3", "'retention_day' is no setting. Did you mean retention_days?"),
        ("ANONRUN_PORT = 3", "Did you mean port?"),
        ("zzzzzz = 3", "`anonrun server config` lists"),
        ('port = "80"', "port = '80' cannot be used; write a whole number."),
        ("port = true", "write a whole number"),
        ("sign_up = 1", "write true or false"),
        ('retention_days = "7"', "write a number"),
        ("host = 7", 'write a text in "quotes"'),
        ("[server]\nport = 1", "'server' is no setting"),
        ("port = ", "are no TOML"),
        ("port = 99999999", "Port 99999999 cannot be used"),
    ],
)
def test_what_a_file_has_wrong_is_refused_with_what_to_write(tmp_path: Path, text: str, said: str) -> None:
    file = tmp_path / "anonrun.toml"
    file.write_text(text)
    with pytest.raises(UsageError, match=re.escape(said)):
        settings_from({}, default_data_dir=tmp_path, config=file)


def test_a_file_that_is_absent_or_no_text_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="cannot be read"):
        settings_from({"ANONRUN_CONFIG": str(tmp_path / "absent")}, default_data_dir=tmp_path)
    (tmp_path / "bytes").write_bytes(b"\xff\xfe")
    with pytest.raises(UsageError, match="no TOML"):
        settings_from({}, default_data_dir=tmp_path, config=tmp_path / "bytes")


def test_a_misspelled_variable_is_refused_and_others_are_left_alone(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="Did you mean ANONRUN_RETENTION_DAYS"):
        settings_from({"ANONRUN_RETENTION_DAY": "3"}, default_data_dir=tmp_path)
    others = dict.fromkeys(_OTHERS - {"ANONRUN_CONFIG"}, "x") | {
        "ANONRUN_SOMETHING_ELSE": "x",
        "RETENTION_DAYS": "3",
    }
    settings_from(others, default_data_dir=tmp_path)
    settings_from({"ANONRUN_RETENTION_DAY": "3"}, default_data_dir=tmp_path, embedded=True)


def test_every_variable_that_the_code_reads_is_a_setting_or_known_as_none() -> None:
    source = "".join(path.read_text() for path in (_ROOT / "src" / "anonrun").rglob("*.py"))
    found = set(re.findall(r"\bANONRUN_[A-Z_]*[A-Z]\b", source))
    assert found <= {name for name, _, _ in settings_help()} | _OTHERS


def test_config_prints_what_is_in_force_and_no_secret(tmp_path: Path) -> None:
    url = "postgresql://ada:hunter2@db/anonrun"
    shown = run_command("server", "--port", "80", "config", data_dir=tmp_path, ANONRUN_DATABASE_URL=url).stdout
    assert "hunter2" not in shown
    assert re.search(r"^port +80 +--port$", shown, re.MULTILINE)
    assert re.search(r"^database_url +\(set, not shown\) +ANONRUN_DATABASE_URL$", shown, re.MULTILINE)
    file = tmp_path / "anonrun.toml"
    file.write_text(f'database_url = "{url}"\nhost = "::1"')
    said = run_command("server", "--config", str(file), "config", "--json", data_dir=tmp_path).stdout
    assert "hunter2" not in said
    assert json.loads(said)["host"] == {"value": "::1", "source": str(file)}
    assert json.loads(said)["database_url"] == {"value": "(set, not shown)", "source": str(file)}


def test_every_command_of_an_operator_takes_the_file(tmp_path: Path) -> None:
    file = tmp_path / "anonrun.toml"
    file.write_text(f'data_dir = "{tmp_path / "elsewhere"}"')
    for command in (["gc"], ["admin", "check"], ["admin", "backup", str(tmp_path / "b.db")]):
        done = run_command(*command, "--config", str(file), data_dir=tmp_path, check=False, ANONRUN_DATA_DIR="")
        assert done.returncode == 1
        assert f"no database at {tmp_path / 'elsewhere' / 'server' / 'anonrun.db'}" in done.stderr
    wrong = run_command("gc", "--config", str(tmp_path / "absent"), data_dir=tmp_path, check=False)
    assert (wrong.returncode, "cannot be read" in wrong.stderr) == (2, True)
    embedded = run_command("server", "--embedded", "--config", str(file), data_dir=tmp_path, check=False)
    assert (embedded.returncode, "no --config" in " ".join(embedded.stderr.split())) == (2, True)


_LAB = """[lab]
label = "the lab"
issuer = "https://login.example"
client_id = "anonrun"
"""


def test_providers_stand_in_the_file_or_in_the_environment_and_their_secrets_nowhere_else(tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("  hunter2\n")
    text = _LAB.replace("[lab]", "[providers.lab]")
    file = tmp_path / "anonrun.toml"
    file.write_text(f'{text}client_secret_file = "{secret}"\n[providers.hub]\nkind = "github"\nclient_id = "x"\n'
                    'client_secret = "hunter3"\n')  # fmt: skip
    settings, sources = settings_and_sources({"ANONRUN_CONFIG": str(file)}, default_data_dir=tmp_path)
    lab, hub = settings.providers
    assert (lab.name, lab.label, lab.issuer, lab.secret()) == ("lab", "the lab", "https://login.example", "hunter2")
    assert (hub.label, hub.issuer, hub.secret()) == ("GitHub", "https://github.com", "hunter3")
    secret.write_text("hunter4")
    assert lab.secret() == "hunter4"
    said = {row.name: (row.text, row.source) for row in explain(settings, sources)}
    assert said["providers"] == ("lab (https://login.example), hub (https://github.com)", str(file))
    environment = {"ANONRUN_PROVIDERS": _LAB + 'client_secret = "hunter5"', "ANONRUN_CONFIG": str(file)}
    other = settings_from(environment, default_data_dir=tmp_path)
    assert [provider.name for provider in other.providers] == ["lab"]
    shown = repr((settings, other)) + str(said)
    shown += run_command("server", "config", data_dir=tmp_path, **environment).stdout
    shown += run_command("server", "config", "--json", data_dir=tmp_path, **environment).stdout
    assert "lab (https://login.example)" in shown
    assert "hunter" not in shown


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("lab = 7", "'lab' is no table"),
        ("[lab", "no TOML"),
        ("[Lab]\nissuer = 'https://x.example'\nclient_id = 'x'", "small letters"),
        (_LAB + "secret = 'hunter2'", "Did you mean client_secret?"),
        (_LAB + "client_secret = 7", "client_secret of provider 'lab' cannot be used"),
        (_LAB + "sign_up = 'yes'", "write true or false"),
        (_LAB + "kind = 'saml'", "write oidc, github, jupyterhub"),
        (_LAB + "kind = 'jupyterhub'", "client_secret or client_secret_file is missing"),
        (_LAB + "api_url = 'https://x.example'", "jupyterhub"),
        (_LAB + "client_secret = 'hunter2'\nclient_secret_file = '/x'", "not both"),
        (_LAB.replace("https://", "http://"), "not encrypted"),
        (_LAB.replace("https://", ""), "is no address"),
        (_LAB.replace("https://", "https://u:hunter2@"), "user or password"),
        (_LAB.replace("https://", "u:hunter2@"), "user or password"),
        (_LAB.replace("client_id", "# "), "client_id is missing"),
        (_LAB + _LAB.replace("[lab]", "[other]"), "two providers have the issuer"),
        ("".join(_LAB.replace("[lab]", f"[l{n}]") for n in range(13)), "12 are the most"),
    ],
)
def test_what_a_provider_has_wrong_is_said_and_no_secret(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(UsageError) as refused:
        settings_from({"ANONRUN_PROVIDERS": text}, default_data_dir=tmp_path)
    assert said in str(refused.value)
    assert "hunter2" not in str(refused.value)


def test_providers_that_are_no_table_are_not_shown(tmp_path: Path) -> None:
    (tmp_path / "anonrun.toml").write_text("providers = \"[lab]\\nclient_secret = 'hunter2'\"")
    with pytest.raises(UsageError, match=r"write tables, \[providers.NAME\]") as refused:
        settings_from({}, default_data_dir=tmp_path, config=tmp_path / "anonrun.toml")
    assert "hunter2" not in str(refused.value)


def test_a_server_that_could_let_nobody_in_does_not_start(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="leaves no way to sign in"):
        settings_from({"ANONRUN_PASSWORDS": "false"}, default_data_dir=tmp_path)
    lab = _LAB + f'client_secret_file = "{tmp_path / "absent"}"'
    done = run_command("server", "--port", "0", data_dir=tmp_path, check=False, ANONRUN_PROVIDERS=lab)
    assert (done.returncode, "cannot be read" in done.stderr) == (1, True)


def test_without_its_library_a_provider_is_refused_with_what_to_install(tmp_path: Path) -> None:
    program = (
        "import sys\n"
        "sys.modules['authlib'] = None\n"
        "from anonrun.cli.main import main\n"
        "main(['server', '--port', '0', '--data-dir', sys.argv[0] and '.'])"
    )
    done = run_script(program, tmp_path, check=False, ANONRUN_PROVIDERS=_LAB)
    assert done.returncode == 1
    assert "pip install 'anonrun[oidc]'" in done.stderr


def test_an_embedded_server_pays_no_attention_to_providers(tmp_path: Path) -> None:
    shown = run_command(
        "server", "--embedded", "config", data_dir=tmp_path, ANONRUN_PROVIDERS=_LAB, ANONRUN_PASSWORDS="false"
    ).stdout
    assert re.search(r"^providers +default$", shown, re.MULTILINE)
    assert re.search(r"^passwords +true +default$", shown, re.MULTILINE)
