"""The programs of the duel: built where they are missing, and run."""

import functools
import json
import os
import shutil
import subprocess

BENCHMARKS = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
REFERENCE = os.path.join(BENCHMARKS, "Reference")
BUILD = os.path.join(REFERENCE, ".build")
DUEL = os.path.join(BENCHMARKS, "Duel")
# Seconds that one run may take.
LIMIT = 120


class Missing(Exception):
    """A program could not be had; the text says why."""


def say(text):
    print(text, flush=True)


def command(arguments, environment=None):
    """Runs a step of building; raises `Missing` with the end of its output when it fails."""
    result = subprocess.run(
        arguments, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env={**os.environ, **(environment or {})})
    if result.returncode != 0:
        say(result.stdout[-4000:])
        raise Missing(f"{os.path.basename(arguments[0])} ended with status {result.returncode}")
    return result.stdout


def needs(tool, package):
    """Installs Debian's `package` when `tool` is not there."""
    if shutil.which(tool):
        return
    say(f"{tool} is missing; installing with apt-get: {package}")
    sudo = [] if os.geteuid() == 0 else ["sudo", "-n"]
    try:
        command(sudo + ["apt-get", "update", "-qq"])
        command(sudo + ["apt-get", "install", "-y", "-qq", "--no-install-recommends", package],
                {"DEBIAN_FRONTEND": "noninteractive"})
    except (Missing, OSError) as error:
        raise Missing(f"{package} could not be installed: {error}") from error


@functools.cache
def build_ours():
    say("building ours: swift build -c release --package-path Benchmarks/Duel")
    build = ["swift", "build", "-c", "release", "--package-path", DUEL]
    command(build)
    return [os.path.join(command(build + ["--show-bin-path"]).strip(), "skein-duel")]


def build_go():
    needs("go", "golang-go")
    output = os.path.join(BUILD, "duel-go")
    command(["go", "build", "-o", output, os.path.join(REFERENCE, "duel.go")], {"GO111MODULE": "off"})
    return [output]


def build_erlang():
    needs("erlc", "erlang-base")
    command(["erlc", "+inline", "-o", BUILD, os.path.join(REFERENCE, "duel.erl")])
    # +P: as many processes as a row of idle ones needs.
    return ["erl", "+P", "2000000", "-noshell", "-pa", BUILD, "-run", "duel", "main"]


def build_c(name):
    def build():
        needs("cc", "gcc")
        output = os.path.join(BUILD, name)
        command(["cc", "-O3", "-march=native", "-std=gnu11", "-Wall", "-Wextra", "-pthread", "-o", output,
                 os.path.join(REFERENCE, f"{name}.c")])
        return [output]
    return build


BUILDERS = {
    # Task.sleep is measured by a row of our program.
    "ours": build_ours, "task-sleep": build_ours, "go": build_go, "erlang": build_erlang,
    "c-ring": build_c("mpsc"), "c-wheel": build_c("timers"), "c-park": build_c("park"),
}


def build(programs):
    """The commands of `programs`, or for each that could not be built the reason."""
    os.makedirs(BUILD, exist_ok=True)
    commands = {}
    for program in programs:
        try:
            commands[program] = BUILDERS[program]()
        except (Missing, OSError) as error:
            commands[program] = f"could not be built: {error}"
    return commands


def run(start, arguments):
    """One run's figures, or why there are none."""
    if isinstance(start, str):
        return start
    try:
        result = subprocess.run(start + arguments, capture_output=True, text=True, timeout=LIMIT)
    except subprocess.TimeoutExpired:
        return f"did not end within {LIMIT} s"
    if result.returncode != 0:
        lines = (result.stderr or result.stdout).strip().splitlines()
        return f"status {result.returncode}: {lines[-1] if lines else 'no message'}"
    try:
        return json.loads(result.stdout)
    except ValueError:
        return f"no figures in its output: {result.stdout[:80]!r}"
