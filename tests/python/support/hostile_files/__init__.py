"""Files that someone made to hurt, or that an accident did: each must be refused, with one clear message."""

from . import bombs, foreign, legacy, pickles, safetensors, tensors, zips
from .build import Case

CASES: list[Case] = [
    *zips.CASES,
    *pickles.CASES,
    *tensors.CASES,
    *legacy.CASES,
    *safetensors.CASES,
    *foreign.CASES,
    *bombs.CASES,
]
