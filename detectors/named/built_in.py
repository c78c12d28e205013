"""The detectors that come with driftbus, by the names that users write: a new one is its file, and a line here."""

from collections.abc import Mapping

from .adwin import ADWIN
from .chi_square import ChiSquare
from .cramer_von_mises import CramerVonMises
from .ddm import DDM
from .eddm import EDDM
from .hddm_a import HDDMA
from .hddm_w import HDDMW
from .interface import NamedDetector
from .jensen_shannon import JensenShannon
from .kl import KL
from .ks import KS
from .kswin import KSWIN
from .page_hinkley import PageHinkley
from .psi import PSI
from .wasserstein import Wasserstein

BUILT_IN: Mapping[str, type[NamedDetector]] = {
    "ks": KS,
    "cramer_von_mises": CramerVonMises,
    "chi_square": ChiSquare,
    "psi": PSI,
    "jensen_shannon": JensenShannon,
    "kl": KL,
    "wasserstein": Wasserstein,
    "adwin": ADWIN,
    "page_hinkley": PageHinkley,
    "kswin": KSWIN,
    "ddm": DDM,
    "eddm": EDDM,
    "hddm_a": HDDMA,
    "hddm_w": HDDMW,
}
