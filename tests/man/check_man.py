#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Manual pages say what the programs say of themselves, and are sound to the tools of the trade."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "abi"))
from tap import Tap  # noqa: E402

# What --help shows: " -t, --topic : topic" of most tools, "  --dir DIR" of mquic-keygen, and the
# usage.
HELP_OPTION = re.compile(
    r"^ {1,2}(--?[a-zA-Z][\w-]*)(?:, (--[a-zA-Z][\w-]*))?(?= [:A-Z]| {2,})", re.M
)
USAGE_OPTION = re.compile(r"(?<=[\s|\[{])(--?[a-zA-Z][\w-]*)")
MAN_OPTION = re.compile(r"^\.It Fl (\S+)(?: , Fl (\S+))?", re.M)
TABLE_OPTION = re.compile(r'\{(NULL|"-\w"),\s*(NULL|"--[\w-]+"),\s*OPTION_')
PLUGIN_OPTION = re.compile(r'\{\.name = "(\w+)"|\{(?:ALL|EACH)\((\w+)\)')


def output(*argv):
    environment = dict(os.environ, LC_ALL="C.UTF-8", MANWIDTH="80")
    done = subprocess.run(
        [str(word) for word in argv], capture_output=True, text=True, env=environment
    )
    return done.stdout, done.stderr


def helped(program):
    """Options that --help explains, and all that its usage shows."""
    text = output(program, "--help")[0]
    usage = "".join(re.findall(r"^(?:Usage:| {6,}).*\n", text, re.M))
    explained = {name for names in HELP_OPTION.findall(text) for name in names if name}
    return explained | set(USAGE_OPTION.findall(usage))


def in_manual(page):
    return {"-" + name for names in MAN_OPTION.findall(page) for name in names if name}


def plugin_options(source):
    """The table of known options in options.c."""
    table = re.search(r"known\[\] = \{\n(.*?)\n\};", source, re.S)[1]
    return {"plugin_opt_" + (a or b) for a, b in PLUGIN_OPTION.findall(table)}


def differences(left, left_name, right, right_name):
    return [f"{name}: in {left_name}, not in {right_name}" for name in sorted(left - right)]


def compare(tap, name, real, real_name, page, page_name):
    tap.check(
        f"{page_name} explains the options that {name} has",
        differences(real, real_name, page, page_name) if real else ["none found"],
    )
    tap.check(f"{page_name} explains no others", differences(page, page_name, real, real_name))


def check_tools(tap, tools, pages):
    for program in tools:
        page = pages / f"{program.name}.1"
        if not page.exists():
            tap.check(f"{program.name} has a manual page", [f"there is no man/{page.name}"])
            continue
        compare(
            tap,
            program.name,
            helped(program),
            "--help",
            in_manual(page.read_text(encoding="utf-8")),
            page.name,
        )


def check_tables(tap, tools, source):
    """Every name that an option has in the tools' tables is in --help."""
    known = set().union(*map(helped, tools))
    for path in sorted(source.rglob("*.c")):
        names = {
            name.strip('"')
            for names in TABLE_OPTION.findall(path.read_text(encoding="utf-8"))
            for name in names
            if name != "NULL"
        }
        # Those of TCP are there to be refused, or do nothing.
        if names and path.name != "tcp-options.c":
            lost = differences(names, path.name, known, "--help")
            tap.check(f"--help shows the options of {path.name}", lost)


def check_plugin(tap, source, pages):
    page = (pages / "mosquitto_mquic.5").read_text(encoding="utf-8")
    real = plugin_options((source.parent / "gateway" / "options.c").read_text(encoding="utf-8"))
    in_page = set(re.findall(r"^\.It Ic (plugin_opt_\w+)", page, re.M))
    compare(tap, "the plugin", real, "options.c", in_page, "mosquitto_mquic.5")
    example = (source / "mquic.conf.example").read_text(encoding="utf-8")
    in_example = set(re.findall(r"^#?(plugin_opt_\w+) ", example, re.M))
    compare(tap, "the plugin", real, "options.c", in_example, "mquic.conf.example")


def check_references(tap, pages):
    """References among our own pages lead somewhere."""
    lost = []
    for page in pages:
        for name, section in re.findall(r"^\.Xr (\S+) (\d)", page.read_text("utf-8"), re.M):
            if "mquic" in name and not page.with_name(f"{name}.{section}").exists():
                lost.append(f"{page.name}: there is no {name}({section})")
    tap.check("references lead to pages", lost)


def check_markup(tap, page):
    if shutil.which("mandoc"):
        words = output("mandoc", "-T", "lint", "-W", "style", page)[0].splitlines()
        # Other packages' pages, and ours before they are installed.
        words = [word for word in words if "mandoc.db" not in word and ": Xr " not in word]
        tap.check(f"mandoc finds nothing in {page.name}", words)
    if shutil.which("man"):
        argv = ["man", "--warnings", "-E", "UTF-8", "-l", "-Tutf8", "-Z", page]
        tap.check(f"groff finds nothing in {page.name}", output(*argv)[1].splitlines())


def main():
    plugin, pages, *tools = map(Path, sys.argv[1:])
    tap = Tap()
    check_tools(tap, tools, pages)
    check_tables(tap, tools, Path(__file__).resolve().parents[2] / "tools")
    if (pages / "mosquitto_mquic.5").exists():
        check_plugin(tap, plugin, pages)
    found = sorted(pages.glob("*.[1-9]"))
    check_references(tap, found)
    for page in found:
        check_markup(tap, page)
    tap.done()


main()
