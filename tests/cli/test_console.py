"""What is shown while a command works."""

import pytest
import typer

from moksori.cli.console import watching


def test_ctrl_c_in_a_check_is_one_line(capsys):
    watch, interrupted = watching()
    with pytest.raises(typer.Exit) as ended, interrupted:
        watch.cancel.set()
        watch.check()
    assert ended.value.exit_code == 130
    said = capsys.readouterr().err
    assert "stopped" in said or "멈추었습니다" in said
