"""Every word that a dubbing studio reads in the report and the retake list, in Korean and in English."""

import re
from typing import Literal

Lang = Literal["ko", "en"]

WORDS: dict[str, tuple[str, str]] = {  # Korean, English
    "report": ("더빙 결과 보고서", "Dubbing report"),
    "lines": ("전체 대사", "Lines"),
    "converted": ("변환 완료", "Converted"),
    "passed": ("녹음 그대로", "As recorded"),
    "failed": ("변환 실패", "Failed"),
    "to_look_at": ("확인할 대사", "To look at"),
    "script": ("대본", "Script"),
    "model": ("모델과 라이선스", "Model and licence"),
    "loudness": ("음량", "Loudness"),
    "deliverables": ("납품 파일", "Deliverables"),
    "loudness.reel": (
        "{target} 기준: 믹스 {before:.1f} LUFS, 납품본 {after:.1f} LUFS, 트루 피크 {peak:.1f} dBTP "
        "({gain:+.1f} dB 조정)",
        "Target {target}: mix {before:.1f} LUFS, delivered {after:.1f} LUFS, true peak {peak:.1f} dBTP "
        "({gain:+.1f} dB)",
    ),
    "loudness.limited": (
        "리미터가 피크를 최대 {by:.1f} dB 낮췄습니다.",
        "The limiter lowered peaks by up to {by:.1f} dB.",
    ),
    "loudness.missed": (
        "음량 기준에 맞지 않습니다. 확인하십시오.",
        "Not within the target; please check.",
    ),
    # The legend.
    "legend": ("보고서 보는 법", "How to read this report"),
    "legend.confidence": (
        "일치도는 녹음이 대본과 얼마나 맞는지를 0에서 1로 나타냅니다. 대체로 0.6을 넘으면 대본대로 "
        "말한 것이고, 0.5 아래면 다른 말이거나 다른 파일일 가능성이 큽니다. 연기의 좋고 나쁨과는 "
        "관계가 없습니다.",
        "The confidence tells how well the recording fits the script, from 0 to 1. Above 0.6 the text is "
        "mostly what is said; below 0.5 it is likely another text, or another file. It does not tell how "
        "good the acting is.",
    ),
    "legend.todo": (
        "빨간 표시가 있는 대사부터 원본을 들으며 대본과 견주어 보십시오. 대본이 틀렸으면 대본을 고쳐 다시 "
        "변환하고, 녹음이 틀렸으면 다시 녹음하십시오. 둘이 같으면 결과를 들어 보고 그대로 쓸지 정하십시오.",
        "Begin with the lines marked red: listen to the source and compare it with the text. If the text is "
        "wrong, correct the script and convert again; if the recording is, record it again. If both agree, "
        "listen to the result and decide.",
    ),
    "legend.picture": (
        "정렬 그림은 왼쪽에서 오른쪽으로 시간, 아래에서 위로 대본의 소리입니다. 밝은 무늬가 왼쪽 아래에서 "
        "오른쪽 위로 또렷하게 이어지면 대본대로 말한 것이고, 흐리거나 끊긴 곳은 대본과 다르게 들리는 "
        "곳입니다. 그림을 누르면 그 자리부터 재생합니다.",
        "In the alignment picture time goes to the right and the text's sounds go up. A clear bright trace "
        "from the lower left to the upper right is the text as written; where it is faint or broken, "
        "something else is heard. A click on the picture plays from there.",
    ),
    "legend.keys": (
        "단축키: J 다음 대사, K 이전 대사, 1 원본 듣기, 2 결과 듣기, 0 멈춤, / 검색",
        "Keys: J next line, K previous line, 1 play the source, 2 play the result, 0 stop, / search",
    ),
    "level.red": ("재녹음이 필요할 수 있음", "May need a retake"),
    "level.amber": ("들어 보고 판단", "Listen and decide"),
    "level.grey": ("참고", "Good to know"),
    # The filters.
    "show": ("보기", "Show"),
    "show.all": ("전체", "All"),
    "show.look": ("확인할 대사", "To look at"),
    "show.failed": ("변환 실패", "Failed"),
    "character": ("배역", "Character"),
    "character.all": ("모든 배역", "All characters"),
    "character.none": ("(배역 없음)", "(no character)"),
    "sort": ("정렬", "Sort by"),
    "sort.script": ("대본 순서", "Script order"),
    "sort.need": ("확인이 급한 순서", "Most urgent first"),
    "search": ("검색", "Search"),
    "search.hint": ("대사, 배역, 성우, 번호", "text, character, actor, number"),
    "shown": ("{all}개 중 {shown}개", "{shown} of {all}"),
    "nothing": ("조건에 맞는 대사가 없습니다.", "No line matches."),
    # A line.
    "source": ("원본", "Source"),
    "result": ("결과", "Result"),
    # The command line.
    "cli.ready": (
        "대사 {lines}개를 더빙할 수 있습니다. 릴은 {start}에 시작합니다.",
        "{lines} lines ready; the reel begins at {start}",
    ),
    "cli.more": ("… 그 밖에 {more}가지는 preflight.xlsx에", "… and {more} more in preflight.xlsx"),
    "cli.preflight": ("{path}: 점검 결과 전체", "{path}: all issues"),
    "cli.faults": (
        "오류 {faults}개, 모두 {path}에 있습니다. 고치거나, 그 대사들을 빼고 "
        "--skip-faulty로 진행하십시오",
        "{faults} faults, all in {path}; mend them, or go on without those lines by --skip-faulty",
    ),
    "cli.aside": (
        "{path}: 직접 고치신 파일이라 이 이름으로 남겼습니다",
        "{path}: a file that you had changed; kept under this name",
    ),
    "cli.done": (
        "{out}: {converted}개 변환, {passed}개 녹음 그대로, {failed}개 실패. 확인할 대사 {look}개는 "
        "retakes.xlsx와 report.html에 있습니다.",
        "{out}: {converted} lines converted, {passed} as recorded, {failed} failed; {look} to look at in "
        "retakes.xlsx and report.html",
    ),
    "source.none": ("쓸 수 있는 녹음이 없습니다.", "There is no usable recording."),
    "result.none": ("결과가 없습니다.", "There is no result."),
    "gone": (
        "파일을 읽을 수 없습니다: {file}. 옮겨졌거나 바뀌었는지 확인하십시오.",
        "{file} cannot be read; see whether it was moved or changed.",
    ),
    "seconds": ("{value:.1f}초", "{value:.1f} s"),
    "actor": ("성우", "Actor"),
    "confidence": ("일치도", "Confidence"),
    "alignment": ("정렬 그림", "Alignment"),
    "alignment.of": ("정렬 그림: {text}", "Alignment of: {text}"),
    # The retake list.
    "retakes": ("확인할 대사", "Retakes"),
    "all": ("전체 대사", "All lines"),
    "need": ("재녹음 필요도", "Need"),
    "number": ("번호", "No."),
    "place": ("대본 위치", "Place"),
    "timecode": ("타임코드", "Time code"),
    "text": ("대사", "Line"),
    "directions": ("지문", "Directions"),
    "reasons": ("이유", "Reasons"),
    "file": ("파일", "File"),
    "status": ("상태", "Status"),
    "voice": ("목소리", "Voice"),
    # Places in a script; read_script writes them in English.
    "place.row": ("{number}행", "row {number}"),
    "place.cue": ("자막 {number}", "cue {number}"),
    "place.line": ("{number}번째 줄", "line {number}"),
    # Why a line should be looked at, and what was measured.
    "reason.failed": ("변환하지 못했습니다", "Could not be converted"),
    "reason.confidence": ("대본과 녹음이 다를 수 있습니다", "The recording may not say the text"),
    "value.confidence": ("일치도 {value:.2f}", "confidence {value:.2f}"),
    "reason.word": (
        "빠지거나 다르게 말한 낱말이 있을 수 있습니다",
        "A word may be missing, or another",
    ),
    "value.word": ("가장 낮은 낱말 일치도 {value:.2f}", "lowest word {value:.2f}"),
    "reason.rushed": ("대본의 낱말이 빠졌을 수 있습니다", "A word of the text may not be said"),
    "value.rushed": ("건너뛴 음소 {value:.0f}개", "phones passed over: {value:.0f}"),
    "reason.unheard": (
        "대본에 없는 말이 있을 수 있습니다",
        "Something may be said that is not in the text",
    ),
    "value.unheard": ("{value:.2f}초", "{value:.2f} s"),
    "reason.disagree": ("낱말의 위치가 확실하지 않습니다", "Where the words lie is uncertain"),
    "value.disagree": ("두 정렬의 일치 {value:.2f}", "agreement of two aligners {value:.2f}"),
    "reason.similarity": (
        "같은 배역의 다른 대사와 목소리가 다를 수 있습니다",
        "May not sound like the character's other lines",
    ),
    "value.similarity": ("유사도 {value:.2f}", "similarity {value:.2f}"),
    "reason.melody": (
        "녹음의 억양이 덜 살아 있을 수 있습니다",
        "The recording's melody may not be kept",
    ),
    "value.melody": ("억양 상관 {value:.2f}", "correlation {value:.2f}"),
    "reason.fast": ("말이 매우 빠릅니다", "Spoken very fast"),
    "value.fast": ("1초에 음소 {value:.1f}개", "{value:.1f} phones a second"),
    "reason.slow": ("말이 매우 느립니다", "Spoken very slowly"),
    "value.slow": ("1초에 음소 {value:.1f}개", "{value:.1f} phones a second"),
    "reason.clipped": ("녹음에 클리핑이 있습니다", "The recording is clipped"),
    "value.clipped": ("{value:.0f}곳", "places: {value:.0f}"),
    "reason.noisy": ("녹음에 잡음이 많습니다", "The recording is noisy"),
    "value.noisy": ("신호 대 잡음비 {value:.0f} dB", "signal to noise {value:.0f} dB"),
    "reason.nonverbal": (
        "변환하지 않고 녹음을 그대로 썼습니다",
        "The recording was used as it is, not converted",
    ),
    "reason.laugh": (
        "대사 안에 웃음이나 울음이 있으니 들어 보십시오",
        "A laugh or cry within the line: please listen",
    ),
    "reason.long": ("녹음이 정해진 길이보다 깁니다", "Longer than its slot"),
    "value.long": ("{value:.2f}초 초과", "by {value:.2f} s"),
    "reason.lowered": ("클리핑을 막으려고 음량을 낮췄습니다", "Lowered so as not to clip"),
    "value.lowered": ("{value:.1f} dB", "{value:.1f} dB"),
    "reason.overlap": (
        "같은 배역의 다른 대사와 겹칩니다",
        "Overlaps another line of the character",
    ),
    "value.overlap": ("{value:.2f}초", "{value:.2f} s"),
}


def say(key: str, lang: Lang, **values: object) -> str:
    """The words of `key`, with its values put in.

    Raises:
        KeyError: no such key, or a value is not given.
    """
    return WORDS[key][("ko", "en").index(lang)].format(**values)


def place(written: str, lang: Lang) -> str:
    """Where a line stands: `Line.place`, as the language says it."""
    found = re.fullmatch(r"(.*?)(row|cue|line) (\d+)", written, re.DOTALL)
    if not found:
        return written
    before, kind, number = found.groups()
    return before + say(f"place.{kind}", lang, number=number)
