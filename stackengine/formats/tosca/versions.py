"""TOSCA versions: what the header may say, and their order."""

from __future__ import annotations

VERSIONS = {
    "tosca_simple_yaml_1_0": "1.0", "tosca_simple_yaml_1_1": "1.1", "tosca_simple_yaml_1_2": "1.2", "tosca_simple_yaml_1_3": "1.3", "tosca_2_0": "2.0",
}  # fmt: skip
DRAFTS = {
    "tosca_simple_yaml_1_0_0": "1.0", "tosca_simple_yaml_1_0_0_wd03": "1.0", "tosca_simple_yaml_1_1_0": "1.1", "tosca_simple_yaml_1_2_0": "1.2",
    "tosca_simple_yaml_1_3_0": "1.3",
}  # fmt: skip
"""Headers of working drafts, which are still in use; read as the version that came of them."""
PROFILES = {"tosca_simple_profile_for_nfv_1_0": "1.1", "tosca_simple_profile_for_nfv_1_0_0": "1.1", "tosca_simple_profile_for_mec_1_0_0": "1.1"}
"""Headers of profiles for network functions, and the Simple Profile that they build upon; their types must be imported."""
ORDER = ("1.0", "1.1", "1.2", "1.3", "2.0")
