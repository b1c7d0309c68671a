"""The certificate that C2PA manifests are signed with: the studio's, or one made here on first use.

FOLDER/chain.pem   the signing certificate, then those that it rests on
FOLDER/key.pem     its private key, for nobody else to read (mode 0600)

FOLDER is `MOKSORI_CERTIFICATE`, or `certificate` in the user's data folder. Of one that is made here the key
of the root is forgotten at once, so that it can sign nothing else.
"""

import datetime
import os
from importlib.util import find_spec
from pathlib import Path
from typing import Any, NamedTuple

from filelock import FileLock
from platformdirs import user_data_path

from moksori.errors import ConfigError
from moksori.writing import write_error

FOLDER = "MOKSORI_CERTIFICATE"
_CHAIN, _KEY = "chain.pem", "key.pem"
_YEARS = 10
_SELF = "Moksori, self-made"


class Certificate(NamedTuple):
    """What signs."""

    chain: bytes  # PEM
    key: bytes  # PEM
    algorithm: str  # of C2PA: es256 …


def check_installed() -> None:
    """See that the extra `provenance` is there.

    Raises:
        ConfigError: it is not.
    """
    if not (find_spec("c2pa") and find_spec("cryptography")):
        raise ConfigError.of("provenance.not_installed")


def folder() -> Path:
    """Where the certificate is kept."""
    named = os.environ.get(FOLDER)
    return Path(named) if named else user_data_path("moksori") / "certificate"


def certificate(place: Path | None = None) -> Certificate:
    """The certificate; made if there is none.

    Raises:
        ConfigError: half of it is there, it cannot be read, it has ended, or others can read its key.
        OutputError: it cannot be made there.
    """
    check_installed()
    place = place or folder()
    try:
        place.mkdir(parents=True, exist_ok=True, mode=0o700)
        with FileLock(place / "lock"):
            if not (place / _CHAIN).exists() and not (place / _KEY).exists():
                _make(place)
    except OSError as error:
        raise write_error(place, error) from None
    return _load(place)


def trusted(place: Path | None = None) -> bytes:
    """The certificates that `verify` trusts: those of one's own; empty if there are none. PEM."""
    try:
        return ((place or folder()) / _CHAIN).read_bytes()
    except OSError:
        return b""


def _load(place: Path) -> Certificate:
    from cryptography import x509
    from cryptography.hazmat.primitives import serialization

    try:
        chain, key = ((place / name).read_bytes() for name in (_CHAIN, _KEY))
        first = x509.load_pem_x509_certificates(chain)[0]
        private = serialization.load_pem_private_key(key, None)
    except (OSError, ValueError, TypeError, IndexError) as error:
        raise ConfigError.of("certificate.unreadable", path=place, why=error) from None
    if os.name == "posix" and (place / _KEY).stat().st_mode & 0o077:
        raise ConfigError.of("certificate.open", file=place / _KEY)
    if first.not_valid_after_utc < datetime.datetime.now(datetime.UTC):
        raise ConfigError.of(
            "certificate.ended", path=place, until=first.not_valid_after_utc.date()
        )
    encoding, form = serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    own = private.public_key().public_bytes(encoding, form)
    if own != first.public_key().public_bytes(encoding, form):
        raise ConfigError.of("certificate.unreadable", path=place, why="key.pem ≠ chain.pem")
    return Certificate(chain, key, _algorithm(private))


def _algorithm(key: Any) -> str:
    from cryptography.hazmat.primitives.asymmetric import ec, ed25519

    if isinstance(key, ec.EllipticCurvePrivateKey):
        return {256: "es256", 384: "es384", 521: "es512"}.get(key.curve.key_size, "es256")
    return "ed25519" if isinstance(key, ed25519.Ed25519PrivateKey) else "ps256"


def _make(place: Path) -> None:
    """A root and a certificate of its own below it, since C2PA takes none that signs itself."""
    from cryptography import x509
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

    root_key, key = (ec.generate_private_key(ec.SECP256R1()) for _ in range(2))
    names = [
        x509.Name([x509.NameAttribute(NameOID.ORGANIZATION_NAME, _SELF),
                   x509.NameAttribute(NameOID.COMMON_NAME, name)])
        for name in ("root", "signing")
    ]  # fmt: skip
    usage = [
        x509.ExtendedKeyUsage(
            [ExtendedKeyUsageOID.EMAIL_PROTECTION]
        ),  # the kind that all readers of C2PA take
    ]
    root = _signed(names[0], names[0], root_key.public_key(), root_key, [], is_root=True)
    own = _signed(names[1], names[0], key.public_key(), root_key, usage, is_root=False)
    chain = b"".join(c.public_bytes(serialization.Encoding.PEM) for c in (own, root))
    secret = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )  # fmt: skip
    for name, content in ((_KEY, secret), (_CHAIN, chain)):
        handle = os.open(place / f".new_{name}", os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
    for name in (_KEY, _CHAIN):
        (place / f".new_{name}").replace(place / name)


def _signed(
    subject: Any, issuer: Any, public: Any, key: Any, extensions: list[Any], *, is_root: bool
) -> Any:
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes

    now = datetime.datetime.now(datetime.UTC)
    uses = dict.fromkeys(
        ("content_commitment", "key_encipherment", "data_encipherment", "key_agreement",
         "encipher_only", "decipher_only"), False
    )  # fmt: skip
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject).issuer_name(issuer).public_key(public)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(hours=1))  # of clocks that are late
        .not_valid_after(now + datetime.timedelta(days=365 * _YEARS))
        .add_extension(x509.BasicConstraints(ca=is_root, path_length=None), critical=True)
        .add_extension(
            x509.KeyUsage(digital_signature=not is_root, key_cert_sign=is_root,
                          crl_sign=is_root, **uses), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(public), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(key.public_key()), critical=False)
    )  # fmt: skip
    for extension in extensions:
        builder = builder.add_extension(extension, critical=False)
    return builder.sign(key, hashes.SHA256())
