import subprocess
import sys

from patience import PATIENCE_S
from workerpool_kit.runtime.recursion import RECURSION_LIMIT


def test_no_library_raises_the_recursion_limit_of_a_process() -> None:
    code = (
        "import sys\n"
        "from workerpool_kit.runtime.recursion import own_recursion_limit\n"
        "import py_ecc; assert sys.getrecursionlimit() == 100_000\n"
        "own_recursion_limit(); own_recursion_limit(); print(sys.getrecursionlimit())\n"
        "sys.setrecursionlimit(100_000); print(sys.getrecursionlimit())\n"
        "sys.setrecursionlimit(500); print(sys.getrecursionlimit())\n"
        "import json\n"
        "try: json.loads('[' * 99_000)\n"
        "except RecursionError: print('survived')"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=PATIENCE_S, check=False
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == [str(RECURSION_LIMIT)] * 2 + ["500", "survived"]
