"""Runs scripts the way the interpreter's command line does."""

import importlib.util
import linecache
import os
import sys
import traceback

import __main__

# Where this file came from; from now on, something else is there, or nothing.
sys.path.remove("/guest")
sys.dont_write_bytecode = True

with open("/guest/environ", encoding="utf-8", newline="") as file:
    for variable in file.read().split("\0")[:-1]:
        key, _, value = variable.partition("=")
        os.environ[key] = value

sys.path[:0] = [path for path in os.environ.get("PYTHONPATH", "").split(":") if path]


def run(source, name, arguments):
    """Runs a script in __main__ and returns its exit status."""
    sys.argv = [name, *arguments]
    namespace = __main__.__dict__
    namespace["__file__"] = name
    try:
        text = importlib.util.decode_source(source)
        # Tracebacks show lines of a file that the guest may not be able to open.
        linecache.cache[name] = (len(text), None, text.splitlines(True), name)
        exec(compile(source, name, "exec", dont_inherit=True), namespace)
        status = 0
    except SystemExit as e:
        status = exit_status(e.code)
    except BaseException as e:
        # The innermost frame that is not the script's is the one of this function.
        traceback.print_exception(e.with_traceback(e.__traceback__.tb_next))
        status = 1
    sys.stdout.flush()
    sys.stderr.flush()
    return status


def exit_status(code):
    """The status that sys.exit(code) stands for."""
    if code is None:
        return 0
    if isinstance(code, int):
        return code & 0xFF
    print(code, file=sys.stderr)
    return 1
