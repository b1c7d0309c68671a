"""Names that are alike, beside difflib, which compares all with all."""

from difflib import SequenceMatcher, get_close_matches

from hypothesis import given, settings
from hypothesis import strategies as st

from moksori.dubbing.plan.alike import Alike
from moksori.dubbing.plan.takes import find_takes
from tests.dubbing.plan.test_takes import CAST, line

NAMES = st.text("ab01하나", min_size=1, max_size=9) | st.text("ab0_", min_size=50, max_size=90)


@settings(deadline=None)
@given(
    st.lists(NAMES, max_size=20),
    NAMES,
    st.sampled_from([1, 3]),
    st.sampled_from([0.5, 0.75, 1.0]),
)
def test_they_are_those_that_difflib_finds(names, word, most, cutoff):
    found = Alike(names).closest(word, most, cutoff)
    assert found == get_close_matches(word, names, most, cutoff)


def test_of_many_lines_and_files_only_a_few_are_compared(tmp_path, monkeypatch):
    """300 lines with 300 files of another name: not each with each."""
    compared = []
    ratio = SequenceMatcher.ratio
    monkeypatch.setattr(
        SequenceMatcher, "ratio", lambda self: compared.append(self.a) or ratio(self)
    )
    for number in range(300):
        (tmp_path / f"ep01_hanna_{number:04d}.wav").write_bytes(b"x")
    lines = [line(f"{n}", file=f"ep01_hana_{n:04d}.wav") for n in range(300)]
    issues = [i for i in find_takes(lines, tmp_path, CAST).issues if i.kind == "no_audio_near"]
    assert len(issues) == 300
    assert all(i.values["file"].replace("hana", "hanna") in i.values["names"] for i in issues)
    assert len(compared) < 10 * len(lines)
