"""iXML as recorders write it, beside what another reader finds in the same file."""

import struct
from dataclasses import replace

import numpy as np
import pytest
import soundfile
import wavinfo

from moksori.signal.bwf import write_bext
from moksori.signal.ixml import Ixml, read_ixml
from moksori.timecode import FrameRate
from tests.signal.test_bwf import ABOUT

RECORDER = """<?xml version="1.0" encoding="UTF-8"?>
<BWFXML><IXML_VERSION>1.61</IXML_VERSION><PROJECT>목소리 극장</PROJECT><SCENE>12A</SCENE><TAKE>3</TAKE>
<TAPE>R01</TAPE><NOTE>비행기 소리
둘째 줄 &amp; 끝</NOTE><UBITS>00000000</UBITS>
<SPEED><NOTE>24 fps</NOTE><MASTER_SPEED>24000/1001</MASTER_SPEED><CURRENT_SPEED>24000/1001</CURRENT_SPEED>
<TIMECODE_RATE>{rate}</TIMECODE_RATE><TIMECODE_FLAG>{flag}</TIMECODE_FLAG><FILE_SAMPLE_RATE>48000</FILE_SAMPLE_RATE>
<TIMESTAMP_SAMPLES_SINCE_MIDNIGHT_HI>{high}</TIMESTAMP_SAMPLES_SINCE_MIDNIGHT_HI>
<TIMESTAMP_SAMPLES_SINCE_MIDNIGHT_LO>{low}</TIMESTAMP_SAMPLES_SINCE_MIDNIGHT_LO>
<TIMESTAMP_SAMPLE_RATE>48000</TIMESTAMP_SAMPLE_RATE></SPEED>
<TRACK_LIST><TRACK_COUNT>3</TRACK_COUNT>
<TRACK><CHANNEL_INDEX>1</CHANNEL_INDEX><INTERLEAVE_INDEX>1</INTERLEAVE_INDEX><NAME>Mix</NAME></TRACK>
<TRACK><CHANNEL_INDEX>7</CHANNEL_INDEX><INTERLEAVE_INDEX>3</INTERLEAVE_INDEX><NAME> 둘 </NAME></TRACK>
<TRACK><CHANNEL_INDEX>4</CHANNEL_INDEX><INTERLEAVE_INDEX>2</INTERLEAVE_INDEX><NAME>하나 붐</NAME></TRACK>
</TRACK_LIST></BWFXML>"""


def with_chunk(path, content, name=b"iXML", samples=None, sample_rate=48000):
    """A WAV whose iXML stands behind the samples, as recorders leave it."""
    soundfile.write(
        path, np.zeros((4800, 3)) if samples is None else samples, sample_rate, "PCM_24"
    )
    content = content if isinstance(content, bytes) else content.encode()
    whole = path.read_bytes()
    whole += bytes(len(whole) % 2) + struct.pack("<4sI", name, len(content)) + content
    whole += bytes(len(content) % 2)
    path.write_bytes(whole[:4] + struct.pack("<I", len(whole) - 8) + whole[8:])
    return path


def recorder(path, rate="24000/1001", flag="NDF", seconds=3600, **more):
    high, low = divmod(seconds * 48000, 2**32)
    return with_chunk(path, RECORDER.format(rate=rate, flag=flag, high=high, low=low), **more)


def test_it_is_what_another_reader_finds(tmp_path):
    path = recorder(tmp_path / "a.wav")
    found, theirs = read_ixml(path), wavinfo.WavInfoReader(path).ixml
    assert (found.project, found.scene, found.take) == (theirs.project, theirs.scene, theirs.take)
    assert found.note == "비행기 소리 둘째 줄 & 끝"
    by_place = {int(t.interleave_index): t.name.strip() for t in theirs.track_list}
    assert found.channels == tuple(by_place[n] for n in (1, 2, 3)) == ("Mix", "하나 붐", "둘")
    assert found.begin == 3600.0 and found.frame_rate == FrameRate(24, ntsc=True)


def test_what_moksori_writes_is_read(tmp_path):
    soundfile.write(tmp_path / "a.wav", np.zeros(100), 48000, "PCM_24")
    write_bext(tmp_path / "a.wav", replace(ABOUT, start=48000 * 86399 + 5))
    found = read_ixml(tmp_path / "a.wav")
    assert found.begin == 86399 + 5 / 48000 and found.channels == ("하나",)
    assert found.frame_rate == FrameRate(30, ntsc=True, drop=True)


@pytest.mark.parametrize(
    ("rate", "flag", "says"),
    [
        ("25/1", "NDF", "25"), ("30000/1001", "DF", "29.97df"), ("30000/1001", "NDF", "29.97"),
        ("60000/1001", "df", "59.94df"), ("24/1", "DF", None), ("x", "NDF", None), ("48/1", "", None),
        ("", "", None), ("1/0", "", None),
    ],
)  # fmt: skip
def test_frame_rates(tmp_path, rate, flag, says):
    found = read_ixml(recorder(tmp_path / "a.wav", rate, flag)).frame_rate
    assert found == (FrameRate.parse(says) if says else None)


def test_times_beyond_a_day_are_none(tmp_path):
    assert read_ixml(recorder(tmp_path / "a.wav", seconds=86399)).begin == 86399
    assert read_ixml(recorder(tmp_path / "a.wav", seconds=99999)).begin is None


@pytest.mark.parametrize(
    "content",
    [
        b"", b"<BWFXML>", b"\xff\xfe\x00", b"text", b'<?xml version="1.0" encoding="x-none"?><BWFXML/>',
        b'<!DOCTYPE a [<!ENTITY a "b">]><BWFXML><SCENE>&a;</SCENE></BWFXML>', b"<a>" * 5000,
        "<BWFXML/>".encode("utf-16-le"),
        '<!DOCTYPE a [<!ENTITY a "b">]><BWFXML><SCENE>&a;</SCENE></BWFXML>'.encode("utf-16"),
    ],
)  # fmt: skip
def test_what_cannot_be_read_says_nothing(tmp_path, content):
    assert read_ixml(with_chunk(tmp_path / "a.wav", content)) is None


def test_fields_that_make_no_sense_are_left_out(tmp_path):
    low, place = "TIMESTAMP_SAMPLES_SINCE_MIDNIGHT_LO", "INTERLEAVE_INDEX"
    odd = f"<BWFXML><SPEED><{low}>-5</{low}></SPEED><TRACK_LIST>"
    odd += f"<TRACK><{place}>999999999</{place}><NAME>x</NAME></TRACK></TRACK_LIST>"
    assert read_ixml(with_chunk(tmp_path / "a.wav", odd + "</BWFXML>")) == Ixml()
    utf16 = RECORDER.replace("UTF-8", "UTF-16").format(rate="25/1", flag="NDF", high=0, low=0)
    assert read_ixml(with_chunk(tmp_path / "a.wav", utf16.encode("utf-16"))).scene == "12A"
    assert read_ixml(with_chunk(tmp_path / "a.wav", "x", name=b"JUNK")) is None
    soundfile.write(tmp_path / "a.flac", np.zeros(100), 48000)
    assert read_ixml(tmp_path / "a.flac") is None
    assert read_ixml(tmp_path / "none.wav") is None
