"""What README and docs tell a reader to type works: every command exists with its options, Python runs."""

import re
import shlex
import tomllib
from itertools import pairwise
from pathlib import Path

import pytest
import soundfile
import typer
from markdown_it import MarkdownIt

from moksori import __version__
from moksori.cli import app
from tests.conftest import DEMO, DEMO_TEXT

ROOT = Path(__file__).parents[1]
PAGES = [
    ROOT / "README.md",
    ROOT / "README.ko.md",
    ROOT / "CONTRIBUTING.md",
    *sorted((ROOT / "docs").glob("*.md")),
]
COMMAND = typer.main.get_command(app)


def commands(page: Path) -> list[str]:
    """Lines of a page's shell examples that call moksori, continued lines joined."""
    text = page.read_text(encoding="utf-8")
    blocks = re.findall(r"^ *```(\w*)\n(.*?)^ *```$", text, re.S | re.M)
    shell = [block for language, block in blocks if language in ("", "bash", "sh")]
    rows = "\n".join(shell).replace("\\\n", " ").splitlines()
    return [row for row in rows if re.search(r"(^|[/ ])moksori (?![a-z]+/)", row.split("#")[0])]


def test_commands_are_found_on_the_pages():
    """Else the next test would pass on nothing."""
    found = {page.name: len(commands(page)) for page in PAGES}
    assert found["README.md"] == found["README.ko.md"] > 10
    assert found["dubbing.md"] >= 10


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_command_of_a_page_exists_with_its_options(page):
    for row in commands(page):
        words = shlex.split(row.split(" #")[0].replace("…", "X"))
        at = next(i for i, word in enumerate(words) if word.rpartition("/")[2] == "moksori")
        command, rest = COMMAND, words[at + 1 :]
        while hasattr(command, "commands") and rest and not rest[0].startswith("-"):
            assert rest[0] in command.commands, row
            command, rest = command.commands[rest[0]], rest[1:]
        known = {
            option for param in command.params for option in (*param.opts, *param.secondary_opts)
        }
        for word in rest:
            if word.startswith("-") and not re.fullmatch(r"-?[0-9.]+", word) and word != "-":
                assert word.partition("=")[0] in known | {"--help"}, row


@pytest.mark.parametrize("name", ["README.md", "README.ko.md"])
def test_the_python_of_the_readme_runs(name, tmp_path, monkeypatch):
    blocks = re.findall(r"```python\n(.*?)```", (ROOT / name).read_text(encoding="utf-8"), re.S)
    assert blocks
    monkeypatch.chdir(tmp_path)
    (tmp_path / "line.wav").write_bytes(DEMO.read_bytes())
    for block in blocks:
        exec(block.replace("밥은 먹었어?", DEMO_TEXT), {})
    assert soundfile.info(tmp_path / "out.wav").frames == soundfile.info(DEMO).frames


def test_korean_has_one_word_for_a_thing():
    """As the glossary has it, in messages, on the page and in the documents."""
    others = "시간 코드|타임 코드|프레임레이트|까닭|말뭉치|읽기 목록|인물(?!,)|동의를 거[두둡둔둘]"
    source = ROOT / "src" / "moksori"
    for page in [*PAGES, source / "messages.toml", source / "studio" / "page" / "words.js"]:
        assert not re.search(others, page.read_text(encoding="utf-8")), page.name


def test_links_within_the_documents_lead_somewhere():
    for page in PAGES:
        for link in re.findall(r"\]\(([^)#:]+?)(?:#[^)]*)?\)", page.read_text(encoding="utf-8")):
            assert (page.parent / link).exists(), f"{page.name}: {link}"


def anchors(page: Path) -> set[str]:
    """What links may name on a page, as GitHub and the site make it of headings and ids."""
    text = re.sub(r"```.*?```", "", page.read_text(encoding="utf-8"), flags=re.S)
    heads = re.findall(r"^#+ (.*)$", text, re.M)
    made = {re.sub(r"[^\w -]", "", head.lower()).replace(" ", "-") for head in heads}
    return made | set(re.findall(r'id="([^"]+)"', text))


def test_links_to_a_heading_find_it():
    for page in PAGES:
        for file, anchor in re.findall(
            r"\]\(([^)#:]*)#([^)]+)\)", page.read_text(encoding="utf-8")
        ):
            assert anchor in anchors(page.parent / file if file else page), (
                f"{page.name}: #{anchor}"
            )


def test_lists_and_bold_words_are_shown_as_such():
    """The site needs an empty line before a list; on GitHub `**“글”**이` keeps its asterisks."""
    for page in PAGES:
        text = page.read_text(encoding="utf-8")
        shown = re.sub(r"<code.*?</code>", "", MarkdownIt("commonmark").render(text), flags=re.S)
        assert "**" not in shown, f"{page.name}: {shown.partition('**')[2][:40]}"
        rows = re.sub(r"```.*?```", "", text, flags=re.S).splitlines()
        for before, row in pairwise(rows):
            if re.match(r"(-|1\.) ", row):
                assert not before or re.match(r"[-0-9# ]", before), f"{page.name}: {row}"


def test_every_benchmark_is_where_a_newcomer_looks_for_it():
    text = (ROOT / "benchmarks" / "README.md").read_text(encoding="utf-8")
    files = (ROOT / "benchmarks").glob("*.py")
    assert [file.name for file in files if not re.search(rf"\b{file.stem}\b", text)] == []


def test_the_tree_of_the_architecture_is_that_of_the_source():
    text = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    tree = re.search(r"```\n(cli/  .*?)```", text, re.S)
    listed, folder = set(), Path()
    for row in tree[1].splitlines() if tree else ():
        if head := re.match(r"(\S+)/", row):
            folder = Path("" if head[1] == "moksori" else head[1])
        elif not row.split()[0].endswith("/"):
            listed.add(f"{folder / row.split()[0]}.py")
    source = ROOT / "src" / "moksori"
    assert listed == {str(file.relative_to(source)) for file in source.rglob("[!_]*.py")}


def test_the_layers_of_the_architecture_are_those_that_import_linter_holds():
    text = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    blocks = re.findall(r"```\n(.*?)```", text, re.S)
    shown = [[re.split(r" {2,}", row.strip()) for row in block.splitlines()] for block in blocks]
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    contracts = settings["tool"]["importlinter"]["contracts"]
    assert contracts
    for contract in contracts:
        layers = [layer.split(" | ") for layer in contract["layers"]]
        assert [[name.rpartition(".")[2] for name in row] for row in layers] in shown


def test_every_script_that_documents_name_is_there():
    for page in [*PAGES, ROOT / "CHANGELOG.md", ROOT / "benchmarks" / "README.md"]:
        for name in re.findall(r"benchmarks/(\w+\.py)", page.read_text(encoding="utf-8")):
            assert (ROOT / "benchmarks" / name).exists(), f"{page.name}: {name}"


def test_the_version_is_in_one_place():
    assert (ROOT / "pyproject.toml").read_text().count(__version__) == 0
    assert re.fullmatch(r"[0-9]+\.[0-9]+\.[0-9]+", __version__)
