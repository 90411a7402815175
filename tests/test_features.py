"""Features of a file as the file itself shows them."""

from __future__ import annotations

import pytest

from logitpack_conformance.features import features_of
from logitpack_conformance.manifest import fixtures_folder, load_manifest
from logitpack_conformance.model import FEATURES, Case, Container, Kind

FOLDER = fixtures_folder()
CASES = [case for case in load_manifest(FOLDER).cases if case.kind is Kind.ACCEPT]
ELSEWHERE = {"dataset", "sidecar"}
"""What no single file shows."""
UNTOLD = {
    ("chk/one-fault/aln-4/sound", "token_ids"),
    ("types/canonical/plain", "token_ids"),
    ("counts/tokens/thousands", "dictionary"),
}
"""What files of the fixtures have and the manifest does not name."""


def shown(case: Case, container: Container) -> set[str]:
    """Return the features of a case's file."""
    material = case.materials[container]
    return set(features_of((FOLDER / material.folder / material.input).read_bytes(), container))


@pytest.mark.parametrize("container", Container)
def test_files_show_what_the_manifest_names(container: Container) -> None:
    """Of every valid file of the fixtures, no feature is missed and none is invented."""
    different = set()
    for case in CASES:
        if container in case.materials and case.materials[container].input != ".":
            named = set(case.features) - ELSEWHERE
            if container is Container.JSON:
                named &= {"token_ids"}  # what other members hold needs nothing of a reader of JSON
            different |= {(case.id, feature) for feature in named ^ shown(case, container)}
    assert different <= UNTOLD


def test_all_features_of_single_files_are_shown() -> None:
    """There is a file for each feature, so that the comparison above is one."""
    seen = {name for case in CASES for key in case.materials if key in set(Container) for name in case.features}
    assert set(FEATURES) == seen


@pytest.mark.parametrize("container", Container)
def test_plainest_file_needs_nothing(container: Container) -> None:
    """Of the plainest files there are many, and they have no features."""
    plain = [case for case in CASES if not case.features and case.materials.get(container) is not None]
    assert len([case for case in plain if not shown(case, container)]) > 100
