import subprocess
import sys


def test_a_worker_begins_without_what_only_reports_and_deliveries_need():
    """The imports of these took half of the time until a worker's first line."""
    slow = "{'scipy', 'matplotlib', 'jinja2', 'openpyxl', 'opentimelineio', 'rich', 'typer'}"
    code = (
        f"import sys, moksori.dubbing.work.engines as e; print(*sorted({slow} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == []
