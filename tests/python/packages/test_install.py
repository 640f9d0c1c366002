"""The packages, unpacked in a folder that the build does not know: each finds a LibTorch, or says what to do."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import torch

TORCH = Path(torch.__file__).parent
SAMPLE = ["5.1", "3.5", "1.4", "0.2"]
VERSION = torch.__version__.split("+")[0]
WAY_OUT = (
    "install the one that iris was built with into a Python environment (python3 -m venv DIR; DIR/bin/python -m pip "
    f"install torch=={VERSION}) and activate it or name it in IRIS_TORCH_DIR; an unpacked libtorch or a "
    "site-packages/torch will do there too"
)


def run(*command, **options):
    result = subprocess.run([str(part) for part in command], capture_output=True, text=True, timeout=600, **options)
    assert result.returncode == 0, result.stdout + result.stderr
    return result


def predict(program, model, **environment):
    """Runs from /, with only the given environment."""
    return subprocess.run(
        [program, "predict", model, *SAMPLE],
        capture_output=True,
        text=True,
        cwd="/",
        env={"PATH": "/nowhere", **environment},
    )


@pytest.fixture(scope="module")
def build(binary):
    if b"__asan_init" in Path(binary).read_bytes():
        pytest.skip("a sanitized build is not packaged")
    return Path(binary).parent


@pytest.fixture(scope="module")
def model(repo):
    return repo / "models/iris_net.pt"


def packed(build, generator, where):
    run("cpack", "--config", build / "CPackConfig.cmake", "-G", generator, "-B", where)
    return where


@pytest.fixture(scope="module")
def unpacked(build, tmp_path_factory):
    """The TGZ, unpacked elsewhere."""
    where = tmp_path_factory.mktemp("tgz")
    archive = next(packed(build, "TGZ", where / "made").glob("*.tar.gz"))
    run("tar", "-xf", archive, "-C", where)
    return next(where.glob("iris-*"))


@pytest.fixture(scope="module")
def debs(build, tmp_path_factory):
    if not shutil.which("dpkg-shlibdeps"):
        pytest.skip("dpkg-shlibdeps is not installed (dpkg-dev)")
    return packed(build, "DEB", tmp_path_factory.mktemp("deb"))


@pytest.fixture
def environment(tmp_path):
    """A Python environment with the torch that the tests have."""
    packages = tmp_path / f"venv/lib/python3.{sys.version_info.minor}/site-packages"
    packages.mkdir(parents=True)
    (packages / "torch").symlink_to(TORCH)
    return tmp_path / "venv"


def assert_is_setosa(result):
    assert (result.returncode, result.stderr) == (0, "")
    assert result.stdout.startswith("Prediction: setosa\n")


def test_an_installed_tree_runs_after_it_moved(build, model, tmp_path):
    run("cmake", "--install", build, "--prefix", tmp_path / "installed")
    (tmp_path / "installed").rename(tmp_path / "moved")
    assert_is_setosa(predict(tmp_path / "moved/bin/iris", model))


def test_every_verb_of_the_archive_runs(unpacked, repo, tmp_path):
    environment = {**os.environ, "IRIS_TORCH_DIR": str(TORCH)}
    for arguments in (
        ["evaluate", repo / "models/iris_net.pt", repo / "data/iris.csv"],
        ["train", repo / "data/iris.csv", "-o", "m.pt", "--epochs", "1"],
        ["inspect", repo / "models/iris_net.pt"],
        ["convert", repo / "models/iris_net.pt", "m.safetensors"],
        ["--version"],
    ):
        run(unpacked / "bin/iris", *arguments, cwd=tmp_path, env=environment)


@pytest.mark.parametrize("folder", ["torch", "site-packages", "environment"])
def test_the_archive_takes_the_libtorch_of_iris_torch_dir(unpacked, model, environment, folder):
    packages = next(environment.glob("lib/*/site-packages"))
    named = {"torch": packages / "torch", "site-packages": packages, "environment": environment}[folder]
    assert_is_setosa(predict(unpacked / "bin/iris", model, IRIS_TORCH_DIR=str(named)))


def test_the_archive_takes_the_libtorch_of_the_active_environment(unpacked, model, environment):
    assert_is_setosa(predict(unpacked / "bin/iris", model, VIRTUAL_ENV=str(environment)))


def test_the_archive_takes_the_libtorch_of_python_on_path(unpacked, model):
    folders = f"{Path(sys.executable).parent}:/usr/bin:/bin"
    assert_is_setosa(predict(unpacked / "bin/iris", model, PATH=folders))


def test_a_torch_folder_where_the_user_stands_is_not_taken(unpacked, model, tmp_path):
    """A stranger's folder must not get its libraries loaded."""
    (tmp_path / "torch/lib").mkdir(parents=True)
    (tmp_path / "torch/lib/libtorch.so").write_text("not one")
    (tmp_path / "torch/__init__.py").touch()
    environment = {"PATH": "/usr/bin:/bin"}
    result = subprocess.run(
        [unpacked / "bin/iris", "predict", model, *SAMPLE],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        env=environment,
    )
    assert "not one" not in result.stderr
    assert str(tmp_path / "torch") not in result.stderr


def test_without_a_libtorch_one_message_says_where_it_was_looked_for(unpacked, model):
    result = predict(unpacked / "bin/iris", model)
    assert (result.returncode, result.stdout) == (1, "")
    assert result.stderr == (
        "iris: error: LibTorch was not found. Looked for it:\n"
        "  where iris was built: libtorch.so: cannot open shared object file: No such file or directory\n"
        "  in IRIS_TORCH_DIR: not set\n"
        f"  in the Python environment {unpacked.resolve()}: none\n"
        "  in VIRTUAL_ENV: not set\n"
        "  by python3 on PATH: no torch\n"
        f"{WAY_OUT}\n"
    )


def test_the_version_is_told_without_a_libtorch(unpacked):
    result = subprocess.run([unpacked / "bin/iris", "--version"], capture_output=True, text=True, env={"PATH": "/bin"})
    assert result.returncode == 0
    assert result.stdout.endswith(" (LibTorch: none found)\n")
    assert "LibTorch was not found" in result.stderr


def test_a_damaged_library_is_not_taken_for_a_missing_libtorch(unpacked, model, tmp_path):
    shutil.copytree(unpacked, tmp_path / "damaged")
    (library,) = (tmp_path / "damaged").glob("lib*/**/libiris_torch_verbs.so")
    library.write_bytes(library.read_bytes()[:10])
    result = predict(tmp_path / "damaged/bin/iris", model, IRIS_TORCH_DIR=str(TORCH))
    assert result.returncode == 1
    assert "it is damaged" in result.stderr
    assert "LibTorch" not in result.stderr


def test_an_iris_torch_dir_without_libtorch_is_an_error(unpacked, model, tmp_path):
    result = predict(unpacked / "bin/iris", model, IRIS_TORCH_DIR=str(tmp_path))
    assert (result.returncode, result.stdout) == (1, "")
    expected = (
        f"iris: error: IRIS_TORCH_DIR: {tmp_path} holds no LibTorch: there is no lib/libtorch.so in it; {WAY_OUT}\n"
    )
    assert result.stderr == expected


def a_libtorch(folder, source):
    """Writes a libtorch.so with this content, and the other libraries, empty, beside it."""
    (folder / "lib").mkdir(parents=True)
    for name, text in {"libc10.so": "", "libtorch_cpu.so": source, "libtorch.so": ""}.items():
        library = folder / "lib" / name
        needed = ["-Wl,--no-as-needed", f"-L{library.parent}", "-ltorch_cpu", "-lc10"] if name == "libtorch.so" else []
        command = [
            "g++",
            "-shared",
            "-fPIC",
            "-x",
            "c++",
            "-",
            "-x",
            "none",
            f"-Wl,-soname,{name}",
            "-Wl,-rpath,$ORIGIN",
        ]
        subprocess.run([*command, *needed, "-o", library], input=text, text=True, check=True)
    return folder


def test_another_version_is_named(unpacked, model, tmp_path):
    version = "2ull << 56 | 12ull << 48 | 1ull << 40"
    source = f'extern "C" unsigned long long aoti_torch_abi_version() {{ return {version}; }}'
    result = predict(unpacked / "bin/iris", model, IRIS_TORCH_DIR=str(a_libtorch(tmp_path / "other", source)))
    assert (result.returncode, result.stdout) == (1, "")
    library = f"{tmp_path}/other/lib/libtorch_cpu.so"
    assert result.stderr == f"iris: error: {library} is LibTorch 2.12.1, and iris was built with {VERSION}; {WAY_OUT}\n"


def test_an_old_version_that_cannot_be_asked_is_refused(unpacked, model, tmp_path):
    result = predict(unpacked / "bin/iris", model, IRIS_TORCH_DIR=str(a_libtorch(tmp_path / "old", "")))
    assert (result.returncode, result.stdout) == (1, "")
    assert result.stderr == (
        f"iris: error: the LibTorch found is older than the {VERSION} that iris was built with; {WAY_OUT}\n"
    )


def test_a_library_with_other_symbols_is_refused(unpacked, model, tmp_path):
    """A LibTorch of the right version, with nothing else in it."""
    major, minor, patch = map(int, VERSION.split("."))
    version = f"{major}ull << 56 | {minor}ull << 48 | {patch}ull << 40"
    source = f'extern "C" unsigned long long aoti_torch_abi_version() {{ return {version}; }}'
    result = predict(unpacked / "bin/iris", model, IRIS_TORCH_DIR=str(a_libtorch(tmp_path / "strange", source)))
    assert (result.returncode, result.stdout) == (1, "")
    assert "undefined symbol" in result.stderr and result.stderr.endswith(WAY_OUT + "\n")


def files_of(folder):
    return [path for path in folder.rglob("*") if path.is_file()]


def test_no_package_names_a_path_of_this_machine(unpacked, debs, repo, tmp_path):
    for deb in debs.glob("*.deb"):
        run("dpkg-deb", "-x", deb, tmp_path / deb.name)
    files = files_of(unpacked) + files_of(tmp_path)
    assert len(files) > 30
    for path in files:
        content = path.read_bytes()
        assert str(repo).encode() not in content, path
        assert str(Path.home()).encode() + b"/" not in content, path


def test_the_debian_packages_are_what_debian_asks_for(debs):
    program, library = (next(debs.glob(f"{name}_*.deb")) for name in ("iris", "libiris-dev"))
    fields = {
        name: run("dpkg-deb", "-f", program, name).stdout.strip() for name in ("Depends", "Architecture", "Version")
    }
    names = [re.split("[ (]", entry.strip())[0] for entry in fields["Depends"].split(",")]
    assert {"libc6", "libstdc++6", "zlib1g"} < set(names)
    assert not [name for name in names if "torch" in name]
    listing = run("dpkg-deb", "-c", program).stdout
    for part in (
        "-rwxr-xr-x root/root .* ./usr/bin/iris",
        "-rw-r--r-- root/root .* ./usr/lib/iris/libiris_torch_verbs.so",
        "-rw-r--r-- root/root .* ./usr/share/man/man1/iris-predict.1.gz",
        "-rw-r--r-- root/root .* ./usr/share/bash-completion/completions/iris",
        "-rw-r--r-- root/root .* ./usr/share/zsh/vendor-completions/_iris",
        "-rw-r--r-- root/root .* ./usr/share/fish/vendor_completions.d/iris.fish",
        "-rw-r--r-- root/root .* ./usr/share/doc/iris/copyright",
        "-rw-r--r-- root/root .* ./usr/share/doc/iris/changelog.Debian.gz",
    ):
        assert re.search(part, listing), part
    assert "/include/" not in listing
    assert "./usr/include/iris/state_dict.h" in run("dpkg-deb", "-c", library).stdout


def linked(source, target):
    """Links instead of copying: a CUDA build's libraries are some gigabytes."""
    try:
        os.link(os.path.realpath(source), target)
    except OSError:  # another filesystem
        shutil.copy(source, target)


@pytest.mark.skipif(os.geteuid() != 0, reason="chroot is for root")
def test_the_debian_package_runs_in_a_root_of_its_own(debs, model, tmp_path):
    """With the libraries of its dependencies, a LibTorch, and nothing else: no shell, no Python, no /proc."""
    root = tmp_path / "root"
    run("dpkg-deb", "-x", next(debs.glob("iris_*.deb")), root)
    libtorch = root / "opt/packages/torch"
    libtorch.mkdir(parents=True)
    shutil.copytree(
        TORCH / "lib",
        libtorch / "lib",
        ignore=lambda _, names: {n for n in names if "python" in n},
        copy_function=linked,
    )
    shutil.copy(model, root / "model.pt")
    (root / "dev").mkdir()
    (root / "dev/urandom").write_bytes(os.urandom(4096))  # LibTorch seeds its generator as it is loaded
    wanted = [root / "usr/bin/iris", *root.glob("usr/lib/iris/*.so"), *(libtorch / "lib").glob("*.so*")]
    for library in wanted:
        for path in re.findall(r"\s(/\S+) \(0x", run("ldd", library, env={"LD_LIBRARY_PATH": TORCH / "lib"}).stdout):
            # A CUDA build's other packages lie beside torch.
            is_of_torch = TORCH.parent in Path(path).parents
            target = libtorch.parent / Path(path).relative_to(TORCH.parent) if is_of_torch else root / path[1:]
            if not target.exists():
                target.parent.mkdir(parents=True, exist_ok=True)
                linked(path, target)
    command = [shutil.which("chroot"), root, "/usr/bin/iris", "predict", "/model.pt", *SAMPLE]
    missing = subprocess.run(command, capture_output=True, text=True, env={})
    assert missing.returncode == 1
    assert missing.stderr.startswith("iris: error: LibTorch was not found. Looked for it:\n")
    result = subprocess.run(command, capture_output=True, text=True, env={"IRIS_TORCH_DIR": "/opt/packages/torch"})
    assert result.returncode == 0, result.stderr  # stderr says that LibTorch misses /proc/cpuinfo
    assert result.stdout.startswith("Prediction: setosa\n")
