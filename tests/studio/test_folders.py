"""What Studio finds in a folder that it is begun in."""

from moksori.studio.folders import OWN, lying_around


def test_what_other_programs_leave_beside_files_is_neither_script_nor_recording(tmp_path):
    """A Mac's copies of what it cannot keep in a file on a foreign disk, and Excel's lock."""
    show = tmp_path / "show"
    for folder in (show / "takes", show / "__MACOSX" / "takes", show / OWN):
        folder.mkdir(parents=True)
    for name in ("script.xlsx", "~$script.xlsx", "._script.xlsx", "takes/1.wav", "takes/._1.wav"):
        (show / name).write_bytes(b"")
    (show / "__MACOSX" / "._1.wav").write_bytes(b"")
    assert lying_around(show / OWN) == ([show / "script.xlsx"], [show / "takes"])
