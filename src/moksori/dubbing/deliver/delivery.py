"""A delivery: all deliverables written beside the old ones, then put in their place together."""

import hashlib
import json
import shutil
from collections.abc import Callable, Iterable, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

from moksori.dubbing.database import read_only
from moksori.dubbing.deliver.deliverables import DELIVERABLES
from moksori.dubbing.deliver.material import Material
from moksori.dubbing.deliver.spec import DeliverySpec
from moksori.dubbing.plan.issues import Issue
from moksori.dubbing.records import HOME, Dubbed
from moksori.dubbing.store import Store
from moksori.errors import ConfigError, OutputError, reason_of
from moksori.files import near
from moksori.writing import sync_all, without_sync, write_error

Progress = Callable[[Iterable[Any], int], Iterable[Any]]
_WAVES = "delivered"  # what the store calls them
_FORMAT = 13  # raised when the same job would be delivered otherwise


def deliver(
    rows: Sequence[Dubbed],
    issues: Sequence[Issue],
    spec: DeliverySpec,
    store: Store,
    progress: Progress = lambda steps, total: steps,
    prove: Callable[[Material, Path], Callable[[], object]] = lambda material, folder: int,
) -> list[Path]:
    """Write all deliverables beside the old ones, then put them in their place, if anything is new.

    Files of an earlier delivery that this one no longer has are deleted; files that are not the job's
    are never touched.

    Args:
        rows: every line of the episode, in the script's order.
        issues: what preflight found.
        spec: of the delivery.
        store: of the job.
        progress: wraps the iteration over the deliverables and is given their number.
        prove: is given what was written and where, before it takes its place (`provenance.py`); what it
            returns is called once all is in its place.

    Returns:
        Where files went that somebody has changed since the last delivery: out of the way.

    Raises:
        ConfigError: a deliverable is left out that there is not.
        OutputError: a place cannot be written to, or holds somebody else's file.
    """
    check_names(spec.without)
    signature = _signature(rows, issues, spec, store.out)
    whole = all((store.out / path).exists() for path in store.files())
    if store.about("delivery") == signature and whole:
        return []
    new = store.delivery
    material = Material(rows=rows, issues=issues, spec=spec, out=store.out)
    wanted = [item for item in DELIVERABLES if item.name not in spec.without]
    try:
        shutil.rmtree(new, ignore_errors=True)
        new.mkdir()
        with without_sync(), closing(material):
            for item in progress(wanted, len(wanted)):
                item.write(material, new)
            delivered = prove(material, new)
        aside = _put_in_place(new, store)
        delivered()
        shutil.rmtree(new)
    except OSError as error:
        raise write_error(Path(error.filename or store.out), error) from None
    waves = {row.take.id: row.wave.name if row.wave else "" for row in rows}
    store.set_about(_WAVES, json.dumps(waves, ensure_ascii=False))
    store.set_about("delivery", signature)
    return aside


def delivered_lines(out: Path) -> dict[str, str]:
    """Names of the waves that were delivered last, by the lines' ids; none before, or by an older Moksori."""
    path = out / HOME / "job.sqlite"
    if not path.is_file():
        return {}
    rows = [*read_only(path, f"SELECT value FROM about WHERE name = '{_WAVES}'")]
    found: dict[str, str] = json.loads(rows[0][0]) if rows else {}
    return found


def _put_in_place(new: Path, store: Store) -> list[Path]:
    """Put all files of a folder in their place, once they are on the disk; also where changed ones went."""
    paths = sorted(path.relative_to(new).as_posix() for path in new.rglob("*") if path.is_file())
    sync_all([new / path for path in paths])
    store.set_about("delivery", "")
    aside = store.reserve({path: new / path for path in paths})
    for path in sorted(paths, key=lambda path: not path.endswith(".xlsx")):  # perhaps open in Excel
        place = store.out / path
        place.parent.mkdir(exist_ok=True)
        try:
            (new / path).replace(place)
        except OSError as error:
            raise OutputError.of("output.open", path=place, why=reason_of(error)) from None
    sync_all({(store.out / path).parent for path in paths})
    store.commit(paths)
    return aside


def check_names(names: Iterable[str]) -> None:
    """See that these are deliverables.

    Raises:
        ConfigError: one is not.
    """
    known = [item.name for item in DELIVERABLES]
    if unknown := [name for name in names if name not in known]:
        raise ConfigError.of("dub.no_deliverable", name=unknown[0], known=", ".join(known))


def _signature(
    rows: Sequence[Dubbed], issues: Sequence[Issue], spec: DeliverySpec, out: Path
) -> str:
    """Of all that a delivery depends on; of recordings also where they lie, as sessions refer to them."""
    whole = [
        _FORMAT, vars(spec), issues,
        [
            [vars(row.take.line), row.take.id, row.take.start, row.wave and row.wave.name, row.status,
             row.error, row.flags, row.mark, near(row.take.audio, out), row.take.begin, row.take.samples,
             row.take.sample_rate, row.take.channel, row.take.role.voice]
            for row in rows
        ],
    ]  # fmt: skip
    return hashlib.sha256(json.dumps(whole, default=str).encode()).hexdigest()
