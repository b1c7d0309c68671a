import os
import subprocess
import sys
from pathlib import Path

import pytest

linux = pytest.mark.skipif(sys.platform != "linux", reason="as processes and memory are on Linux")

_KEPT = """
from moksori.dubbing.processes import return_memory
def held():
    rows = open("/proc/self/status").read().splitlines()
    return int(next(row for row in rows if row.startswith("RssAnon")).split()[1]) / 1e3
pieces = [b"x" * (60_000 + i % 7) for i in range(4000)]
del pieces[:-1]  # the last one lies above all that is free
before = held()
return_memory()
print(before - held())
"""


_FORKED = """
import os
from pathlib import Path
from moksori.dubbing.processes import process_pool
from moksori.weights import MODEL

def found():
    import torch  # as in every worker
    from moksori.conversion import checkpoint
    model, card = checkpoint.load_conversion(MODEL)
    kept = {weight.data_ptr() for weight in checkpoint._kept[card.sha256].values()}
    own = {weight.data_ptr() for weight in model.state_dict().values()}
    return own <= kept, len(os.listdir(f"/proc/{os.getppid()}/task")), os.environ.get("SAID")

if __name__ == "__main__":
    with process_pool(2, weights=[Path("absent"), MODEL]) as pool:
        print(*pool.submit(found).result())
    os.environ["SAID"] = "since"
    with process_pool(1) as pool:  # of the same server
        print(*pool.submit(found).result())
"""


@linux
def test_processes_share_the_weights_of_a_server_that_has_one_thread(tmp_path: Path) -> None:
    """A second thread would not survive the fork, and what it had locked would stay so."""
    script = tmp_path / "script.py"
    script.write_text(_FORKED)
    done = subprocess.run([sys.executable, script], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == ["True 1 None", "True 1 since"]


_BEGUN = """
from moksori.dubbing.processes import process_pool

if __name__ == "__main__":
    with process_pool(1) as pool:
        print(pool.submit(len, "abc").result(), pool._mp_context.get_start_method())
"""


@linux
def test_without_a_place_for_the_server_s_socket_processes_begin_anew(tmp_path: Path) -> None:
    """A socket's name has 107 bytes at most."""
    script, long = tmp_path / "script.py", tmp_path / ("long" * 25)
    script.write_text(_BEGUN)
    long.mkdir()
    surroundings = os.environ | {"TMPDIR": str(long)}
    done = subprocess.run(
        [sys.executable, script], capture_output=True, text=True, env=surroundings
    )
    assert (done.returncode, done.stdout) == (0, "3 spawn\n"), done.stderr


@linux
def test_what_was_freed_goes_back_to_the_system():
    done = subprocess.run([sys.executable, "-c", _KEPT], capture_output=True, text=True, check=True)
    assert float(done.stdout) > 200  # of 240 MB
