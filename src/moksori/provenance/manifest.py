"""C2PA manifests: a WAV's statement, signed together with its bytes, so that any later edit is seen.

By `c2pa-python` (extra `provenance`). Nothing is fetched from a network: no time stamps, no revocation lists,
no remote manifests.
"""

import json
from pathlib import Path
from typing import Any, NamedTuple

from moksori import __version__
from moksori.errors import OutputError
from moksori.provenance.certificate import Certificate, check_installed, trusted
from moksori.provenance.statement import Statement
from moksori.writing import atomic_path

LABEL = "org.moksori.conversion"
_KIND = "http://cv.iptc.org/newscodes/digitalsourcetype/compositeWithTrainedAlgorithmicMedia"
_AS_RECORDED = "http://cv.iptc.org/newscodes/digitalsourcetype/digitalCapture"
UNREADABLE = "Unreadable"  # damaged or cut off; perhaps it never was signed
_BY_WHOM = "signingCredential."  # begins the codes that are about the certificate alone
_ENDED = f"{_BY_WHOM}expired"
_OFFLINE = {"verify": {"ocsp_fetch": False, "remote_manifest_fetch": False}}


class Signed(NamedTuple):
    """What a file's manifest says, and whether it holds."""

    state: str  # Trusted, Valid (by a certificate that is not ours), Invalid, or `UNREADABLE`
    issuer: str  # of the certificate
    said: dict[str, Any]  # the statement in it
    faults: tuple[str, ...]  # C2PA's codes; empty of one that holds

    @property
    def has_ended(self) -> bool:
        """Whether all that is wrong is that the certificate's last day has passed since."""
        return self.faults == (_ENDED,)

    @property
    def is_broken(self) -> bool:
        """Whether the signature does not hold, for whatever reason but that one."""
        return not self.has_ended and (bool(self.faults) or self.state == "Invalid")

    @property
    def is_whole(self) -> bool:
        """Whether the file is what was signed, whoever signed it."""
        return all(fault.startswith(_BY_WHOM) for fault in self.faults)


def sign(path: Path, statement: Statement, by: Certificate) -> None:
    """Put a signed manifest into a WAV.

    Args:
        path: of the WAV.
        statement: what it says of itself.
        by: who signs.

    Raises:
        OutputError: it cannot be signed.
    """
    import c2pa

    manifest = {
        "claim_generator_info": [{"name": "Moksori", "version": __version__}],
        "title": path.name, "format": "audio/wav",
        "assertions": [
            {"label": "c2pa.actions", "data": {"actions": [{
                "action": "c2pa.created",
                "digitalSourceType": _KIND if statement.converted else _AS_RECORDED,
            }]}},
            {"label": LABEL, "data": statement.model_dump(mode="json", exclude={"sound"})},
        ],
    }  # fmt: skip
    signer = c2pa.Signer.from_info(
        c2pa.C2paSignerInfo(
            alg=by.algorithm.encode(), sign_cert=by.chain, private_key=by.key, ta_url=None
        )
    )
    with atomic_path(path) as temporary:
        temporary.unlink()  # the library wants to make it
        try:
            c2pa.Builder(json.dumps(manifest)).sign_file(str(path), str(temporary), signer)
        except c2pa.C2paError as error:
            raise OutputError.of("provenance.not_signed", file=path, why=error) from None


def read(path: Path, own: bytes | None = None) -> Signed | None:
    """What the manifest of a file says, and whether it holds; None of a file without one.

    Args:
        path: of any file that C2PA knows.
        own: certificates that are trusted, PEM; one's own by default.

    Raises:
        ConfigError: the extra `provenance` is not installed.
    """
    check_installed()
    import c2pa

    anchors = trusted() if own is None else own
    settings = {**_OFFLINE, "trust": {"user_anchors": anchors.decode()} if anchors else {}}
    try:
        context = c2pa.Context(c2pa.Settings.from_dict(settings))
        found = json.loads(c2pa.Reader(str(path), context=context).json())
    except c2pa.C2paError as error:
        if "ManifestNotFound" in str(error) or "NotSupported" in str(error):
            return None
        return Signed(UNREADABLE, "", {}, (str(error),))
    active = found["manifests"][found["active_manifest"]]
    said: dict[str, Any] = next(
        (a["data"] for a in active["assertions"] if a["label"] == LABEL), {}
    )
    failures = found.get("validation_results", {}).get("activeManifest", {}).get("failure", [])
    faults = tuple(f["code"] for f in failures if f["code"] != "signingCredential.untrusted")
    issuer = active.get("signature_info", {}).get("issuer", "")
    return Signed(found.get("validation_state", "Invalid"), issuer, said, faults)
