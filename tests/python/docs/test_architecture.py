"""docs/architecture.md against the sources: its list of folders, their order, and the functions of its walks."""

import re

import pytest
from commands import REPO

SRC = REPO / "src"
DOCUMENT = (REPO / "docs/architecture.md").read_text(encoding="utf-8")
LINE = re.compile(r"^    (\S+)(?: +(LT))? +→ ((?:[\w/]+, )*[\w/]+)? {2,}\S.*$", re.MULTILINE)
STEP = re.compile(r"^\| `([\w/]+\.\w+)` \| `([\w:]+)` \|", re.MULTILINE)
SOURCES = sorted(path for path in SRC.rglob("*") if path.suffix in (".cpp", ".h"))
EVERYONES = ("error.h", "with_place.h")
TORCH = re.compile(r"^#include <((?:torch|ATen|c10|caffe2)/.*)>", re.MULTILINE)


def folders():
    """By name, in the document's order: (the folders that it is linked to, whether LibTorch is linked)."""
    return {name: ({*(linked or "").split(", ")} - {""}, bool(torch)) for name, torch, linked in LINE.findall(DOCUMENT)}


def name_of(path):
    return path.relative_to(SRC).as_posix()


def folder_of(path):
    """Of the list; empty for the headers that belong to every folder."""
    name = name_of(path)
    if name in EVERYONES:
        return ""
    if name == "main.cpp":
        return name
    return "text" if name in ("text.h", "text.cpp") else name.rpartition("/")[0]


def includes(path):
    """The files of src that it includes."""
    found = (SRC / name for name in re.findall(r'^#include "([^"]+)"', path.read_text(encoding="utf-8"), re.MULTILINE))
    return [each for each in found if each.exists()]


def reached(path):
    """The file, and what it includes, directly or not."""
    seen, left = set(), [path]
    while left:
        each = left.pop()
        if each not in seen:
            seen.add(each)
            left += includes(each)
    return seen


def cmake_targets():
    """By target, the libraries that CMakeLists.txt links to it for its own sources and its users'."""
    text = re.sub(r"#.*", "", (REPO / "CMakeLists.txt").read_text(encoding="utf-8"))
    found = {}
    for words in re.findall(r"iris_folder\(([^)]*)\)", text):
        folder, *libraries = words.split()
        found["iris_" + folder.replace("/", "_")] = {*libraries} - {"ON", "USES"}
    for target, words in re.findall(r"target_link_libraries\((\w+) PRIVATE ([^)]*)\)", text):
        found.setdefault(target, set()).update(words.split())
    return found


def test_every_folder_is_in_the_list():
    assert {folder_of(path) for path in SOURCES} - {""} == {*folders()}


def test_the_readmes_map_has_a_line_for_every_folder():
    lines = (REPO / "README.md").read_text(encoding="utf-8").splitlines()
    for folder in folders():
        name = {"main.cpp": "src/main.cpp", "text": "src/text.*"}.get(folder, f"src/{folder}/")
        assert len([line for line in lines if line.startswith("|") and f"`{name}`" in line.split("|")[1]]) == 1, name


@pytest.mark.parametrize("folder", folders())
def test_the_arrows_are_what_cmake_links(folder):
    targets = cmake_targets()
    names = {"iris_" + name.replace("/", "_"): name for name in folders()}
    own = {"main.cpp": ["iris"], "cli/plugins": ["iris_torch_verbs", "iris_serve_verb"]}
    linked = set().union(*(targets[target] for target in own.get(folder, ["iris_" + folder.replace("/", "_")])))
    assert {names[library] for library in linked if library in names} == folders()[folder][0]


def test_libtorch_is_linked_where_the_list_says():
    targets = cmake_targets()

    def has_torch(target):
        return target == "LibTorch::LibTorch" or any(map(has_torch, targets.get(target, ())))

    for folder, (_, torch) in folders().items():
        target = {"main.cpp": "iris", "cli/plugins": "iris_torch_verbs"}.get(folder, "iris_" + folder.replace("/", "_"))
        assert has_torch(target) == torch, folder


def test_includes_go_down_the_list_only():
    place = {folder: number for number, folder in enumerate(["", *folders()])}
    for path in SOURCES:
        for included in includes(path):
            if folder_of(included):
                message = f"{name_of(path)} includes {name_of(included)}"
                assert 0 < place[folder_of(path)] <= place[folder_of(included)], message


def test_what_is_not_linked_to_libtorch_includes_nothing_of_it():
    for path in SOURCES:
        if folder_of(path) and not folders()[folder_of(path)][1]:
            for each in reached(path):
                torch = TORCH.findall(each.read_text(encoding="utf-8"))
                assert not torch, f"{name_of(path)} reaches {name_of(each)}: {torch}"


@pytest.mark.parametrize("name, function", STEP.findall(DOCUMENT))
def test_each_step_of_the_walks_is_in_its_file(name, function):
    """The file may be named without its folder."""
    files = [path for path in SOURCES if path.as_posix().endswith("/" + name)]
    assert len(files) == 1, files
    assert re.search(rf"\b{re.escape(function)}\(", files[0].read_text(encoding="utf-8"))
