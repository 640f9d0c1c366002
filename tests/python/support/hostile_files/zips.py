"""Zip containers whose structure lies."""

import struct
import zlib

from .build import GOOD_DATA, Case, Entry, changed, entries, model, pickled, storage, tensor, zip_bytes

MIB = 1 << 20
ADDED_OR_LOST = r"zip: the directory is not where the end record says; bytes were added or lost"
DISAGREES = r'zip entry "model/{}": its header disagrees with the directory'


def deflated(name: str, **claims) -> bytes:
    original = next(entry.data for entry in entries() if entry.name == f"model/{name}")
    packer = zlib.compressobj(wbits=-15)
    return changed(
        name,
        **{"method": 8, "data": packer.compress(original) + packer.flush(), "size": len(original), **claims},
    )


def deflate_bomb() -> bytes:
    packer = zlib.compressobj(9, wbits=-15)
    packed = packer.compress(bytes(64 * MIB)) + packer.flush()
    return zip_bytes([*entries(storages={}), Entry("model/data/0", packed, method=8, size=64 * MIB)])


def torchscript_bomb() -> bytes:
    """TorchScript's code may be compressed: LibTorch itself would unpack it."""
    parts = [*entries(), Entry("model/constants.pkl", pickled(()))]
    return zip_bytes([*parts, Entry("model/code/bomb.py", bytes(100), method=8, size=0xFFFFFFFE)])


def two_entries_on_one_header() -> bytes:
    first = Entry("model/data/0", GOOD_DATA)
    return zip_bytes([*entries(storages={}), first, Entry("model/data/1", GOOD_DATA, has_local=False, offset=0)])


def overlapping() -> bytes:
    """The second entry's header lies in the first one's data."""
    inner = zip_bytes([Entry("model/data/1", GOOD_DATA)])[: 30 + 12 + 16]
    parts = [*entries(storages={}), Entry("model/data/0", inner)]
    start = len(zip_bytes(parts[:-1], count=0)) - sum(46 + len(part.name) for part in parts[:-1]) - 22
    return zip_bytes([*parts, Entry("model/data/1", GOOD_DATA, has_local=False, offset=start + 30 + 12)])


def zip64_sizes_beyond_the_file() -> bytes:
    """A central header that refers to a zip64 field that is not there."""
    return changed("data/0", size=0xFFFFFFFF, packed_size=0xFFFFFFFF)


def zip64_end_record(count: int, size: int, offset: int) -> bytes:
    archive = zip_bytes(entries())
    start = len(archive) - 22
    record = b"PK\x06\x06" + struct.pack("<QHHIIQQQQ", 44, 45, 45, 0, 0, count, count, size, offset)
    locator = b"PK\x06\x07" + struct.pack("<IQI", 0, start, 1)
    end = b"PK\x05\x06" + struct.pack("<HHHHIIH", 0, 0, 0xFFFF, 0xFFFF, 0xFFFFFFFF, 0xFFFFFFFF, 0)
    return archive[:start] + record + locator + end


def big_endian_of_a_wrong_crc() -> bytes:
    parts = entries(byteorder=b"big")
    parts[-1].crc = 1
    return zip_bytes(parts)


def with_storage_key(key: str) -> bytes:
    return model(pickled({"weight": tensor(on=storage(key))}), {})


def missing(key: str) -> str:
    return rf'zip entry "model/data/{key}": is missing, though a tensor lies in it'


CASES = [
    Case("zip without its end record", lambda: model()[:-22], r"zip: the end record is missing; the file is truncated"),
    Case("zip of an end record alone", lambda: zip_bytes([]), r"zip: there is no data\.pkl: .*"),
    Case("zip behind a prefix", lambda: zip_bytes(entries(), prefix=b"PK\x03\x04 self-extractor"),
        r'zip entry "model/data\.pkl": there are bytes before it'),
    Case("zip with a gap before its directory",
        lambda: zip_bytes(entries(), between=b"gap", offset=100), ADDED_OR_LOST),
    Case("zip with bytes behind its end",
        lambda: zip_bytes(entries(), suffix=b"more"), r"zip: there are bytes after its end record"),
    Case("zip whose comment is longer than the file",
        lambda: zip_bytes(entries())[:-2] + b"\xff\xff", r"zip: there are bytes after its end record"),
    Case("zip with another name in the local header",
        lambda: changed("data/0", local={"name": b"model/data/1"}), DISAGREES.format("data/0")),
    Case("zip with other flags in the local header",
        lambda: changed("data.pkl", local={"flags": 8}), DISAGREES.format(r"data\.pkl")),
    Case("zip with another size in the local header",
        lambda: changed("data/0", local={"size": 17}), DISAGREES.format("data/0")),
    Case("zip with another CRC in the local header",
        lambda: changed("data/0", local={"crc": 1}), DISAGREES.format("data/0")),
    Case("encrypted entry", lambda: changed("data/0", flags=1), r'zip entry "model/data/0": is encrypted'),
    Case("entry with odd flags",
        lambda: changed("data/0", flags=0x2000), r'zip entry "model/data/0": has unknown flags'),
    Case("wrong CRC of the pickle",
        lambda: changed("data.pkl", crc=1), r'zip entry "model/data\.pkl": its CRC is wrong; the file is damaged'),
    Case("wrong CRC of tensor data", lambda: changed("data/0", crc=1),
        r'storage "0": its CRC is wrong; the file is damaged', only_data=True),
    Case("wrong CRC of big-endian tensor data", big_endian_of_a_wrong_crc,
        r'zip entry "model/data/0": its CRC is wrong; the file is damaged'),
    Case("entry longer than the file",
        lambda: changed("data/0", size=1 << 31, packed_size=1 << 31),
        r'zip entry "model/data/0": offset \d+: 2147483648 bytes are needed, \d+ are left'),
    Case("entry behind the file's end",
        lambda: changed("data/0", offset=1 << 31), r'zip entry "model/data/0": lies outside the file'),
    Case("zip64 size that is not there", zip64_sizes_beyond_the_file, r'zip entry "model/data/0": .*'),
    Case("stored entry with two sizes",
        lambda: changed("data/0", size=17), r'zip entry "model/data/0": is stored, yet has two sizes'),
    Case("compressed pickle",
        lambda: deflated("data.pkl"),
        r'zip entry "model/data\.pkl": is compressed; PyTorch stores it \(unzip .*'),
    Case("compressed tensor data",
        lambda: deflated("data/0"),
        r'zip entry "model/data/0": is compressed; PyTorch stores it \(unzip .*'),
    Case("deflate bomb", deflate_bomb, r'zip entry "model/data/0": is compressed; .*'),
    Case("deflate bomb in TorchScript", torchscript_bomb, r"zip: its compressed entries unpack to more than 256 MiB"),
    Case("unknown compression", lambda: changed("data/0", method=99), r'zip entry "model/data/0": is compressed; .*'),
    Case("entry twice",
        lambda: zip_bytes([*entries(), Entry("model/data/0", bytes(16))]),
        r'zip entry "model/data/0": is there twice'),
    Case("two entries on one header", two_entries_on_one_header, DISAGREES.format("data/1")),
    Case("overlapping entries", overlapping, r'zip entry "model/data/1": overlaps another'),
    Case("two data.pkl", lambda: zip_bytes([*entries(), *entries(root="other")]), r"zip: there are two data\.pkl"),
    Case("data.pkl in no folder",
        lambda: zip_bytes([Entry("data.pkl", pickled({})), Entry("version", b"3\n")]),
        r"zip: there is no data\.pkl: .*"),
    Case("other zip",
        lambda: zip_bytes([Entry("word/document.xml", b"<xml/>")]),
        r"zip: there is no data\.pkl: not a file of torch\.save or torch\.jit\.save"),
    Case("zip that counts more entries than it has",
        lambda: zip_bytes(entries(), count=60_000), r"zip: the directory has 4 entries, the end record says 60000"),
    Case("zip whose directory lies outside", lambda: zip_bytes(entries(), offset=0xFFFFFFF0), ADDED_OR_LOST),
    Case("zip64 end record that lies", lambda: zip64_end_record(1 << 60, 1 << 60, 1 << 60), ADDED_OR_LOST),
    Case("zip64 end record that overflows",
        lambda: zip64_end_record(4, 1 << 63, (1 << 64) - (1 << 63)), ADDED_OR_LOST),
    Case("storage outside the archive",
        lambda: with_storage_key("../../etc/passwd"), missing(r"\.\./\.\./etc/passwd")),
    Case("storage of an absolute path", lambda: with_storage_key("/etc/passwd"), missing("/etc/passwd")),
    Case("storage without a name", lambda: with_storage_key(""), missing("")),
    Case("storage with NUL in its name", lambda: with_storage_key("0\0x"), missing(r"0\\x00x")),
    Case("storage that is not there", lambda: model(storages={}), missing("0")),
    Case("storage too short",
        lambda: model(storages={"0": bytes(12)}), r'.*storage "0" has 12 bytes, its pickle says 16'),
    Case("storage too long",
        lambda: model(storages={"0": bytes(20)}), r'.*storage "0" has 20 bytes, its pickle says 16'),
    Case("no version", lambda: model(version=None), r"zip: the entry version is missing"),
    Case("absurd version",
        lambda: model(version=b"4294967297\n"), r'zip: version "4294967297" is unknown; 1 to 10 are read'),
    Case("version that is no number", lambda: model(version=b"new\n"), r'zip: version "new" is unknown; .*'),
    Case("unknown byte order", lambda: model(byteorder=b"middle"), r'zip: byteorder "middle" is unknown'),
]  # fmt: skip
