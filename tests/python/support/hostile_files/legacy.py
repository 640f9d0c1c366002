"""The container of PyTorch before 1.6: five pickles, then the storages."""

import struct

from .build import GOOD_DATA, Case, Global, PersistentId, Raw, opcodes, pickled, tensor

MAGIC = 0x1950A86A20F9469CFC6C
SYSTEM = {"protocol_version": 1001, "little_endian": True, "type_sizes": {"short": 2, "int": 4, "long": 4}}


def keys(*names: str) -> bytes:
    return pickled(Raw(b"](" + b"".join(map(opcodes, names)) + b"e"))


def on(key="0", view=None, numel=4) -> PersistentId:
    return PersistentId(("storage", Global("torch.FloatStorage"), key, "cpu", numel, view))


def legacy(model=None, magic=MAGIC, protocol=1001, system=SYSTEM, listed=None, count=4, data=GOOD_DATA) -> bytes:
    model = pickled({"weight": tensor(on=on())}) if model is None else model
    listed = keys("0") if listed is None else listed
    parts = pickled(magic), pickled(protocol), pickled(system), model, listed, struct.pack("<q", count), data
    return b"".join(parts)


UNLISTED = r"the list of storages has one that no tensor lies in, or one twice"

CASES = [
    Case("legacy file of another magic number",
        lambda: legacy(magic=MAGIC + 1), r"is a plain pickle, not written by .*"),
    Case("legacy file of another protocol", lambda: legacy(protocol=1002), r"the protocol is not 1001"),
    Case("legacy file without a byte order", lambda: legacy(system={}), r"sys_info does not tell the byte order"),
    Case("legacy file of a big-endian machine",
        lambda: legacy(system={"little_endian": False}),
        r"was written on a big-endian machine by PyTorch before 1\.6; load it there and save it again .*"),
    Case("legacy file of a storage twice", lambda: legacy(listed=keys("0", "0")), UNLISTED),
    Case("legacy file of a storage more", lambda: legacy(listed=keys("1", "0")), UNLISTED),
    Case("legacy file of a storage less",
        lambda: legacy(listed=keys(), count=0, data=b""), r'storage "0" is missing, though a tensor lies in it'),
    Case("legacy file whose list is a dict",
        lambda: legacy(listed=pickled({"0": 0})), r"the list of storages is not a list"),
    Case("legacy storage of a negative length",
        lambda: legacy(count=-1), r'offset \d+: storage "0" has 18446744073709551615 elements, its pickle says 4'),
    Case("legacy storage too short",
        lambda: legacy(count=3), r'offset \d+: storage "0" has 3 elements, its pickle says 4'),
    Case("legacy storage beyond the file",
        lambda: legacy(pickled({"a": tensor(on=on(numel=1 << 40))}), count=1 << 40),
        r"offset \d+: 4398046511104 bytes are needed, 16 are left"),
    Case("legacy file with bytes behind it",
        lambda: legacy(data=GOOD_DATA + b"more"), r"offset \d+: there are bytes after the last storage"),
    Case("legacy file cut in its data",
        lambda: legacy(data=GOOD_DATA[:-1]), r"offset \d+: 16 bytes are needed, 15 are left"),
    Case("legacy file cut in its pickle", lambda: legacy()[:200], r"the object: offset \d+: .*"),
    Case("legacy view past its storage",
        lambda: legacy(pickled({"a": tensor(on=on(view=("v", 2, 3)))})),
        r".*a storage view reaches past its storage"),
    Case("legacy view that overflows",
        lambda: legacy(pickled({"a": tensor(on=on(view=("v", 1 << 62, 1 << 62)))})),
        r".*a storage view reaches past its storage"),
    Case("legacy view that is a text",
        lambda: legacy(pickled({"a": tensor(on=on(view="v"))})),
        r".*a storage's view_metadata is not a tuple of three"),
    Case("legacy call of os.system",
        lambda: legacy(opcodes(Global("os.system")) + opcodes(("x",)) + b"R."),
        r"the object: offset \d+: names os\.system, which runs programs: .*"),
]  # fmt: skip
